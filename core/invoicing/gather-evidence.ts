import { canonicalJson } from '../canonical-json.ts';
import { isInAdvance } from '../catalog/charge.ts';
import type { Meter } from '../catalog/meter.ts';
import type { PlanVersion } from '../catalog/plan.ts';
import type { CustomerId, ProjectId } from '../ids.ts';
import type { EffectivePlan } from '../rating/effective-plan.ts';
import type { RatingInput } from '../rating/rate.ts';
import type { BillingPeriod } from '../time/billing-period.ts';
import type { Instant } from '../time/instant.ts';
import type { UsageTerms } from '../usage/read-usage.ts';
import { withSharedMembers } from '../usage/shared-members.ts';
import type { UsageSnapshot } from '../usage/usage-snapshot.ts';
import { usageTerms } from '../usage/usage-terms.ts';
import type { BilledService } from './account-ledger.ts';
import { type InvoiceSubject, invoiceIdOf } from './draft-invoice.ts';
import type { EarlierPeriod, Evidence, IdleUsage, RatedService } from './evidence.ts';
import type { InvoiceLine } from './invoice.ts';
import { levelUsage } from './level-usage.ts';
import type { BillingReads, UsageReads } from './ports.ts';
import type { ListedService, Prices } from './read-prices.ts';

/** Named in every evidence: raise it with any change that could rate the same evidence to other cents. */
export const CODE_VERSION = '2';

export interface GatherDeps {
  readonly reads: BillingReads;
  readonly usage: UsageReads;
}

export interface GatherInput {
  readonly subject: InvoiceSubject;
  /** What the invoice bills, its lines in this order. */
  readonly services: readonly ServiceToRate[];
  /** The periods to rate again, each with every line billed so far for the subscriptions of its services. */
  readonly earlier: readonly {
    readonly period: BillingPeriod;
    readonly services: readonly ServiceToRate[];
    readonly billed: readonly InvoiceLine[];
  }[];
  /** Trials and pauses whose usage bills nothing. */
  readonly idle: readonly { readonly start: Instant; readonly end: Instant }[];
  readonly prices: Pick<Prices, 'planOf' | 'listed'>;
}

/** A subscription's part of a billing period, and which of its charges to rate: those in arrears, or the fees in advance. */
export interface ServiceToRate extends BilledService {
  readonly period: BillingPeriod;
  readonly bills: 'arrears' | 'advance';
}

/** Reads usage, meters and price versions once and freezes them: all that the invoice's cents will depend on. */
export async function gatherEvidence(input: GatherInput, deps: GatherDeps): Promise<Evidence> {
  const { subject, prices } = input;
  const { project, customer } = subject;
  const meters = await deps.reads.meters(project);
  const usage = usageReader(project, customer, deps.usage);
  const rated = async (services: readonly ServiceToRate[]): Promise<RatedService[]> => {
    const found: RatedService[] = [];
    for (const service of services) {
      const priced = await prices.planOf(service);
      if (service.bills === 'advance') {
        // Fees in advance look at no usage; without `bills` the evidence is that of an invoice in arrears.
        if (!priced.plan.charges.some(isInAdvance)) continue;
        found.push({ input: { ...ratingInput(service, priced, []), bills: 'advance', slices: [] }, views: [] });
        continue;
      }
      found.push(await ownService(service, ratingInput(service, priced, meters), usage));
      for (const part of await prices.listed(service)) {
        found.push(await listedService(service, part, { meters: metersOf(part.plan, meters), usage }));
      }
    }
    return found;
  };
  const services = await rated(input.services);
  const earlier: EarlierPeriod[] = [];
  for (const { period, services: again, billed } of input.earlier) {
    const current = await rated(again);
    if (current.length > 0 || billed.length > 0) earlier.push({ period: period.key, services: current, billed });
  }
  const idle: IdleUsage[] = [];
  for (const { start, end } of input.idle) {
    idle.push({ start, end, slices: withSharedMembers((await usage(start, end)).slices) });
  }
  return {
    format: 1,
    invoice: invoiceIdOf(subject),
    subject,
    codeVersion: CODE_VERSION,
    services,
    earlier,
    ...(idle.length > 0 && { idle }),
  };
}

function ratingInput(
  service: ServiceToRate,
  { plan, sources }: EffectivePlan,
  meters: readonly Meter[],
): Omit<RatingInput, 'slices'> {
  const { subscription, period, start, end, phase, share, conversion } = service;
  return {
    ...{ subscription, plan, meters: metersOf(plan, meters), period, service: { start, end } },
    ...(sources !== undefined && { sources }),
    ...(conversion !== undefined && { conversion }),
    ...(phase !== undefined && { phase }),
    ...(share !== undefined && { share }),
  };
}

async function ownService(
  service: ServiceToRate,
  input: Omit<RatingInput, 'slices'>,
  usage: ReadSpan,
): Promise<RatedService> {
  const terms = usageTerms(input.meters, service.period);
  const { slices, views } = await usage(service.start, service.end, terms);
  const levels = await levelUsage(service, input.meters, (from, to) => usage(from, to, terms));
  return {
    input: { ...input, ...levels.input, slices: withSharedMembers(slices) },
    views: levels.views.length > 0 ? levels.views : views,
  };
}

/** The price list is in the account's currency already, and looks at no usage but that of its own meters. */
async function listedService(
  service: ServiceToRate,
  { plan, start, end, list }: ListedService,
  { meters, usage }: { readonly meters: readonly Meter[]; readonly usage: ReadSpan },
): Promise<RatedService> {
  const { subscription, period, phase, running } = service;
  // a level is shared out over the parts of the period only where the list bills all of this one
  const isWhole = start === service.start && end === service.end;
  const part = { ...service, start, end, running: isWhole ? running : undefined };
  const input = { subscription, plan, meters, period, service: { start, end }, list };
  const rated = await ownService(part, { ...input, ...(phase !== undefined && { phase }) }, usage);
  const slices = rated.input.slices.filter(({ meter }) => meters.some(({ key }) => key === meter));
  return { ...rated, input: { ...rated.input, slices } };
}

type ReadSpan = (from: Instant, to: Instant, terms?: UsageTerms) => Promise<UsageSnapshot>;

/** Subscriptions mostly share their span: each span is read once, so that all of them are rated from the same quantities. */
function usageReader(project: ProjectId, customer: CustomerId, usage: UsageReads): ReadSpan {
  const spans = new Map<string, Promise<UsageSnapshot>>();
  return (from, to, terms = {}) => {
    const name = `${from}/${to}/${canonicalJson(terms)}`;
    const read = spans.get(name) ?? usage.read({ project, customer, from, to, ...terms });
    spans.set(name, read);
    return read;
  };
}

function metersOf(plan: PlanVersion, meters: readonly Meter[]): readonly Meter[] {
  const named = new Set(plan.charges.flatMap((charge) => (charge.kind === 'usage' ? [charge.meter] : [])));
  return meters.filter((meter) => named.has(meter.key));
}
