import { expect, test } from 'vitest';
import { endOfBillingPeriod, parseBillingPeriod } from '../../../core/time/billing-period.ts';

test.each([
  '',
  '26',
  '02026',
  ' 2026',
  '2026-',
  '2026-11-',
  '2026-13',
  '2026-00',
  '2026-1',
  '2026-11-1',
  '2026-11-31',
  '2027-02-29',
  '2026-w47',
  '2026-W00',
  '2026-W54',
  '2027-W53', // 2027 has 52 weeks
  '2026-W1',
  '2026-Q0',
  '2026-Q5',
  '2026-q4',
  '2026Q4',
  '2026-Q4-01',
  '2026_2027',
  '2026-11_2026-12',
  '2026-11-21_',
  '2026-11-21_2026-11',
  // one period has one key
  '2026-11-01_2026-12-01',
  '2026-11-21_2026-11-22',
  '2026-11-16_2026-11-23',
  '2026-10-01_2027-01-01',
  '2026-01-01_2027-01-01',
  '2026-02-30_2026-03-30',
  '2026-02-28_2026-02-30',
  '2026-03-31_2026-02-28',
  '2026-03-31_2026-03-31',
  '2026-01-31__2026-02-28',
  '2026-01-02_2027-01-04', // 367 days
  // outside the time of the product
  '1968',
  '0000-01',
  '2199', // ends at 2200-01-01, which is no instant any more
  '2200-01',
])('%j is no period', (key) => {
  expect(() => parseBillingPeriod(key, 'UTC')).toThrow(
    expect.objectContaining({ kind: 'invalid', code: 'period_invalid' }),
  );
  expect(() => endOfBillingPeriod(key, 'UTC')).toThrow(expect.objectContaining({ code: 'period_invalid' }));
});

test.each([
  ['2026-01-02_2027-01-03', '2026-01-02T00:00:00.000Z', '2027-01-03T00:00:00.000Z'], // 366 days
  ['2026-11-17_2026-11-24', '2026-11-17T00:00:00.000Z', '2026-11-24T00:00:00.000Z'], // 7 days from a Tuesday
  ['2026-11-01_2027-02-01', '2026-11-01T00:00:00.000Z', '2027-02-01T00:00:00.000Z'], // 3 months, no calendar quarter
  ['2026-04-01_2027-04-01', '2026-04-01T00:00:00.000Z', '2027-04-01T00:00:00.000Z'], // 12 months, no calendar year
  ['1970', '1970-01-01T00:00:00.000Z', '1971-01-01T00:00:00.000Z'],
  ['2199-11', '2199-11-01T00:00:00.000Z', '2199-12-01T00:00:00.000Z'],
])('%s is [%s, %s)', (key, start, end) => {
  expect(parseBillingPeriod(key, 'UTC')).toEqual({ key, start, end, timeZone: 'UTC' });
  expect(endOfBillingPeriod(key, 'UTC')).toBe(end);
});

test('the refusal shows what was got and how each kind of period is written', () => {
  expect(() => parseBillingPeriod('november', 'UTC')).toThrow(
    'Got period "november"; expected a month such as "2026-11", a day "2026-11-21", a week "2026-W47", a quarter "2026-Q4", a year "2026", or two dates at most 366 days apart such as "2026-01-31_2026-02-28".',
  );
});

test('the refusal shows at most 64 characters of what was got', () => {
  expect(() => parseBillingPeriod('x'.repeat(65), 'UTC')).toThrow(`Got period "${'x'.repeat(64)}"; expected`);
});

test('a day that the zone skipped is no period there, and what ends with it ends all the same', () => {
  expect(parseBillingPeriod('2011-12-30', 'UTC').start).toBe('2011-12-30T00:00:00.000Z');
  expect(() => parseBillingPeriod('2011-12-30', 'Pacific/Apia')).toThrow(
    expect.objectContaining({ code: 'period_invalid' }),
  );
  expect(endOfBillingPeriod('2011-12-30', 'Pacific/Apia')).toBe('2011-12-30T10:00:00.000Z');
});

test('a day that began off the quarter hours is refused: no usage bucket ends there', () => {
  // Monrovia was at -0:44:30 until 1972
  expect(() => parseBillingPeriod('1971-01', 'Africa/Monrovia')).toThrow(
    expect.objectContaining({ kind: 'invalid', code: 'period_boundary_unsupported' }),
  );
  expect(() => parseBillingPeriod('1971-01', 'Africa/Monrovia')).toThrow(
    'Got 1971-01-01 in Africa/Monrovia, which begins at 1971-01-01T00:44:30.000Z; expected a day that begins on a quarter hour (all do since 1972).',
  );
});
