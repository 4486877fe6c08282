import { expect, test } from 'vitest';
import {
  type BillingCycle,
  billingCycleOf,
  billingPeriodAt,
  nextBillingPeriod,
  parseBillingPeriod,
  previousBillingPeriod,
} from '../../../core/time/billing-period.ts';
import { instantFromMillis, parseInstant } from '../../../core/time/instant.ts';

const at = parseInstant;

test.each([
  // UTC: month ends and leap days
  ['UTC', '2026-11', '2026-11-01T00:00:00.000Z', '2026-12-01T00:00:00.000Z'],
  ['UTC', '2026-12', '2026-12-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
  ['UTC', '2027-02', '2027-02-01T00:00:00.000Z', '2027-03-01T00:00:00.000Z'],
  ['UTC', '2028-02', '2028-02-01T00:00:00.000Z', '2028-03-01T00:00:00.000Z'],
  // Berlin: +1, summer time +2 from 29 March to 25 October 2026
  ['Europe/Berlin', '2026-03', '2026-02-28T23:00:00.000Z', '2026-03-31T22:00:00.000Z'],
  ['Europe/Berlin', '2026-10', '2026-09-30T22:00:00.000Z', '2026-10-31T23:00:00.000Z'],
  // New York: -4 until 1 November 2026 02:00, then -5
  ['America/New_York', '2026-11', '2026-11-01T04:00:00.000Z', '2026-12-01T05:00:00.000Z'],
  // zones off the hour: +5:30, +5:45, +12:45 with summer time +13:45
  ['Asia/Kolkata', '2026-11', '2026-10-31T18:30:00.000Z', '2026-11-30T18:30:00.000Z'],
  ['Asia/Kathmandu', '2026-11', '2026-10-31T18:15:00.000Z', '2026-11-30T18:15:00.000Z'],
  ['Pacific/Chatham', '2026-11', '2026-10-31T10:15:00.000Z', '2026-11-30T10:15:00.000Z'],
  // Lord Howe: +10:30, summer time +11, a shift of half an hour, on 4 October 2026 and 5 April 2026
  ['Australia/Lord_Howe', '2026-10', '2026-09-30T13:30:00.000Z', '2026-10-31T13:00:00.000Z'],
  ['Australia/Lord_Howe', '2026-04', '2026-03-31T13:00:00.000Z', '2026-04-30T13:30:00.000Z'],
  // Asuncion skipped midnight of 1 October 2017: the day began at 01:00, -3
  ['America/Asuncion', '2017-10', '2017-10-01T04:00:00.000Z', '2017-11-01T03:00:00.000Z'],
])('in %s the month %s is [%s, %s)', (timeZone, key, start, end) => {
  const period = { key, start, end, timeZone };
  expect(parseBillingPeriod(key, timeZone)).toEqual(period);
  expect(billingPeriodAt(at(start), { billing: 'calendar', interval: 'month', timeZone })).toEqual(period);
  const lastInstant = instantFromMillis(Date.parse(end) - 1);
  expect(billingPeriodAt(lastInstant, { billing: 'calendar', interval: 'month', timeZone })).toEqual(period);
  expect(billingPeriodAt(at(end), { billing: 'calendar', interval: 'month', timeZone }).key).not.toBe(key);
});

test.each([
  // on the 31st: the month's last day, and back to the 31st
  [
    '2026-01-31T10:15:00Z',
    ['2026-01-31_2026-02-28', '2026-02-28_2026-03-31', '2026-03-31_2026-04-30', '2026-04-30_2026-05-31'],
  ],
  // on the 30th, in a leap year and in another
  ['2028-01-30T00:00:00Z', ['2028-01-30_2028-02-29', '2028-02-29_2028-03-30', '2028-03-30_2028-04-30']],
  ['2027-01-30T00:00:00Z', ['2027-01-30_2027-02-28', '2027-02-28_2027-03-30', '2027-03-30_2027-04-30']],
  // on the 29th
  ['2027-01-29T00:00:00Z', ['2027-01-29_2027-02-28', '2027-02-28_2027-03-29', '2027-03-29_2027-04-29']],
  ['2028-02-29T23:59:59Z', ['2028-02-29_2028-03-29', '2028-03-29_2028-04-29']],
  // over the end of the year
  ['2026-11-30T00:00:00Z', ['2026-11-30_2026-12-30', '2026-12-30_2027-01-30', '2027-01-30_2027-02-28']],
  // on the 1st it is the calendar month, and the same period has the same key
  ['2026-11-01T08:00:00Z', ['2026-11', '2026-12', '2027-01']],
])('anniversaries of %s fall on %j', (start, keys) => {
  const cycle: BillingCycle = { billing: 'anniversary', interval: 'month', timeZone: 'UTC', anchor: at(start) };
  let period = billingPeriodAt(at(start), cycle);
  const seen = [period.key];
  while (seen.length < keys.length) {
    const next = nextBillingPeriod(period, cycle);
    expect(next.start).toBe(period.end);
    expect(previousBillingPeriod(next, cycle)).toEqual(period);
    period = next;
    seen.push(period.key);
  }
  expect(seen).toEqual(keys);
});

test('an anniversary counts from the date on the customer’s calendar, not from the one in UTC', () => {
  // 2026-01-30T20:00Z is already the 31st in Kolkata
  const cycle = billingCycleOf(
    { billing: 'anniversary', interval: 'month', start: at('2026-01-30T20:00:00Z') },
    'Asia/Kolkata',
  );
  expect(billingPeriodAt(at('2026-03-01T00:00:00Z'), cycle)).toEqual({
    key: '2026-02-28_2026-03-31',
    start: '2026-02-27T18:30:00.000Z',
    end: '2026-03-30T18:30:00.000Z',
    timeZone: 'Asia/Kolkata',
  });
});

test('a calendar subscription bills calendar months wherever it starts', () => {
  const cycle = billingCycleOf({ billing: 'calendar', interval: 'month', start: at('2026-01-30T20:00:00Z') }, 'UTC');
  expect(billingPeriodAt(at('2026-01-30T20:00:00Z'), cycle).key).toBe('2026-01');
  expect(previousBillingPeriod(billingPeriodAt(at('2026-01-30T20:00:00Z'), cycle), cycle).key).toBe('2025-12');
});
