import { invariantBroken } from '../errors.ts';
import { Rational } from '../money/rational.ts';
import type { BillingPeriod } from './billing-period.ts';
import { earlierOf, type Instant, laterOf, millisOf } from './instant.ts';
import { daysBetweenMidnights, startOfDayAt } from './local-day.ts';

/** What a part of a period is counted in; a plan's option `proration`. */
export const PRORATION_UNITS = ['day', 'second'] as const;
export type ProrationUnit = (typeof PRORATION_UNITS)[number];

/** What is billed of a full period, both counted in `unit`: whole numbers, `part` from 0 to `whole`. */
export interface Proration {
  readonly part: number;
  readonly whole: number;
  readonly unit: ProrationUnit;
}

/**
 * How much of the period a span within it is. By day: calendar days of the customer's zone, half-open: the day a span begins
 * counts whole, the day it ends not at all, because the day of a change belongs to what follows; a day of 23 or 25 hours is
 * one day. By second: the seconds that passed, so an hour lost to summer time makes the whole shorter.
 * The parts of a period cut anywhere add up to the whole. Throws `invariant-broken` (code `span_outside_period`).
 */
export function prorationOf(
  span: { readonly start: Instant; readonly end: Instant },
  period: BillingPeriod,
  unit: ProrationUnit = 'day',
): Proration {
  if (span.start > span.end || span.start < period.start || span.end > period.end) {
    throw invariantBroken(
      'span_outside_period',
      `Got the span ${span.start} to ${span.end}; expected one within ${period.start} to ${period.end}.`,
    );
  }
  if (unit === 'second') {
    return { part: secondsBetween(span.start, span.end), whole: secondsBetween(period.start, period.end), unit };
  }
  const whole = daysBetweenMidnights(period.start, period.end);
  if (span.start === period.start && span.end === period.end) return { part: whole, whole, unit };
  // the period's bounds are starts of days already
  const start = span.start === period.start ? period.start : startOfDayAt(span.start, period.timeZone);
  const end = span.end === period.end ? period.end : startOfDayAt(span.end, period.timeZone);
  return { part: daysBetweenMidnights(start, end), whole, unit };
}

export function isWhole(proration: Proration): boolean {
  return proration.part === proration.whole;
}

export function fractionOf(proration: Proration): Rational {
  return Rational.of(BigInt(proration.part), BigInt(proration.whole));
}

/** The `fraction` of a line's row, as it was counted: "17/30", or "1468800/2592000" by second; null for a full period. */
export function fractionText(proration: Proration): string | null {
  return isWhole(proration) ? null : `${proration.part}/${proration.whole}`;
}

/** For a row's label: "17/30 days". */
export function prorationText({ part, whole, unit }: Proration): string {
  return `${part}/${whole} ${unit}s`;
}

/** The part of a billing period in which something with a start and an end is active; null when it is not. */
export function activeSpan(
  active: { readonly start: Instant; readonly end: Instant | null },
  period: BillingPeriod,
): { readonly start: Instant; readonly end: Instant } | null {
  const start = laterOf(active.start, period.start);
  const end = active.end === null ? period.end : earlierOf(active.end, period.end);
  return start < end ? { start, end } : null;
}

/** Every bound of a service lies on a quarter hour, so these are whole. */
function secondsBetween(start: Instant, end: Instant): number {
  return (millisOf(end) - millisOf(start)) / 1000;
}
