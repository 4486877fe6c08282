import type { CustomerStore } from '../accounts/ports.ts';
import type { Meter } from '../catalog/meter.ts';
import type { PlanVersion } from '../catalog/plan.ts';
import type { MeterStore, PlanStore } from '../catalog/ports.ts';
import { notFound } from '../errors.ts';
import type { ProjectId, SubscriptionId } from '../ids.ts';
import type { InvoiceLine } from '../invoicing/invoice.ts';
import type { UsageReads } from '../invoicing/ports.ts';
import type { PreviewDeps } from '../invoicing/preview-invoices.ts';
import type { Currency } from '../money/currency.ts';
import type { RatingInput } from '../rating/rate.ts';
import { rateEvidence } from '../rating/rate-evidence.ts';
import { reRate } from '../rating/re-rate.ts';
import type { BillingPeriod } from '../time/billing-period.ts';
import type { Clock } from '../time/clock.ts';
import type { UsageTerms } from '../usage/read-usage.ts';
import type { UsageSlice } from '../usage/usage-snapshot.ts';
import { usageTerms } from '../usage/usage-terms.ts';
import { withContract } from './contract-of-estimate.ts';
import { customerEstimate } from './customer-estimate.ts';
import type { EstimateOptions, HypotheticalUsage } from './estimate-request.ts';
import { periodOfEstimate, type Span, serviceOfEstimate } from './estimate-span.ts';
import { slicesOf } from './hypothetical-usage.ts';
import { type ReadEstimate, readEstimate } from './read-estimate.ts';

export interface EstimateDeps {
  readonly meters: Pick<MeterStore, 'newest'>;
  readonly plans: Pick<PlanStore, 'find' | 'newest'>;
  readonly customers: Pick<CustomerStore, 'find'>;
  readonly usage: Pick<UsageReads, 'read'>;
  /** Subscriptions, and how they are rated. */
  readonly preview: PreviewDeps;
  readonly clock: Clock;
}

export interface Estimate {
  readonly currency: Currency;
  readonly period: BillingPeriod;
  readonly service: Span;
  readonly lines: readonly InvoiceLine[];
  /** Usage that no charge takes. */
  readonly unmatched: readonly UsageSlice[];
  /** What a later invoice would add to the one that has billed `billed`; null without it. */
  readonly adjustments: readonly InvoiceLine[] | null;
}

const SUBSCRIPTION = 'estimate' as SubscriptionId;

/**
 * What charges would cost: the rating of a billing run over usage that is made up, that a customer has had, or both. Reads the
 * catalog and, for a customer, its usage; writes nothing. Throws `estimate_invalid` with every fault, `period_invalid`,
 * `plan_not_found` or `customer_not_found`.
 */
export async function estimate(
  { project, request }: { readonly project: ProjectId; readonly request: unknown },
  deps: EstimateDeps,
): Promise<Estimate> {
  const read = readEstimate(request, (await deps.meters.newest(project)).meters);
  const { options, meters } = read;
  if (read.inline === null && read.stored === null && options.customer !== undefined) {
    const { customer, period, at, bills } = options;
    return customerEstimate({ project, customer, period, at, currency: read.currency, bills }, deps.preview);
  }
  const plan = await planOf(project, read, deps);
  const timeZone = options.timeZone ?? (await zoneOf(project, options, deps));
  const period = periodOfEstimate(options, plan, { timeZone, now: deps.clock.now() });
  const service = serviceOfEstimate(options.service, period, 'service');
  const counted = await countedUsage(project, options, { service, terms: usageTerms(meters, period) }, deps);
  const { bills, conversion, share } = options;
  const priced = withContract(plan, options.contract, { meters, period });
  const terms = { ...priced, meters, period, bills, conversion, share };
  const rated = rateSpan({
    ...terms,
    service,
    slices: [...counted, ...slicesOf(options, meters, { service, period })],
  });
  return {
    currency: billedIn(terms),
    period,
    service,
    ...rated,
    adjustments: adjustmentsOf(options, terms, rated.lines),
  };
}

interface Terms {
  readonly plan: PlanVersion;
  readonly sources?: RatingInput['sources'];
  readonly meters: readonly Meter[];
  readonly period: BillingPeriod;
  readonly bills: RatingInput['bills'];
  readonly conversion: RatingInput['conversion'];
  readonly share: EstimateOptions['share'];
}

function billedIn({ plan, conversion }: Terms): Currency {
  return conversion?.currency ?? plan.currency;
}

/** The span that period amounts are counted for, where it is not the service. */
function shareOf({ share, period }: Terms, { start }: Span): Span | undefined {
  if (share === 'whole') return { start: period.start, end: period.end };
  return share === 'none' ? { start, end: start } : undefined;
}

/** Fees in advance of the period and what is due once it has closed, as the two invoices that bill them would rate them. */
function rateSpan(input: Terms & { readonly service: Span; readonly slices: readonly UsageSlice[] }) {
  const sides = input.bills === undefined ? (['advance', 'arrears'] as const) : [input.bills];
  const services = sides.map((bills) => ({
    input: { ...input, subscription: SUBSCRIPTION, bills, share: shareOf(input, input.service) },
    views: [],
  }));
  return rateEvidence({ subject: { currency: billedIn(input) }, services, earlier: [] });
}

function adjustmentsOf(
  { billed }: EstimateOptions,
  terms: Terms,
  current: readonly InvoiceLine[],
): readonly InvoiceLine[] | null {
  if (billed === undefined) return null;
  const { meters, period } = terms;
  const service = serviceOfEstimate(billed.service, period, 'billed.service');
  const usage: HypotheticalUsage = billed;
  const share = billed.share ?? terms.share;
  const { lines } = rateSpan({ ...terms, share, service, slices: slicesOf(usage, meters, { service, period }) });
  return reRate({ currency: billedIn(terms), period: period.key, current, billed: lines });
}

async function planOf(project: ProjectId, read: ReadEstimate, deps: EstimateDeps): Promise<PlanVersion> {
  if (read.inline !== null) return read.inline;
  const { planVersion } = read.options;
  const key = read.stored ?? '';
  const found =
    planVersion === undefined
      ? await deps.plans.newest(project, key)
      : await deps.plans.find(project, key, planVersion);
  if (found) return found;
  const version = planVersion === undefined ? '' : `, version ${planVersion},`;
  throw notFound('plan_not_found', `No plan ${key.slice(0, 80)}${version} in this project.`);
}

async function zoneOf(project: ProjectId, { customer }: EstimateOptions, deps: EstimateDeps): Promise<string> {
  if (customer === undefined) return 'UTC';
  const found = await deps.customers.find(project, customer);
  if (found) return found.customer.timeZone;
  throw notFound('customer_not_found', `No customer ${customer.slice(0, 64)} in this project.`);
}

async function countedUsage(
  project: ProjectId,
  { customer }: EstimateOptions,
  { service, terms }: { readonly service: Span; readonly terms: UsageTerms },
  deps: EstimateDeps,
): Promise<readonly UsageSlice[]> {
  if (customer === undefined) return [];
  return (await deps.usage.read({ project, customer, from: service.start, to: service.end, ...terms })).slices;
}
