import { expect, test } from 'vitest';
import type { MatrixPrice, Price } from '../../../core/catalog/price.ts';
import { Decimal } from '../../../core/money/decimal.ts';
import { coverUnits, usageOf, usageOfQuantity } from '../../../core/rating/charge-usage.ts';
import { transactionSlice } from '../../support/priced.ts';
import { slice } from '../../support/pricing-fixtures.ts';

const PER_UNIT: Price = { model: 'per_unit', unitPrice: '1' };
const MATRIX: MatrixPrice = {
  model: 'matrix',
  dimensions: ['model'],
  prices: [{ match: { model: 'a' }, unitPrice: '1' }],
  defaultUnitPrice: '2',
};
const rounding = (mode: 'up' | 'down' | 'nearest', places = 0) =>
  ({ aggregation: 'sum', rounding: { mode, places } }) as const;

test('without rounding the quantity is what was aggregated, and no row explains it', () => {
  const usage = usageOf([slice('tokens', '1.5'), slice('tokens', '2.25')], { aggregation: 'sum' }, PER_UNIT);
  expect(usage.quantity.toString()).toBe('3.75');
  expect(usage.steps).toEqual([]);
});

test('rounding applies once to the whole quantity, and a row shows it', () => {
  // 1.4 + 1.4 = 2.8, rounded up 3; not 2 + 2
  const usage = usageOf([slice('tokens', '1.4'), slice('tokens', '1.4')], rounding('up'), PER_UNIT);
  expect(usage.quantity.toString()).toBe('3');
  expect(usage.steps).toEqual([
    {
      key: 'quantity-rounding',
      label: '2.8 rounded up to whole units: 3',
      from: null,
      to: null,
      quantity: '3',
      unitPrice: '0',
      flatAmount: null,
      fraction: null,
      amount: '0',
    },
  ]);
});

test.each([
  ['down', 0, '2.8 rounded down to whole units: 2'],
  ['nearest', 0, '2.8 rounded to the nearest to whole units: 3'],
  ['nearest', 1, undefined],
  ['up', -2, '2.8 rounded up to units of 100: 100'],
] as const)('the row of rounding %s at %s places', (mode, places, label) => {
  const { steps } = usageOf([slice('tokens', '2.8')], rounding(mode, places), PER_UNIT);
  expect(steps[0]?.label).toBe(label);
});

test('the row names the places', () => {
  expect(usageOf([slice('tokens', '2.875')], rounding('down', 2), PER_UNIT).steps[0]?.label).toBe(
    '2.875 rounded down to 2 places: 2.87',
  );
});

test('each entry of a matrix is rounded by itself', () => {
  const slices = [slice('tokens', '1.4', { model: 'a' }), slice('tokens', '1.4', { model: 'b' })];
  const usage = usageOf(slices, rounding('up'), MATRIX);
  expect(usage.parts.map(({ quantity }) => quantity.toString())).toEqual(['2', '2']);
  expect(usage.quantity.toString()).toBe('4');
  expect(usage.steps[0]?.label).toBe('2.8 rounded up to whole units: 4');
});

test('one entry that rounding changes is enough for the row', () => {
  const slices = [slice('tokens', '1.4', { model: 'a' }), slice('tokens', '2', { model: 'b' })];
  expect(usageOf(slices, rounding('down'), MATRIX).steps[0]?.label).toBe('3.4 rounded down to whole units: 3');
});

test('a price per transaction sees the transactions as they came', () => {
  const usage = usageOf(
    [transactionSlice(['1.4', '2'])],
    { aggregation: 'transactions', rounding: { mode: 'up', places: 0 } },
    { model: 'percentage', rate: '1', fixedFee: '0.3' },
  );
  expect(usage.quantity.toString()).toBe('3.4');
  expect(usage.transactions.map(({ value }) => value)).toEqual(['1.4', '2']);
});

test('other prices leave transactions alone', () => {
  const usage = usageOf([transactionSlice(['1', '2'])], { aggregation: 'transactions' }, PER_UNIT);
  expect(usage.quantity.toString()).toBe('3');
  expect(usage.transactions).toEqual([]);
});

test('covered units leave the quantity and its parts in order', () => {
  const slices = [slice('tokens', '10', { model: 'b' }), slice('tokens', '-3', { model: 'a' })];
  const usage = coverUnits(usageOf(slices, { aggregation: 'sum' }, MATRIX), Decimal.parse('4'));
  expect(usage.quantity.toString()).toBe('3'); // 10 - 3 - 4
  expect(usage.parts.map(({ quantity, covered }) => `${quantity} left, ${covered} covered`)).toEqual([
    '-3 left, 0 covered',
    '6 left, 4 covered',
  ]);
  const twice = coverUnits(coverUnits(usageOfQuantity(Decimal.parse('10')), Decimal.ONE), Decimal.parse('2'));
  expect(twice.parts.map(({ quantity, covered }) => `${quantity} left, ${covered} covered`)).toEqual([
    '7 left, 3 covered',
  ]);
});
