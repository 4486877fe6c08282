import { expect, test } from 'vitest';
import {
  type BillingCycle,
  billingCycleOf,
  billingPeriodAt,
  nextBillingPeriod,
  parseBillingPeriod,
  previousBillingPeriod,
} from '../../../core/time/billing-period.ts';
import { instantFromMillis, millisOf, parseInstant } from '../../../core/time/instant.ts';
import { type Interval, intervalSchema, intervalText, isSameInterval } from '../../../core/time/interval.ts';

const at = parseInstant;

test.each([
  // days: Berlin loses an hour on 29 March 2026 and gains one on 25 October
  ['UTC', 'day', '2026-11-21', '2026-11-21T00:00:00.000Z', '2026-11-22T00:00:00.000Z'],
  ['UTC', 'day', '2028-02-29', '2028-02-29T00:00:00.000Z', '2028-03-01T00:00:00.000Z'],
  ['UTC', 'day', '2026-12-31', '2026-12-31T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
  ['Europe/Berlin', 'day', '2026-03-29', '2026-03-28T23:00:00.000Z', '2026-03-29T22:00:00.000Z'],
  ['Europe/Berlin', 'day', '2026-10-25', '2026-10-24T22:00:00.000Z', '2026-10-25T23:00:00.000Z'],
  // New York on 8 March and 1 November 2026
  ['America/New_York', 'day', '2026-03-08', '2026-03-08T05:00:00.000Z', '2026-03-09T04:00:00.000Z'],
  ['America/New_York', 'day', '2026-11-01', '2026-11-01T04:00:00.000Z', '2026-11-02T05:00:00.000Z'],
  // Lord Howe: half an hour, +10:30 and +11
  ['Australia/Lord_Howe', 'day', '2026-10-04', '2026-10-03T13:30:00.000Z', '2026-10-04T13:00:00.000Z'],
  ['Australia/Lord_Howe', 'day', '2026-04-05', '2026-04-04T13:00:00.000Z', '2026-04-05T13:30:00.000Z'],
  ['Asia/Kolkata', 'day', '2026-11-21', '2026-11-20T18:30:00.000Z', '2026-11-21T18:30:00.000Z'],
  ['Asia/Kathmandu', 'day', '2026-11-21', '2026-11-20T18:15:00.000Z', '2026-11-21T18:15:00.000Z'],
  // midnights that do not exist: clocks went from 00:00 to 01:00
  ['America/Sao_Paulo', 'day', '2018-11-04', '2018-11-04T03:00:00.000Z', '2018-11-05T02:00:00.000Z'],
  ['Asia/Beirut', 'day', '2026-03-29', '2026-03-28T22:00:00.000Z', '2026-03-29T21:00:00.000Z'],
  // Apia had no 30 December 2011: -10 until midnight of the 29th, +14 after it
  ['Pacific/Apia', 'day', '2011-12-29', '2011-12-29T10:00:00.000Z', '2011-12-30T10:00:00.000Z'],
  ['Pacific/Apia', 'day', '2011-12-31', '2011-12-30T10:00:00.000Z', '2011-12-31T10:00:00.000Z'],
  ['Pacific/Apia', 'week', '2011-W52', '2011-12-26T10:00:00.000Z', '2012-01-01T10:00:00.000Z'],
  ['Pacific/Apia', 'month', '2011-12', '2011-12-01T10:00:00.000Z', '2011-12-31T10:00:00.000Z'],
  // St. John's went from 00:01 back to 23:01 on 1 November 2009: the day had begun and does not begin again
  ['America/St_Johns', 'day', '2009-10-31', '2009-10-31T02:30:00.000Z', '2009-11-01T02:30:00.000Z'],
  ['America/St_Johns', 'day', '2009-11-01', '2009-11-01T02:30:00.000Z', '2009-11-02T03:30:00.000Z'],
  ['America/St_Johns', 'month', '2009-10', '2009-10-01T02:30:00.000Z', '2009-11-01T02:30:00.000Z'],
  // weeks begin on Monday and carry the ISO year of their Thursday
  ['UTC', 'week', '2026-W47', '2026-11-16T00:00:00.000Z', '2026-11-23T00:00:00.000Z'],
  ['UTC', 'week', '2026-W01', '2025-12-29T00:00:00.000Z', '2026-01-05T00:00:00.000Z'],
  ['UTC', 'week', '2026-W53', '2026-12-28T00:00:00.000Z', '2027-01-04T00:00:00.000Z'],
  ['UTC', 'week', '2027-W01', '2027-01-04T00:00:00.000Z', '2027-01-11T00:00:00.000Z'],
  ['America/New_York', 'week', '2026-W44', '2026-10-26T04:00:00.000Z', '2026-11-02T05:00:00.000Z'],
  ['Asia/Kolkata', 'week', '2026-W47', '2026-11-15T18:30:00.000Z', '2026-11-22T18:30:00.000Z'],
  ['UTC', 'quarter', '2026-Q4', '2026-10-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
  ['UTC', 'quarter', '2028-Q1', '2028-01-01T00:00:00.000Z', '2028-04-01T00:00:00.000Z'],
  ['Europe/Berlin', 'quarter', '2026-Q4', '2026-09-30T22:00:00.000Z', '2026-12-31T23:00:00.000Z'],
  ['Australia/Lord_Howe', 'quarter', '2026-Q2', '2026-03-31T13:00:00.000Z', '2026-06-30T13:30:00.000Z'],
  ['Asia/Kathmandu', 'quarter', '2027-Q1', '2026-12-31T18:15:00.000Z', '2027-03-31T18:15:00.000Z'],
  ['UTC', 'year', '2028', '2028-01-01T00:00:00.000Z', '2029-01-01T00:00:00.000Z'],
  ['Asia/Kolkata', 'year', '2026', '2025-12-31T18:30:00.000Z', '2026-12-31T18:30:00.000Z'],
  ['America/New_York', 'year', '2026', '2026-01-01T05:00:00.000Z', '2027-01-01T05:00:00.000Z'],
] as const)('in %s the %s %s is [%s, %s)', (timeZone, interval, key, ...bounds) => {
  const [start = '', end = ''] = bounds;
  const cycle: BillingCycle = { billing: 'calendar', interval, timeZone };
  const period = { key, start, end, timeZone };
  expect(parseBillingPeriod(key, timeZone)).toEqual(period);
  expect(billingPeriodAt(at(start), cycle)).toEqual(period);
  const quarterHours = (millisOf(at(end)) - millisOf(at(start))) / 900_000;
  const lastHours = Array.from({ length: Math.min(quarterHours, 12) }, (_, i) => millisOf(at(end)) - 1 - i * 900_000);
  for (const millis of lastHours) expect(billingPeriodAt(instantFromMillis(millis), cycle).key).toBe(key);
  expect(billingPeriodAt(at(end), cycle).start).toBe(end);
  expect(previousBillingPeriod(nextBillingPeriod(period as never, cycle), cycle)).toEqual(period);
});

const EVERY_10: Interval = { days: 10 };

test.each<[Interval, string, string[]]>([
  // years from 29 February: the 28th in other years, and back to the 29th
  [
    'year',
    '2028-02-29T00:00:00Z',
    [
      '2028-02-29_2029-02-28',
      '2029-02-28_2030-02-28',
      '2030-02-28_2031-02-28',
      '2031-02-28_2032-02-29',
      '2032-02-29_2033-02-28',
    ],
  ],
  ['year', '2027-03-01T00:00:00Z', ['2027-03-01_2028-03-01', '2028-03-01_2029-03-01']],
  ['year', '2026-01-01T00:00:00Z', ['2026', '2027', '2028']],
  // quarters from 29 February, and from the 30th and 31st
  ['quarter', '2028-02-29T00:00:00Z', ['2028-02-29_2028-05-29', '2028-05-29_2028-08-29', '2028-08-29_2028-11-29']],
  ['quarter', '2027-11-29T00:00:00Z', ['2027-11-29_2028-02-29', '2028-02-29_2028-05-29']],
  ['quarter', '2026-11-30T00:00:00Z', ['2026-11-30_2027-02-28', '2027-02-28_2027-05-30', '2027-05-30_2027-08-30']],
  ['quarter', '2026-01-31T00:00:00Z', ['2026-01-31_2026-04-30', '2026-04-30_2026-07-31', '2026-07-31_2026-10-31']],
  ['quarter', '2026-10-01T00:00:00Z', ['2026-Q4', '2027-Q1']],
  ['quarter', '2026-11-01T00:00:00Z', ['2026-11-01_2027-02-01', '2027-02-01_2027-05-01']],
  ['week', '2026-11-18T12:00:00Z', ['2026-11-18_2026-11-25', '2026-11-25_2026-12-02']],
  ['week', '2026-11-16T00:00:00Z', ['2026-W47', '2026-W48']],
  ['day', '2026-11-21T10:15:00Z', ['2026-11-21', '2026-11-22']],
  [EVERY_10, '2026-11-21T10:15:00Z', ['2026-11-21_2026-12-01', '2026-12-01_2026-12-11', '2026-12-11_2026-12-21']],
  [EVERY_10, '2028-02-25T00:00:00Z', ['2028-02-25_2028-03-06', '2028-03-06_2028-03-16']],
  // the same dates have the same key, whichever cycle they come from
  [{ days: 30 }, '2026-11-01T00:00:00Z', ['2026-11', '2026-12-01_2026-12-31', '2026-12-31_2027-01-30']],
  [{ days: 7 }, '2026-11-16T00:00:00Z', ['2026-W47']],
  [{ days: 1 }, '2026-11-16T00:00:00Z', ['2026-11-16', '2026-11-17']],
  [{ days: 366 }, '2028-01-01T00:00:00Z', ['2028', '2029-01-01_2030-01-02']],
])('every %j from %s is %j', (interval, start, keys) => {
  const cycle = billingCycleOf({ billing: 'anniversary', interval, start: at(start) }, 'UTC');
  const seen = [billingPeriodAt(at(start), cycle)];
  for (let last = seen[0]; last && seen.length < keys.length; last = seen.at(-1)) {
    const next = nextBillingPeriod(last, cycle);
    expect(next.start).toBe(last.end);
    expect(previousBillingPeriod(next, cycle)).toEqual(last);
    expect(parseBillingPeriod(next.key, 'UTC')).toEqual(next);
    seen.push(next);
  }
  expect(seen.map(({ key }) => key)).toEqual(keys);
});

test.each([
  [EVERY_10, '2026-11-20T23:59:59.999Z', '2026-11-11_2026-11-21'],
  [EVERY_10, '2026-11-11T00:00:00Z', '2026-11-11_2026-11-21'],
  [EVERY_10, '2026-11-10T23:45:00Z', '2026-11-01_2026-11-11'],
  ['quarter', '2026-11-20T00:00:00Z', '2026-08-21_2026-11-21'],
  ['year', '2025-11-20T00:00:00Z', '2024-11-21_2025-11-21'],
] as const)('a cycle of %j reaches back before its anchor: %s lies in %s', (interval, instant, key) => {
  const cycle = billingCycleOf({ billing: 'anniversary', interval, start: at('2026-11-21T10:15:00Z') }, 'UTC');
  expect(billingPeriodAt(at(instant), cycle).key).toBe(key);
});

test('every 10 days count the dates of the customer’s calendar', () => {
  // 2026-11-20T20:00Z is the 21st in Kolkata
  const cycle = billingCycleOf(
    { billing: 'anniversary', interval: EVERY_10, start: at('2026-11-20T20:00:00Z') },
    'Asia/Kolkata',
  );
  expect(billingPeriodAt(at('2026-11-30T18:29:59.999Z'), cycle)).toEqual({
    key: '2026-11-21_2026-12-01',
    start: '2026-11-20T18:30:00.000Z',
    end: '2026-11-30T18:30:00.000Z',
    timeZone: 'Asia/Kolkata',
  });
});

test('an anniversary on a date that the zone skipped falls on the next one', () => {
  const cycle = billingCycleOf(
    { billing: 'anniversary', interval: 'month', start: at('2011-10-30T18:00:00Z') },
    'Pacific/Apia',
  );
  const november = billingPeriodAt(at('2011-12-30T09:59:59.999Z'), cycle);
  expect(november).toMatchObject({ key: '2011-11-30_2011-12-30', end: '2011-12-30T10:00:00.000Z' });
  expect(nextBillingPeriod(november, cycle)).toMatchObject({
    key: '2011-12-30_2012-01-30',
    start: '2011-12-30T10:00:00.000Z',
  });
});

test('every N days by the calendar is refused: no calendar says where they begin', () => {
  const start = at('2026-11-21T10:15:00Z');
  expect(() => billingCycleOf({ billing: 'calendar', interval: EVERY_10, start }, 'UTC')).toThrow(
    expect.objectContaining({ kind: 'invalid', code: 'billing_unsupported' }),
  );
  expect(() => billingCycleOf({ billing: 'calendar', interval: EVERY_10, start }, 'UTC')).toThrow(
    'Got billing "calendar" with an interval of 10 days; expected "anniversary": the calendar does not say where such periods begin.',
  );
});

test('an interval is one of five words or 1 to 366 days', () => {
  for (const interval of ['day', 'week', 'month', 'quarter', 'year', { days: 1 }, { days: 10 }, { days: 366 }]) {
    expect(intervalSchema.parse(interval)).toEqual(interval);
  }
  for (const other of [
    'days',
    'biweekly',
    '',
    30,
    null,
    {},
    { days: 0 },
    { days: 367 },
    { days: 1.5 },
    { days: '10' },
  ]) {
    expect(intervalSchema.safeParse(other).success).toBe(false);
  }
  expect(intervalSchema.safeParse({ days: 10, weeks: 1 }).success).toBe(false);
});

test('intervals are the same when they are written alike', () => {
  expect([isSameInterval('week', 'week'), isSameInterval(EVERY_10, { days: 10 })]).toEqual([true, true]);
  expect([isSameInterval('week', { days: 7 }), isSameInterval(EVERY_10, { days: 11 })]).toEqual([false, false]);
  expect([intervalText('quarter'), intervalText({ days: 1 }), intervalText(EVERY_10)]).toEqual([
    'quarter',
    '1 day',
    '10 days',
  ]);
});
