import { billingAccountOf, type Customer } from '../accounts/customer.ts';
import {
  afterOpening,
  afterService,
  type NextService,
  nextClose,
  nextService,
  opensAt,
} from '../accounts/next-close.ts';
import { firstPlanOf, phaseAt } from '../accounts/phase.ts';
import { billedCurrency, type StoredSubscription } from '../accounts/subscription.ts';
import { invariantBroken, notFound } from '../errors.ts';
import type { CustomerId, ProjectId } from '../ids.ts';
import { type Currency, parseCurrency } from '../money/currency.ts';
import type { Instant } from '../time/instant.ts';
import type { BilledEntry, LedgerHead } from './account-ledger.ts';
import { billedParts } from './billed-parts.ts';
import { type ManifestPeriod, type ManifestRow, NO_CURRENCY } from './billing-run.ts';
import type { DraftedPeriod, DueService } from './draft-period.ts';
import type { BillingReads, LedgerReads } from './ports.ts';

/**
 * Subscriptions whose parts of a period are more than this are billed by a second invoice of the period, in the next run: one
 * transaction has 100 writes. A subscription's own parts are never separated.
 */
const MAX_SERVICES = 50;

/** The account as the drafts of this call will leave it. */
export interface AccountState {
  readonly customer: Customer;
  readonly currency: Currency;
  head: LedgerHead;
  readonly pending: BilledEntry[];
  subscriptions: readonly StoredSubscription[];
}

interface AccountDeps {
  readonly reads: Pick<BillingReads, 'customer' | 'subscriptionsOf' | 'planVersion'>;
  readonly ledger: Pick<LedgerReads, 'head'>;
}

/** Reads who the account is, what it was billed and its subscriptions in its currency. */
export async function openAccount(
  project: ProjectId,
  row: Pick<ManifestRow, 'account' | 'customer' | 'currency'>,
  deps: AccountDeps,
): Promise<AccountState> {
  const id = row.customer as CustomerId;
  const customer = await deps.reads.customer(project, id);
  if (customer === null) throw notFound('customer_not_found', `There is no customer ${row.customer}; create it.`);
  if (row.currency === NO_CURRENCY) {
    throw notFound(
      'plan_version_not_found',
      `A subscription of ${row.customer} names a plan version that is not there, so its currency is unknown.`,
    );
  }
  const currency = parseCurrency(row.currency);
  if (billingAccountOf(id, currency) !== row.account) {
    throw invariantBroken('account_mismatch', `The manifest names ${row.account} for ${row.customer} in ${currency}.`);
  }
  // The head before the subscriptions: an issue in between makes the draft stale, which its own issue then notices.
  const head = await deps.ledger.head(project, row.account);
  const all = await deps.reads.subscriptionsOf(project, id);
  const subscriptions: StoredSubscription[] = [];
  for (const stored of all) {
    const { plan, planVersion } = firstPlanOf(stored.subscription);
    const version = await deps.reads.planVersion(project, plan, planVersion);
    if (version !== null && billedCurrency(stored.subscription, version) === currency) subscriptions.push(stored);
  }
  return { customer, currency, head, pending: [], subscriptions };
}

/**
 * The services of an account that fall due with an invoice: those whose period it is, or for an opening those whose fees in advance
 * are due at `asOf` and not billed. A subscription that has yet to be opened waits for that.
 */
export function dueServices(
  account: AccountState,
  invoice: Pick<ManifestPeriod, 'purpose' | 'key'>,
  asOf: Instant,
): readonly DueService[] {
  const { timeZone } = account.customer;
  const due: DueService[] = [];
  if (invoice.purpose === 'closing') return due;
  for (const stored of account.subscriptions) {
    const { subscription } = stored;
    const next = nextService(subscription, timeZone);
    if (next === null || next.period.key !== invoice.key) continue;
    const opens = opensAt(subscription, timeZone);
    if (invoice.purpose === 'opening' ? opens === null || opens > asOf : opens !== null) continue;
    if (due.length > 0 && due.length + next.segments.length > MAX_SERVICES) break;
    due.push(...partsOf(stored, next));
  }
  return due;
}

/** All parts of a subscription's next period, in order; one without any is empty, and settles what was paid in advance. */
function partsOf(stored: StoredSubscription, { segments, end }: NextService): readonly DueService[] {
  const { subscription } = stored;
  if (segments.length > 0) {
    return billedParts(subscription, segments).map((part) => ({ ...part, stored, billedThrough: end }));
  }
  const { plan, planVersion } = phaseAt(subscription, end);
  return [{ subscription: subscription.id, plan, planVersion, start: end, end, stored, billedThrough: end }];
}

/** The latest next close of the account's subscriptions once `billed` are billed; null when all have ended by then. */
export function closesAfter(
  account: AccountState,
  purpose: ManifestPeriod['purpose'],
  billed: readonly DueService[],
): Instant | null {
  const { timeZone } = account.customer;
  const ends = new Map(billed.map((service) => [service.subscription, service.billedThrough]));
  const closes = account.subscriptions.flatMap(({ subscription }) => {
    const billedThrough = ends.get(subscription.id);
    if (billedThrough === undefined) return nextClose(subscription, timeZone) ?? [];
    if (purpose === 'opening') return nextClose(afterOpening(subscription, timeZone), timeZone) ?? [];
    return nextClose(afterService(subscription, billedThrough, timeZone), timeZone) ?? [];
  });
  return closes.reduce<Instant | null>((last, close) => (last === null || close > last ? close : last), null);
}

/** Moves the account on as if the draft were issued. */
export function asIfIssued(account: AccountState, { basis }: Pick<DraftedPeriod, 'basis'>): void {
  account.head = basis.head;
  account.pending.push(...basis.entries);
  const billed = new Map(basis.subscriptions.map((entry) => [entry.id, entry]));
  account.subscriptions = account.subscriptions.map((stored) => {
    const progress = billed.get(stored.subscription.id);
    if (progress === undefined) return stored;
    const { billedThrough, advanceThrough } = progress;
    return { subscription: { ...stored.subscription, billedThrough, advanceThrough }, version: stored.version + 1 };
  });
}
