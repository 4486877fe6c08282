import { expect, test } from 'vitest';
import type { MatrixPrice } from '../../../../core/catalog/price.ts';
import { Decimal } from '../../../../core/money/decimal.ts';
import { priceUsage } from '../../../../core/rating/charge-models/price-usage.ts';
import { coverUnits } from '../../../../core/rating/charge-usage.ts';
import type { UsageSlice } from '../../../../core/usage/usage-snapshot.ts';
import { HUGE, rowText, usageOfSlices } from '../../../support/priced.ts';
import { slice } from '../../../support/pricing-fixtures.ts';

const PRICE: MatrixPrice = {
  model: 'matrix',
  dimensions: ['model', 'region'],
  prices: [
    { match: { model: 'large' }, unitPrice: '0.02' },
    { match: { model: 'large', region: 'eu' }, unitPrice: '0.03' },
    { match: { region: 'eu' }, unitPrice: '0.015' },
  ],
  defaultUnitPrice: '0.01',
};
const of = (model: string, region: string, quantity: string) => slice('tokens', quantity, { model, region });

function priced(slices: readonly UsageSlice[], covered = '0') {
  const usage = coverUnits(usageOfSlices(slices, 'sum', PRICE), Decimal.parse(covered));
  const { amount, steps } = priceUsage(usage, PRICE);
  return { quantity: usage.quantity.toString(), amount: amount.toString(), rows: steps.map(rowText), steps };
}

test.each([
  ['0', '0'],
  ['1', '0.03'],
  ['0.5', '0.015'],
  ['-4', '-0.12'],
  [HUGE, '2999999999999999999999999.99999999999997'], // 3 x 10^24 - 3 x 10^-14
])('matrix: %s of the most specific entry cost %s', (quantity, amount) => {
  expect(priced([of('large', 'eu', quantity)]).amount).toBe(amount);
});

test('usage belongs to the most specific entry that matches it, the rest to the default', () => {
  const slices = [of('large', 'us', '10'), of('large', 'eu', '10'), of('small', 'eu', '10'), of('small', 'us', '10')];
  expect(priced(slices)).toMatchObject({
    quantity: '40',
    amount: '0.75', // 0.2 + 0.3 + 0.15 + 0.1
    rows: [
      'price-1/usage 10 x 0.02 = 0.2',
      'price-2/usage 10 x 0.03 = 0.3',
      'price-3/usage 10 x 0.015 = 0.15',
      'default/usage 10 x 0.01 = 0.1',
    ],
  });
  expect(priced([...slices].reverse()).rows).toEqual(priced(slices).rows);
  expect(priced(slices).steps.map(({ label }) => label)).toEqual([
    'model large',
    'model large, region eu',
    'region eu',
    'All other usage',
  ]);
});

test('usage without the dimensions costs the default price', () => {
  expect(priced([slice('tokens', '10')]).rows).toEqual(['default/usage 10 x 0.01 = 0.1']);
});

test('entries without usage have no row; without any usage the default shows its price', () => {
  expect(priced([of('small', 'eu', '10')]).rows).toEqual(['price-3/usage 10 x 0.015 = 0.15']);
  expect(priced([]).rows).toEqual(['default/usage 0 x 0.01 = 0']);
});

test('an allowance covers the entries in written order, the default last', () => {
  const slices = [of('small', 'us', '10'), of('small', 'eu', '10'), of('large', 'eu', '10'), of('large', 'us', '10')];
  // 10 and 10 covered, 5 of the third; left 5 x 0.015 + 10 x 0.01
  const some = priced(slices, '25');
  expect(some).toMatchObject({
    quantity: '15',
    amount: '0.175',
    rows: [
      'price-1/usage 0 x 0.02 = 0',
      'price-2/usage 0 x 0.03 = 0',
      'price-3/usage 5 x 0.015 = 0.075',
      'default/usage 10 x 0.01 = 0.1',
    ],
  });
  expect(some.steps.map(({ label }) => label)).toEqual([
    'model large (10 of 10 included)',
    'model large, region eu (10 of 10 included)',
    'region eu (5 of 10 included)',
    'All other usage',
  ]);
  expect(priced(slices, '40')).toMatchObject({ quantity: '0', amount: '0' });
});

test('an entry below zero lowers the whole and takes nothing of an allowance', () => {
  const slices = [of('large', 'us', '-5'), of('large', 'eu', '10')];
  expect(priced(slices).amount).toBe('0.2'); // -0.1 + 0.3
  expect(priced(slices, '3')).toMatchObject({
    amount: '0.11', // -5 x 0.02 + 7 x 0.03
    rows: ['price-1/usage -5 x 0.02 = -0.1', 'price-2/usage 7 x 0.03 = 0.21'],
  });
});

test('of a latest meter every entry prices its own reading', () => {
  const at = (tier: string, quantity: string, latestAt: number): UsageSlice => ({
    ...of(tier, 'us', quantity),
    latestAt,
    latestBy: 'a',
  });
  const usage = usageOfSlices([at('large', '5', 2), at('small', '20', 9), at('tiny', '7', 10)], 'latest', PRICE);
  expect(usage.quantity.toString()).toBe('12'); // 5 large; the other prices' latest reading is 7
  expect(priceUsage(usage, PRICE).amount.toString()).toBe('0.17'); // 5 x 0.02 + 7 x 0.01
});

test('a matrix that some usage matches alike is never priced', () => {
  const prices = [
    { match: { model: 'large' }, unitPrice: '1' },
    { match: { region: 'eu' }, unitPrice: '2' },
  ];
  const price = { ...PRICE, prices };
  expect(() => usageOfSlices([of('large', 'eu', '1')], 'sum', price)).toThrow(
    expect.objectContaining({
      code: 'matrix_ambiguous',
      message: 'Usage of tokens matches the matrix prices 1 and 2 alike.',
    }),
  );
  expect(usageOfSlices([of('large', 'us', '1')], 'sum', price).quantity.toString()).toBe('1');
});
