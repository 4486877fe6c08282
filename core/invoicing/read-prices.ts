import { phaseSpans } from '../accounts/phase.ts';
import { billedCurrency } from '../accounts/subscription.ts';
import type { ContractVersion } from '../catalog/contract.ts';
import { contractForBilled, contractInForce } from '../catalog/contract-in-force.ts';
import type { PlanVersion } from '../catalog/plan.ts';
import { type PriceListVersion, priceListSourceOf } from '../catalog/price-list.ts';
import { invariantBroken, notFound } from '../errors.ts';
import type { ProjectId } from '../ids.ts';
import type { Currency } from '../money/currency.ts';
import { type EffectivePlan, effectivePlan } from '../rating/effective-plan.ts';
import { type ListedSegment, listSpans } from '../rating/list-spans.ts';
import type { Instant } from '../time/instant.ts';
import type { BilledService } from './account-ledger.ts';
import type { InvoiceSubject } from './draft-invoice.ts';
import type { BillingReads } from './ports.ts';

/** The project's price list as the plan of a part of a service. */
export interface ListedService {
  readonly plan: PlanVersion;
  readonly start: Instant;
  readonly end: Instant;
  /** 1, 2 ... within the service. */
  readonly list: number;
}

/**
 * Where the prices of an account's services come from: contract over plan, and the price list for what no plan prices. A service
 * about to be billed is `named` with the versions that count now, and the ledger keeps those names: rated again, it is priced by
 * the same versions, whatever was written since, unless a contract says that it corrects.
 */
export interface Prices {
  /**
   * From when on what is billed already may have to be priced again, one instant per cause: a contract that says so and, where the
   * project has a price list, each phase of each of the customer's subscriptions. One that is written afterwards, in whatever
   * currency, may price what the list has billed, or leave to the list what it has not.
   */
  readonly corrections: readonly Instant[];
  /** The services with the versions they are to be billed with. */
  named<S extends BilledService>(services: readonly S[]): Promise<readonly S[]>;
  /** Billed services with the versions they were billed with, or those of a correction. */
  again<S extends BilledService>(services: readonly S[]): Promise<readonly S[]>;
  /** The plan of a service with its contract laid over it, as named. */
  planOf(service: BilledService): Promise<EffectivePlan>;
  /** What the price list bills beside it. Subscriptions as they are now say what no plan prices, so nothing is billed twice. */
  listed(service: BilledService): Promise<readonly ListedService[]>;
}

type Subject = Pick<InvoiceSubject, 'project' | 'customer' | 'currency'>;

/** Reads what prices an account's services; each thing once. */
export async function readPrices(subject: Subject, reads: BillingReads): Promise<Prices> {
  const contracts = await reads.contractsOf(subject.project, subject.customer);
  const plans = planReader(subject.project, reads);
  const lists = listReader(subject.project, reads);
  const segments = once(() => segmentsOf(subject, plans, reads));
  const newestLists = once(() => namesOfLists(subject, segments, reads));
  const phases = (await newestLists()) === null ? [] : await segments();
  return {
    corrections: [...contracts.flatMap(({ correctsFrom }) => correctsFrom ?? []), ...phases.map(({ start }) => start)],
    named: (services) =>
      Promise.all(
        services.map(async (service) => {
          const contract = contractInForce(contracts, { plan: await plans(service), start: service.start });
          const priceLists = await newestLists();
          return { ...withContract(service, contract), ...(priceLists === null ? {} : { priceLists }) };
        }),
      ),
    again: (services) =>
      Promise.all(
        services.map(async (service) => {
          const { start, contract = null } = service;
          return withContract(service, contractForBilled(contracts, { plan: await plans(service), start }, contract));
        }),
      ),
    async planOf(service) {
      return effectivePlan(await plans(service), namedContract(contracts, service));
    },
    async listed(service) {
      const names = Object.entries(service.priceLists ?? {});
      if (names.length === 0) return [];
      const known = await Promise.all(names.map(([currency, version]) => lists(currency as Currency, version)));
      const own = known.find(({ currency }) => currency === subject.currency);
      const plan = await plans(service);
      return listSpans(service, await segments(), known).flatMap(({ start, end, charges }, index) =>
        own === undefined ? [] : [{ plan: listAsPlan(own, charges, plan), start, end, list: index + 1 }],
      );
    },
  };
}

/** The newest price list of every currency the customer is billed in; null where there is none in the account's own. */
async function namesOfLists(
  { project, currency: own }: Subject,
  segments: () => Promise<readonly ListedSegment[]>,
  reads: BillingReads,
): Promise<Partial<Record<Currency, number>> | null> {
  if ((await reads.newestPriceList(project, own)) === null) return null;
  const currencies = [...new Set((await segments()).map(({ currency }) => currency))].sort();
  const newest = await Promise.all(currencies.map((currency) => reads.newestPriceList(project, currency)));
  return Object.fromEntries(newest.flatMap((list) => (list === null ? [] : [[list.currency, list.version]])));
}

function withContract<S extends BilledService>(service: S, contract: ContractVersion | null): S {
  const { contract: _before, ...rest } = service;
  return { ...rest, ...(contract === null ? {} : { contract: { id: contract.id, version: contract.version } }) } as S;
}

function namedContract(contracts: readonly ContractVersion[], { contract }: BilledService): ContractVersion | null {
  if (contract === undefined) return null;
  const found = contracts.find(({ id, version }) => id === contract.id && version === contract.version);
  if (found) return found;
  throw invariantBroken('contract_missing', `The contract ${contract.id}@${contract.version} is not stored.`);
}

/** Rounds and counts days as the customer's plan does. */
function listAsPlan(list: PriceListVersion, charges: PlanVersion['charges'], like: PlanVersion): PlanVersion {
  const { currency, version } = list;
  const { interval, rounding, proration } = like;
  const plan = priceListSourceOf(list).slice(0, -`@${version}`.length);
  return { plan, version, name: 'Price list', currency, interval, charges, rounding, proration };
}

function planReader(project: ProjectId, reads: BillingReads) {
  const known = new Map<string, Promise<PlanVersion | null>>();
  return async ({ plan, planVersion }: Pick<BilledService, 'plan' | 'planVersion'>): Promise<PlanVersion> => {
    const name = `${plan}@${planVersion}`;
    const read = known.get(name) ?? reads.planVersion(project, plan, planVersion);
    known.set(name, read);
    const found = await read;
    if (found === null) throw notFound('plan_version_not_found', `There is no plan version ${name}.`);
    return found;
  };
}

function listReader(project: ProjectId, reads: BillingReads) {
  const known = new Map<string, Promise<PriceListVersion | null>>();
  return async (currency: Currency, version: number): Promise<PriceListVersion> => {
    const name = `${currency}@${version}`;
    const read = known.get(name) ?? reads.priceList(project, currency, version);
    known.set(name, read);
    const found = await read;
    if (found === null) throw invariantBroken('price_list_missing', `The price list ${name} is not stored.`);
    return found;
  };
}

/** Every phase of every subscription of the customer, in whatever currency. */
async function segmentsOf(
  { project, customer }: Subject,
  plans: ReturnType<typeof planReader>,
  reads: BillingReads,
): Promise<readonly ListedSegment[]> {
  const segments: ListedSegment[] = [];
  for (const { subscription } of await reads.subscriptionsOf(project, customer)) {
    for (const { phase, start, end } of phaseSpans(subscription)) {
      const plan = await plans(phase);
      const { charges } = plan;
      const currency = billedCurrency(subscription, plan);
      const meters = charges.flatMap((charge) => (charge.kind === 'usage' ? [charge.meter] : []));
      const { id, start: subscribedAt } = subscription;
      const isActive = phase.state === 'active';
      segments.push({ subscription: id, currency, subscribedAt, start, end, isActive, meters: new Set(meters) });
    }
  }
  return segments;
}

function once<T>(read: () => Promise<T>): () => Promise<T> {
  let reading: Promise<T> | undefined;
  return () => (reading ??= read());
}
