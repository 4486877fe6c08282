import { billingAccountOf } from '../accounts/customer.ts';
import { nextService } from '../accounts/next-close.ts';
import { firstPlanOf } from '../accounts/phase.ts';
import { billedCurrency, type Subscription } from '../accounts/subscription.ts';
import { conflict, notFound } from '../errors.ts';
import type { CustomerId, ProjectId } from '../ids.ts';
import type { Currency } from '../money/currency.ts';
import { type BillingPeriod, billingCycleOf, billingPeriodAt, parseBillingPeriod } from '../time/billing-period.ts';
import type { Clock } from '../time/clock.ts';
import { earlierOf, laterOf } from '../time/instant.ts';
import { issuedFor } from './account-ledger.ts';
import { type AccountState, asIfIssued, closesAfter, dueServices, openAccount } from './account-state.ts';
import { type DraftPeriodDeps, draftPeriod } from './draft-period.ts';
import type { Invoice } from './invoice.ts';
import type { EvidenceStore, LedgerReads } from './ports.ts';

export interface PreviewInput {
  readonly project: ProjectId;
  readonly customer: CustomerId;
  /** Key of a billing period, such as `2026-11`; the earliest that is not billed when absent, open or closed. */
  readonly period?: string | undefined;
}

export type PreviewDeps = Omit<DraftPeriodDeps, 'evidence' | 'ledger'> & {
  readonly ledger: LedgerReads;
  readonly clock: Clock;
};

/** Rating puts its evidence here in a preview: nowhere. */
const KEEPS_NOTHING: EvidenceStore = { putOnce: async () => undefined };

/**
 * The invoices the customer would get for a period, one per currency (and before it the opening invoice where fees in advance are
 * due and not billed), from the usage counted so far: the very rating of a billing run, with a store that keeps nothing. Writes nothing. Throws `customer_not_found`, `period_invalid`, or
 * `nothing_to_bill` when no subscription has anything unbilled in the period.
 */
export async function previewInvoices(input: PreviewInput, deps: PreviewDeps): Promise<readonly Invoice[]> {
  const { project, customer } = input;
  const previews: Invoice[] = [];
  for (const currency of await currenciesOf(input, deps)) {
    const row = { account: billingAccountOf(customer, currency), customer, currency };
    const account = await openAccount(project, row, deps);
    const period = periodOf(account, input.period);
    if (period !== null) previews.push(...(await previewPeriod(input, account, period, deps)));
  }
  if (previews.length > 0) return previews;
  const what = input.period === undefined ? 'any period' : `the period ${input.period}`;
  throw conflict('nothing_to_bill', `No subscription of this customer has anything unbilled in ${what}.`);
}

/** The currencies that the customer's subscriptions are billed in. Throws `customer_not_found`. */
export async function currenciesOf(
  { project, customer }: PreviewInput,
  deps: PreviewDeps,
): Promise<readonly Currency[]> {
  if ((await deps.reads.customer(project, customer)) === null) {
    throw notFound('customer_not_found', `No customer ${customer.slice(0, 64)} in this project.`);
  }
  const currencies = new Set<Currency>();
  for (const { subscription } of await deps.reads.subscriptionsOf(project, customer)) {
    const first = firstPlanOf(subscription);
    const plan = await deps.reads.planVersion(project, first.plan, first.planVersion);
    if (plan !== null) currencies.add(billedCurrency(subscription, plan));
  }
  return [...currencies].toSorted();
}

function periodOf(account: AccountState, key: string | undefined): BillingPeriod | null {
  const { timeZone } = account.customer;
  if (key !== undefined) return parseBillingPeriod(key, timeZone);
  const periods = account.subscriptions.flatMap(
    ({ subscription }) => nextService(subscription, timeZone)?.period ?? [],
  );
  return periods.toSorted((a, b) => (a.end < b.end ? -1 : 1))[0] ?? null;
}

/**
 * The opening of the period where one is due, and its regular invoice as if that were issued. Of a period that lies ahead the fees in
 * advance are taken as billed by the invoice before it, which is not shown.
 */
async function previewPeriod(
  { project }: PreviewInput,
  account: AccountState,
  period: BillingPeriod,
  deps: PreviewDeps,
): Promise<readonly Invoice[]> {
  const { timeZone } = account.customer;
  const before = account.subscriptions;
  account.subscriptions = before.map((stored) => ({
    ...stored,
    subscription: billedUpTo(stored.subscription, period, timeZone),
  }));
  const isAhead = account.subscriptions.some(({ subscription }, n) => subscription !== before[n]?.subscription);
  const previews: Invoice[] = [];
  for (const purpose of ['opening', 'period'] as const) {
    const services = dueServices(account, { purpose, key: period.key }, period.end);
    if (services.length === 0) continue;
    const { currency, head, pending, customer } = account;
    const drafted = await draftPeriod(
      {
        subject: {
          project,
          customer: customer.id,
          account: billingAccountOf(customer.id, currency),
          currency,
          period,
          purpose,
          ordinal: issuedFor(head, period.key, purpose) + 1,
        },
        services,
        head,
        pending,
        closesAt: closesAfter(account, purpose, services),
        draftedAt: deps.clock.now(),
      },
      { ...deps, evidence: KEEPS_NOTHING },
    );
    if (purpose === 'period' || !isAhead) previews.push(drafted.invoice);
    asIfIssued(account, drafted);
  }
  return previews;
}

/** The subscription as it will be once every service before the period is billed. */
function billedUpTo(subscription: Subscription, period: BillingPeriod, timeZone: string): Subscription {
  if (period.start <= subscription.billedThrough) return subscription;
  const { start } = billingPeriodAt(period.start, billingCycleOf(subscription, timeZone));
  const end = subscription.end === null ? start : earlierOf(start, subscription.end);
  const billedThrough = laterOf(subscription.billedThrough, end);
  const { advanceThrough } = subscription;
  return { ...subscription, billedThrough, ...(advanceThrough && { advanceThrough: billedThrough }) };
}
