import { expect, test } from 'vitest';
import { percentileOf } from '../../bench/entitlement-latency.ts';
import { type GrowthRow, spreadOf } from '../../bench/growth.ts';

const row = (usdPerMillion: number): GrowthRow => ({
  events: 1,
  usdPerMillion,
  writesPerThousandEvents: 1,
  readsPerThousandEvents: 1,
  usageQueryReadUnits: 1,
  asOfReadUnits: 1,
  checkReadUnits: 1,
});

test('the spread of a column is its largest value by its smallest', () => {
  expect(spreadOf([row(2), row(2.5), row(2.2)], 'usdPerMillion')).toBe(1.25);
  expect(spreadOf([row(2), row(2.5)], 'asOfReadUnits')).toBe(1);
});

test('a percentile is the smallest value that so many reach', () => {
  const values = [5, 1, 4, 2, 3, 6, 8, 7, 10, 9];
  expect([0.1, 0.5, 0.9, 0.99, 1].map((share) => percentileOf(values, share))).toEqual([1, 5, 9, 10, 10]);
});
