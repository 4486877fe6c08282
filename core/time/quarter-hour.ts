import { type Instant, instantFromMillis, millisOf } from './instant.ts';

/** Usage is kept in quarter-hour UTC buckets, so whatever bounds a service period lies on a quarter hour. */
export const QUARTER_HOUR_MILLIS = 900_000;

export function isQuarterHour(instant: Instant): boolean {
  return millisOf(instant) % QUARTER_HOUR_MILLIS === 0;
}

/** The start of the quarter hour that holds the instant: when a change made "now" takes effect. */
export function startOfQuarterHour(instant: Instant): Instant {
  const millis = millisOf(instant);
  return instantFromMillis(millis - (millis % QUARTER_HOUR_MILLIS));
}
