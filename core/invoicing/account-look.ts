import { type Instant, instantFromMillis, millisOf } from '../time/instant.ts';
import type { LedgerHead } from './account-ledger.ts';

/** An event is at most 35 days late when it is sent, and its append at most 29 more; a month's rest is for repairs. */
const LATE_DAYS = 95;
/** Between two looks at an account that may still get something: as often as a month would have billed it. */
const LOOK_DAYS = 30;
/** Where more periods wait for a look than one holds, the others have their turn the next day. */
const NEXT_TURN_DAYS = 1;
/** After the next close of an account with open subscriptions: no look comes before the invoice that makes it needless. */
const SLACK_DAYS = 45;

/**
 * When a run is to look at an account should no invoice come before. One with open subscriptions: well after its next close, which
 * finds the account whose last subscription was ended where it was billed to, so that no further invoice came. One without: each
 * month while a credit is left or usage may still arrive late; then never (undefined).
 */
export function nextLook(account: {
  readonly head: LedgerHead;
  /** The latest next close of the account's open subscriptions; null when all have ended and are billed. */
  readonly closesAt: Instant | null;
  readonly now: Instant;
  /** Not all periods that were to be looked at again found room. */
  readonly isCut?: boolean;
}): Instant | undefined {
  const { head, closesAt, now, isCut = false } = account;
  if (closesAt !== null) return daysAfter(closesAt, SLACK_DAYS);
  const end = head.periods.reduce<Instant | null>(
    (last, period) => (last === null || period.end > last ? period.end : last),
    null,
  );
  const isLateOver = end === null || now >= daysAfter(end, LATE_DAYS);
  if (isLateOver && !head.periods.some(({ isCreditLeft }) => isCreditLeft)) return undefined;
  return daysAfter(now, isCut ? NEXT_TURN_DAYS : LOOK_DAYS);
}

function daysAfter(instant: Instant, days: number): Instant {
  return instantFromMillis(millisOf(instant) + days * 86_400_000);
}
