import { Temporal } from 'temporal-polyfill';
import { invalid } from '../errors.ts';
import { type Instant, instantFromMillis, millisOf } from './instant.ts';
import { isQuarterHour } from './quarter-hour.ts';

const DAY_MILLIS = 86_400_000;
const HOUR_MILLIS = 3_600_000;
/** Clocks go back by two hours at most, so a date is read again from 22:00 on at the earliest. */
const EARLIEST_REPEATED_HOUR = 22;

/** Midnight of a local date, or the first instant after it where clocks skipped midnight or the whole date. */
export function startOfLocalDay(date: Temporal.PlainDate, timeZone: string): Instant {
  const start = instantFromMillis(date.toZonedDateTime(timeZone).startOfDay().epochMilliseconds);
  if (isQuarterHour(start)) return start;
  throw invalid(
    'period_boundary_unsupported',
    `Got ${date} in ${timeZone}, which begins at ${start}; expected a day that begins on a quarter hour (all do since 1972).`,
  );
}

/**
 * The date on the customer's calendar at an instant: the last one that has begun. Where clocks went back over midnight, as in
 * St. John's until 2011 (00:01 to 23:01), the repeated hour belongs to the new day, so that days never overlap.
 */
export function localDate(at: Instant, timeZone: string): Temporal.PlainDate {
  const local = Temporal.Instant.fromEpochMilliseconds(millisOf(at)).toZonedDateTimeISO(timeZone);
  const date = local.toPlainDate();
  if (local.hour < EARLIEST_REPEATED_HOUR) return date;
  const next = date.add({ days: 1 });
  return next.toZonedDateTime(timeZone).epochMilliseconds <= millisOf(at) ? next : date;
}

/** The start of the local day that holds an instant. */
export function startOfDayAt(at: Instant, timeZone: string): Instant {
  return startOfLocalDay(localDate(at, timeZone), timeZone);
}

/**
 * How many local days lie between two starts of local days of one zone. Days of 23 or 25 hours count as one (clocks never
 * moved by half a day), and a date that the zone skipped, such as 30 December 2011 in Apia, counts as none: nobody had it.
 */
export function daysBetweenMidnights(start: Instant, end: Instant): number {
  return Math.round((millisOf(end) - millisOf(start)) / DAY_MILLIS);
}

/**
 * The instant `days` (0 or more) days later on the local calendar, at the same time of day; where clocks skipped that time, as
 * much later as they moved.
 */
export function addLocalDays(at: Instant, days: number, timeZone: string): Instant {
  const local = Temporal.Instant.fromEpochMilliseconds(millisOf(at)).toZonedDateTimeISO(timeZone);
  return instantFromMillis(local.add({ days }).epochMilliseconds);
}

/**
 * When the local hour that holds `at` is over: in Kathmandu (+05:45) a quarter past of UTC. Never more than an hour later, so that
 * on Lord Howe Island, whose clocks move by half an hour, one hour of the year is two windows and another a short one.
 */
export function nextLocalHour(at: Instant, timeZone: string): Instant {
  const local = Temporal.Instant.fromEpochMilliseconds(millisOf(at)).toZonedDateTimeISO(timeZone);
  const into = ((local.minute * 60 + local.second) * 1000 + local.millisecond) % HOUR_MILLIS;
  return instantFromMillis(millisOf(at) + HOUR_MILLIS - into);
}
