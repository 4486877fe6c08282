import { describe, expect, test } from 'vitest';
import type { Aggregation } from '../../../core/catalog/meter.ts';
import { quantityOf } from '../../../core/usage/quantity-of.ts';
import type { UsageSlice } from '../../../core/usage/usage-snapshot.ts';

const slice = (quantity: string, latestAt?: number, latestBy?: string): UsageSlice => ({
  meter: 'm',
  dimensions: {},
  quantity,
  ...(latestAt === undefined ? {} : { latestAt }),
  ...(latestBy === undefined ? {} : { latestBy }),
});

describe('the quantity of several slices', () => {
  test.each<[Aggregation, readonly UsageSlice[], string]>([
    ['count', [], '0'],
    ['latest', [], '0'],
    ['sum', [slice('7')], '7'],
    ['count', [slice('2'), slice('3')], '5'],
    ['sum', [slice('0.1'), slice('0.2'), slice('-0.3')], '0'],
    ['sum', [slice('9'.repeat(26)), slice('1.000000000001')], '100000000000000000000000000.000000000001'],
    ['transactions', [slice('0.1'), slice('0.2'), slice('7')], '7.3'],
    ['max', [slice('9'), slice('10'), slice('-11')], '10'],
    ['min', [slice('9'), slice('10'), slice('-11')], '-11'],
    ['max', [slice('-2')], '-2'],
    ['latest', [slice('1', 5, 'aa'), slice('2', 6, 'aa'), slice('3', 4, 'ff')], '2'],
    ['latest', [slice('1', 5, 'ab'), slice('2', 5, 'b0')], '2'],
    ['latest', [slice('2', 5, 'b0'), slice('1', 5, 'ab')], '2'],
  ])('by %s of %j is %s', (aggregation, slices, quantity) => {
    expect(quantityOf(aggregation, slices)).toBe(quantity);
  });
});
