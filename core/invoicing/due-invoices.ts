import { afterOpening, afterService, nextService, opensAt } from '../accounts/next-close.ts';
import type { Subscription } from '../accounts/subscription.ts';
import { type BillingPeriod, endOfBillingPeriod } from '../time/billing-period.ts';
import type { Instant } from '../time/instant.ts';
import type { InvoicePurpose } from './invoice.ts';

export interface DueInvoice {
  readonly purpose: InvoicePurpose;
  readonly period: BillingPeriod;
}

export interface DueUntil {
  /** Fees in advance that begin at this instant or before are due ... */
  readonly asOf: Instant;
  /** ... and periods that end at this one or before: `asOf` less the grace. */
  readonly closedBy: Instant;
  /** When set, no period that ends after this one; a key such as `2026-11`. */
  readonly through: string | null;
}

/** A customer far behind catches up over several runs: two years of months, or 24 days of days, at a time. */
const MAX_PER_ACCOUNT = 24;

/** What some subscriptions of one account have to be billed, each period once, in the order in which it fell due. */
export function dueInvoices(
  subscriptions: readonly Subscription[],
  timeZone: string,
  until: DueUntil,
): readonly DueInvoice[] {
  const due = new Map<string, DueInvoice & { readonly at: Instant }>();
  for (const subscription of subscriptions) {
    for (const invoice of dueOf(subscription, timeZone, until)) {
      const name = `${invoice.purpose} ${invoice.period.key}`;
      const known = due.get(name);
      if (known === undefined || invoice.at < known.at) due.set(name, invoice);
    }
  }
  return [...due.values()]
    .sort((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1))
    .slice(0, MAX_PER_ACCOUNT)
    .map(({ purpose, period }) => ({ purpose, period }));
}

/** By the instant; at one instant the period that ends comes before the fees of the one that begins. */
function orderOf({ at, purpose, period }: DueInvoice & { readonly at: Instant }): string {
  return `${at} ${purpose === 'period' ? 0 : 1} ${period.key}`;
}

function* dueOf(subscription: Subscription, timeZone: string, { asOf, closedBy, through }: DueUntil) {
  let reached = subscription;
  for (let count = 0; count < MAX_PER_ACCOUNT; count++) {
    const next = nextService(reached, timeZone);
    if (next === null) return;
    const { period } = next;
    const opens = opensAt(reached, timeZone);
    const isDue =
      opens === null
        ? period.end <= closedBy && lastPeriodBy(period, through)
        : opens <= asOf && hasBegun(period, through);
    if (!isDue) return;
    yield { purpose: opens === null ? ('period' as const) : ('opening' as const), period, at: opens ?? period.end };
    reached = opens === null ? afterService(reached, next.end, timeZone) : afterOpening(reached, timeZone);
  }
}

/** Whether a period ends no later than the one `through` names. */
export function lastPeriodBy(period: BillingPeriod, through: string | null): boolean {
  return through === null || period.end <= endOfBillingPeriod(through, period.timeZone);
}

/** Whether a period begins before the one `through` names has ended. */
function hasBegun(period: BillingPeriod, through: string | null): boolean {
  return through === null || period.start < endOfBillingPeriod(through, period.timeZone);
}
