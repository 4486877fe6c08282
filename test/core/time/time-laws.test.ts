import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Rational } from '../../../core/money/rational.ts';
import {
  type BillingCycle,
  billingCycleOf,
  billingPeriodAt,
  nextBillingPeriod,
  parseBillingPeriod,
  previousBillingPeriod,
} from '../../../core/time/billing-period.ts';
import { type Instant, instantFromMillis, millisOf } from '../../../core/time/instant.ts';
import type { Interval } from '../../../core/time/interval.ts';
import { fractionOf, PRORATION_UNITS, prorationOf } from '../../../core/time/proration.ts';
import { isQuarterHour } from '../../../core/time/quarter-hour.ts';

const QUARTER_HOUR = 900_000;

/** Zones on the hour and off it, with and without summer time, with days skipped, repeated hours and midnights that are not. */
const zones = fc.constantFrom(
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/St_Johns',
  'America/Sao_Paulo',
  'America/Havana',
  'Africa/Cairo',
  'Africa/Casablanca',
  'Asia/Beirut',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Asia/Pyongyang',
  'Australia/Lord_Howe',
  'Pacific/Chatham',
  'Pacific/Apia',
  'Pacific/Kiritimati',
  'Antarctica/Troll',
);

/** Anywhere from 1990 to 2060, and often around the changes of clocks and of February. */
const instants = fc.oneof(
  fc.integer({ min: Date.UTC(1990, 0, 1), max: Date.UTC(2060, 0, 1) }),
  fc
    .tuple(
      fc.constantFrom('2009-11-01', '2011-12-30', '2018-11-04', '2026-03-29', '2026-10-25', '2028-02-29', '1994-12-31'),
      fc.integer({ min: -2 * 96, max: 2 * 96 }),
    )
    .map(([date, quarters]) => Date.parse(date) + quarters * QUARTER_HOUR),
);

const intervals: fc.Arbitrary<Interval> = fc.oneof(
  fc.constantFrom('day' as const, 'week' as const, 'month' as const, 'quarter' as const, 'year' as const),
  fc.integer({ min: 1, max: 366 }).map((days) => ({ days })),
);

const cycles: fc.Arbitrary<BillingCycle> = fc
  .tuple(zones, intervals, instants, fc.boolean())
  .map(([timeZone, interval, anchor, isCalendar]) => {
    const billing = isCalendar && typeof interval === 'string' ? 'calendar' : 'anniversary';
    return billingCycleOf({ billing, interval, start: instantFromMillis(anchor) }, timeZone);
  });

test('periods tile time: every instant lies in exactly one, and each begins where the one before ends', () => {
  fc.assert(
    fc.property(cycles, instants, (cycle, millis) => {
      const instant = instantFromMillis(millis);
      const period = billingPeriodAt(instant, cycle);
      expect(period.start <= instant && instant < period.end).toBe(true);
      const lastInstant = instantFromMillis(millisOf(period.end) - 1);
      expect(billingPeriodAt(period.start, cycle)).toEqual(period);
      expect(billingPeriodAt(lastInstant, cycle)).toEqual(period);
      const next = nextBillingPeriod(period, cycle);
      expect(next.start).toBe(period.end);
      expect(previousBillingPeriod(next, cycle)).toEqual(period);
    }),
    { numRuns: 500 },
  );
});

test('a period’s bounds are quarter hours, and its key names it and nothing else', () => {
  fc.assert(
    fc.property(cycles, instants, (cycle, millis) => {
      const period = billingPeriodAt(instantFromMillis(millis), cycle);
      expect(isQuarterHour(period.start) && isQuarterHour(period.end)).toBe(true);
      expect(parseBillingPeriod(period.key, cycle.timeZone)).toEqual(period);
    }),
    { numRuns: 500 },
  );
});

test('the parts of a period add up to the whole, by day and by second, however it is cut', () => {
  const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 });
  fc.assert(
    fc.property(cycles, instants, cuts, fc.constantFrom(...PRORATION_UNITS), (cycle, millis, shares, unit) => {
      const period = billingPeriodAt(instantFromMillis(millis), cycle);
      const bounds = [period.start, ...shares.map((share) => cutOf(period, share)).sort(), period.end];
      const parts = bounds.slice(1).map((end, i) => prorationOf({ start: bounds[i] ?? end, end }, period, unit));
      const sum = parts.reduce((fractions, part) => fractions.plus(fractionOf(part)), Rational.ZERO);
      expect(sum.toString()).toBe('1');
      expect(parts.every(({ part, whole }) => Number.isInteger(part) && part >= 0 && part <= whole)).toBe(true);
    }),
    { numRuns: 500 },
  );
});

/** A quarter hour within the period. */
function cutOf(period: { start: Instant; end: Instant }, share: number): Instant {
  const quarters = (millisOf(period.end) - millisOf(period.start)) / QUARTER_HOUR;
  return instantFromMillis(millisOf(period.start) + Math.floor(share * quarters) * QUARTER_HOUR);
}
