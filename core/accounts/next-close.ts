import { type BillingPeriod, billingCycleOf, billingPeriodAt } from '../time/billing-period.ts';
import { earlierOf, type Instant, laterOf } from '../time/instant.ts';
import { nextActiveAt, type Segment, segmentsIn } from './segments.ts';
import type { Subscription } from './subscription.ts';

/** What of a subscription says what is billed next. */
export type Billable = Pick<
  Subscription,
  'start' | 'end' | 'interval' | 'billing' | 'billedThrough' | 'advanceThrough' | 'phases'
>;

/** What a subscription has to be billed next: a billing period of its cycle, and the parts of it in which the subscription bills. */
export interface NextService {
  readonly period: BillingPeriod;
  /** In order, within the period; none where the period only gives back fees that were paid in advance. */
  readonly segments: readonly Segment[];
  /** Where the subscription is billed through once this is billed: the period's end, or its own if that is earlier. */
  readonly end: Instant;
}

/**
 * The earliest period with something that is not billed yet; null when nothing is left, or nothing is known to come: the
 * subscription has ended, or it is paused with no resumption set. Periods that lie wholly in a trial or a pause have nothing to
 * bill and are passed over, unless their fees were paid in advance; the invoice after them moves `billedThrough` across.
 */
export function nextService(subscription: Billable, timeZone: string): NextService | null {
  const { advanceThrough } = subscription;
  const from = laterOf(subscription.billedThrough, subscription.start);
  const isPaidAhead = advanceThrough !== undefined && advanceThrough > from;
  const first = isPaidAhead ? from : nextActiveAt(subscription, from);
  if (first === null) return null;
  const period = billingPeriodAt(first, billingCycleOf(subscription, timeZone));
  const end = subscription.end === null ? period.end : earlierOf(period.end, subscription.end);
  return { period, segments: segmentsIn(subscription, { start: laterOf(from, period.start), end }), end };
}

/**
 * When fees in advance of the next service are due although no invoice of an earlier period billed them: where it begins, for
 * the first service and the one after a longer pause. Null when they are billed, or the plan has none.
 */
export function opensAt(subscription: Billable, timeZone: string): Instant | null {
  const { advanceThrough } = subscription;
  if (advanceThrough === undefined) return null;
  const start = nextService(subscription, timeZone)?.segments[0]?.start;
  return start !== undefined && advanceThrough <= start ? start : null;
}

/** The subscription once the fees in advance of its next service are billed by themselves. */
export function afterOpening<S extends Billable>(subscription: S, timeZone: string): S {
  const next = nextService(subscription, timeZone);
  if (next === null) return subscription;
  const billedThrough = laterOf(subscription.billedThrough, next.period.start);
  return { ...subscription, billedThrough, advanceThrough: next.period.end };
}

/**
 * The subscription once a service is billed, and with it the fees in advance of the period that follows. Where the subscription
 * is then paused, they wait for the opening of what comes after.
 */
export function afterService<S extends Billable>(subscription: S, billedThrough: Instant, timeZone: string): S {
  const billed: S = { ...subscription, billedThrough, advanceThrough: undefined };
  if (subscription.advanceThrough === undefined) return billed;
  const following = adjacentService(billed, timeZone);
  if (following !== null) return { ...billed, advanceThrough: following.period.end };
  const isOver = subscription.end !== null && billedThrough >= subscription.end;
  return isOver ? billed : { ...billed, advanceThrough: billedThrough };
}

/** The next service if its period is the one that begins where the subscription is billed through. */
export function adjacentService(subscription: Billable, timeZone: string): NextService | null {
  const next = nextService(subscription, timeZone);
  return next !== null && next.period.start <= subscription.billedThrough ? next : null;
}

/**
 * When a subscription is to be billed next (`closesAt`): the end of the whole billing period even if the subscription ends
 * within it, so that one invoice holds all of an account's period; or where fees in advance are due before. Null when nothing
 * is left to bill.
 */
export function nextClose(subscription: Billable, timeZone: string): Instant | null {
  return opensAt(subscription, timeZone) ?? nextService(subscription, timeZone)?.period.end ?? null;
}
