import { describe, expect, test } from 'vitest';
import type { QuantityRounding } from '../../../core/money/rounding.ts';
import { meterQuantity } from '../../../core/usage/meter-quantity.ts';

const of = (quantities: readonly string[], rounding?: QuantityRounding) =>
  meterQuantity(
    { aggregation: 'sum', ...(rounding === undefined ? {} : { rounding }) },
    quantities.map((quantity) => ({ meter: 'm', dimensions: {}, quantity })),
  );

describe('the quantity of a meter', () => {
  test.each<[string, QuantityRounding, string]>([
    ['2.1', { mode: 'up', places: 0 }, '3'],
    ['2', { mode: 'up', places: 0 }, '2'],
    ['-2.1', { mode: 'up', places: 0 }, '-3'],
    ['2.9', { mode: 'down', places: 0 }, '2'],
    ['-2.9', { mode: 'down', places: 0 }, '-2'],
    ['2.5', { mode: 'nearest', places: 0 }, '3'],
    ['2.49', { mode: 'nearest', places: 0 }, '2'],
    ['-2.5', { mode: 'nearest', places: 0 }, '-3'],
    ['0.125', { mode: 'nearest', places: 2 }, '0.13'],
    ['0.121', { mode: 'up', places: 2 }, '0.13'],
    ['0.000000000001', { mode: 'up', places: 0 }, '1'],
    ['0.000000000001', { mode: 'nearest', places: 12 }, '0.000000000001'],
    ['0', { mode: 'up', places: 0 }, '0'],
  ])('%s rounded by %j is %s', (quantity, rounding, result) => {
    expect(of([quantity], rounding)).toBe(result);
  });

  test('is rounded once, after its slices are taken together', () => {
    expect(of(['0.4', '0.4', '0.4'], { mode: 'up', places: 0 })).toBe('2');
    expect(of(['0.4', '0.4', '0.4'])).toBe('1.2');
    expect(of([], { mode: 'up', places: 0 })).toBe('0');
  });
});
