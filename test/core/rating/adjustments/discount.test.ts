import { expect, test } from 'vitest';
import type { Charge } from '../../../../core/catalog/charge.ts';
import type { Discount } from '../../../../core/catalog/discount.ts';
import { Decimal } from '../../../../core/money/decimal.ts';
import { priceCharge } from '../../../../core/rating/charge-pipeline.ts';
import { usageOfQuantity } from '../../../../core/rating/charge-usage.ts';
import { rateCharges } from '../../../../core/rating/rate.ts';
import { reRate } from '../../../../core/rating/re-rate.ts';
import { parseInstant } from '../../../../core/time/instant.ts';
import { NOVEMBER, ratingInput, slice, tokensCharge } from '../../../support/pricing-fixtures.ts';

const price = { model: 'per_unit', unitPrice: '0.1' } as const;

function priced(
  quantity: string,
  discount: Discount,
  more: { minimum?: string; maximum?: string; part?: number } = {},
) {
  const { part = 30, ...bounds } = more;
  const { amount, carried, steps } = priceCharge(usageOfQuantity(Decimal.parse(quantity)), {
    charge: tokensCharge(price, { ...bounds, discount }),
    aggregation: 'sum',
    proration: { part, whole: 30, unit: 'day' },
  });
  return {
    amount: amount.toString(),
    carried: carried.toString(),
    rows: steps.map((row) => `${row.key} ${row.amount}`),
    last: steps.at(-1),
  };
}

test.each([
  ['0', '15', '0', ['usage 0']],
  ['1', '15', '0.085', ['usage 0.1', 'discount -0.015']],
  ['100', '15', '8.5', ['usage 10', 'discount -1.5']],
  ['100', '15.5', '8.45', ['usage 10', 'discount -1.55']],
  ['100', '100', '0', ['usage 10', 'discount -10']],
  ['1', '0.000000000001', '0.099999999999999', ['usage 0.1', 'discount -0.000000000000001']],
])('%s units less %s %% cost %s', (quantity, percent, amount, rows) => {
  expect(priced(quantity, { percent })).toMatchObject({ amount, rows });
});

test('the row of a percentage says what it was taken of', () => {
  expect(priced('100', { percent: '15' }).last).toMatchObject({ key: 'discount', label: 'Discount of 15 % on 10' });
});

test.each([
  ['0', '0', ['usage 0']],
  ['29', '0', ['usage 2.9', 'discount -2.9']], // never below zero
  ['30', '0', ['usage 3', 'discount -3']],
  ['31', '0.1', ['usage 3.1', 'discount -3']],
])('%s units less 3 cost %s', (quantity, amount, rows) => {
  expect(priced(quantity, { amount: '3' })).toMatchObject({ amount, rows });
});

test('the row of an amount has it as its flat amount; where the charge is smaller, the row says so', () => {
  expect(priced('100', { amount: '3' }).last).toMatchObject({
    label: 'Discount of 3',
    flatAmount: '-3',
    fraction: null,
  });
  expect(priced('30', { amount: '3' }).last).toMatchObject({ label: 'Discount of 3', flatAmount: '-3' });
  expect(priced('29', { amount: '3' }).last).toMatchObject({
    label: 'Discount of 3, as far as the amount reaches',
    flatAmount: null,
  });
});

test('an amount is prorated, a percentage is not', () => {
  // 10 - 3 x 17/30 = 8.3
  expect(priced('100', { amount: '3' }, { part: 17 })).toMatchObject({
    amount: '8.3',
    rows: ['usage 10', 'discount -1.7'],
  });
  expect(priced('100', { amount: '3' }, { part: 17 }).last).toMatchObject({
    label: 'Discount of 3 x 17/30 days',
    flatAmount: '-3',
    fraction: '17/30',
  });
  expect(priced('100', { percent: '15' }, { part: 17 }).amount).toBe('8.5');
  expect(priced('100', { amount: '3' }, { part: 0 })).toMatchObject({ amount: '10', rows: ['usage 10'] });
});

test('the discount comes after minimum and maximum', () => {
  expect(priced('10', { percent: '50' }, { minimum: '8' })).toMatchObject({
    amount: '4',
    rows: ['usage 1', 'minimum 7', 'discount -4'],
  });
  expect(priced('100', { amount: '3' }, { maximum: '5' })).toMatchObject({
    amount: '2',
    rows: ['usage 10', 'maximum -5', 'discount -3'],
  });
});

test('a correction gives back what was paid: the percentage is taken of what is carried, the amount is not', () => {
  expect(priced('-25', { percent: '20' })).toMatchObject({
    amount: '0',
    carried: '-2',
    rows: ['usage -2.5', 'carried 2', 'discount 0.5'],
  });
  // 10 x 80 % = 8; -2.5 x 80 % = -2; 20 % of 7.5 is 1.5
  expect(priced('-25', { percent: '20' }, { minimum: '10' })).toMatchObject({
    amount: '8',
    carried: '-2',
    rows: ['usage -2.5', 'carried 2', 'minimum 10', 'discount -1.5'],
  });
  expect(priced('-25', { amount: '1' })).toMatchObject({
    amount: '0',
    carried: '-2.5',
    rows: ['usage -2.5', 'carried 2.5'],
  });
});

test('a carried correction with a discount is re-rated without a rounding row', () => {
  const charge = tokensCharge(price, { discount: { percent: '20' } });
  const current = rateCharges(ratingInput([charge], [slice('tokens', '-25')])).lines;
  expect(current[0]).toMatchObject({ amountMinor: 0n, carriedMinor: -200n });
  const [line] = reRate({ currency: 'USD', period: '2026-11', current, billed: [] });
  expect(line?.amountMinor).toBe(-200n);
  expect(line?.steps.map((row) => `${row.key} ${row.amount}`)).toEqual([
    'now/usage -2.5',
    'now/discount 0.5',
    'billed-before 0',
  ]);
});

test('a fixed fee has a discount too, each prorated', () => {
  const fee = (discount: Discount): Charge => ({
    kind: 'fixed',
    key: 'base',
    name: 'Base fee',
    amount: '60',
    timing: 'in_arrears',
    discount,
  });
  const from14th = { service: { start: parseInstant('2026-11-14T00:00:00Z'), end: NOVEMBER.end } };
  const cents = (discount: Discount) => rateCharges(ratingInput([fee(discount)], [], from14th)).lines[0]?.amountMinor;
  expect(cents({ percent: '10' })).toBe(3060n); // 60 x 17/30 = 34, less 3.40
  expect(cents({ amount: '6' })).toBe(3060n); // less 6 x 17/30 = 3.40
  expect(cents({ amount: '100' })).toBe(0n);
});
