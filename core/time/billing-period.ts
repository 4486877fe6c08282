import { Temporal } from 'temporal-polyfill';
import { BillingError, invalid } from '../errors.ts';
import { type Instant, instantFromMillis, millisOf } from './instant.ts';
import { type CalendarInterval, type Interval, intervalStep, intervalText } from './interval-step.ts';
import { localDate, startOfLocalDay } from './local-day.ts';
import { type PeriodDates, parsePeriodKey, periodInvalid, periodKey } from './period-key.ts';

/**
 * A billing period: the half-open span `[start, end)` between the starts of two local days of the customer's time zone. Its
 * key names it exactly within that zone (period-key.ts).
 */
export interface BillingPeriod {
  readonly key: string;
  readonly start: Instant;
  readonly end: Instant;
  /** IANA name. */
  readonly timeZone: string;
}

/** What decides where periods begin: the calendar, or the interval counted from the local date of `anchor`. */
export type BillingCycle =
  | { readonly billing: 'calendar'; readonly interval: CalendarInterval; readonly timeZone: string }
  | {
      readonly billing: 'anniversary';
      readonly interval: Interval;
      readonly timeZone: string;
      readonly anchor: Instant;
    };

/** A Monday and 1 January: every interval of the calendar begins here, so the calendar is the anniversary of this date. */
const CALENDAR_ORIGIN = Temporal.PlainDate.from('2001-01-01');

/**
 * The cycle of a subscription whose customer lives in `timeZone`. Throws `invalid` (code `billing_unsupported`) for every N
 * days by the calendar: no calendar says where the first of them begins.
 */
export function billingCycleOf(
  subscription: {
    readonly billing: 'calendar' | 'anniversary';
    readonly interval: Interval;
    readonly start: Instant;
  },
  timeZone: string,
): BillingCycle {
  const { billing, interval, start } = subscription;
  if (billing === 'anniversary') return { billing, interval, timeZone, anchor: start };
  if (typeof interval === 'string') return { billing, interval, timeZone };
  throw invalid(
    'billing_unsupported',
    `Got billing "calendar" with an interval of ${intervalText(interval)}; expected "anniversary": the calendar does not say where such periods begin.`,
  );
}

/** The period of the cycle that holds `at`; an instant on a boundary belongs to the later period. */
export function billingPeriodAt(at: Instant, cycle: BillingCycle): BillingPeriod {
  const date = localDate(at, cycle.timeZone);
  const anchor = cycle.billing === 'calendar' ? CALENDAR_ORIGIN : localDate(cycle.anchor, cycle.timeZone);
  return periodOfDates(datesAround(date, anchor, cycle.interval), cycle.timeZone);
}

export function nextBillingPeriod(period: BillingPeriod, cycle: BillingCycle): BillingPeriod {
  return billingPeriodAt(period.end, cycle);
}

export function previousBillingPeriod(period: BillingPeriod, cycle: BillingCycle): BillingPeriod {
  return billingPeriodAt(instantFromMillis(millisOf(period.start) - 1), cycle);
}

/**
 * The period a key names in a time zone; the inverse of `period.key`. Throws `invalid` (code `period_invalid`), also for a
 * day that the zone skipped and for years before 1970 or after 2199.
 */
export function parseBillingPeriod(key: string, timeZone: string): BillingPeriod {
  const period = withinTime(key, () => periodOfDates(parsePeriodKey(key), timeZone));
  if (period.start < period.end) return period;
  throw periodInvalid(key);
}

/** When the period of a key ends in a time zone, even where the zone skipped all of it. Throws like `parseBillingPeriod`. */
export function endOfBillingPeriod(key: string, timeZone: string): Instant {
  return withinTime(key, () => startOfLocalDay(parsePeriodKey(key).next, timeZone));
}

/** Always counted from the anchor, never from the boundary before: 31 January, 28 February, 31 March. */
function datesAround(date: Temporal.PlainDate, anchor: Temporal.PlainDate, interval: Interval): PeriodDates {
  const step = intervalStep(interval);
  if ('days' in step) {
    const elapsed = anchor.until(date, { largestUnit: 'days' }).days;
    const first = anchor.add({ days: Math.floor(elapsed / step.days) * step.days });
    return { first, next: first.add({ days: step.days }) };
  }
  const elapsed = (date.year - anchor.year) * 12 + (date.month - anchor.month);
  const reached = Math.floor(elapsed / step.months) * step.months;
  const isBefore = Temporal.PlainDate.compare(date, anchor.add({ months: reached })) < 0;
  const months = isBefore ? reached - step.months : reached;
  return { first: anchor.add({ months }), next: anchor.add({ months: months + step.months }) };
}

function periodOfDates(dates: PeriodDates, timeZone: string): BillingPeriod {
  return {
    key: periodKey(dates),
    start: startOfLocalDay(dates.first, timeZone),
    end: startOfLocalDay(dates.next, timeZone),
    timeZone,
  };
}

/** A key whose instants lie outside the product's time is a wrong key, not a wrong instant. */
function withinTime<T>(key: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof BillingError && error.code === 'instant_invalid' ? periodInvalid(key) : error;
  }
}
