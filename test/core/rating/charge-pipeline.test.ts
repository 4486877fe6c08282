import { expect, test } from 'vitest';
import type { Aggregation } from '../../../core/catalog/meter.ts';
import { Decimal } from '../../../core/money/decimal.ts';
import { priceCharge } from '../../../core/rating/charge-pipeline.ts';
import { usageOfQuantity } from '../../../core/rating/charge-usage.ts';
import { tokensCharge } from '../../support/pricing-fixtures.ts';

const WHOLE = { part: 30, whole: 30, unit: 'day' } as const;
const price = { model: 'per_unit', unitPrice: '0.1' } as const;

interface Case {
  readonly quantity: string;
  readonly terms?: { allowance?: string; minimum?: string; maximum?: string };
  readonly part?: number;
  readonly aggregation?: Aggregation;
}

function pricedSteps(input: Case) {
  return resultOf(input).steps;
}

function resultOf({ quantity, terms = {}, part = 30, aggregation = 'sum' }: Case) {
  const proration = { ...WHOLE, part };
  return priceCharge(usageOfQuantity(Decimal.ofTotal(quantity)), {
    charge: tokensCharge(price, terms),
    aggregation,
    proration,
  });
}

function priced(input: Case) {
  const result = resultOf(input);
  return {
    amount: result.amount.toString(),
    carried: result.carried.toString(),
    used: result.allowanceUsed.toString(),
    rows: result.steps.map((row) => `${row.key} ${row.amount}`),
  };
}

test.each([
  ['0', '0', '0'],
  ['1', '0', '1'],
  ['99.5', '0', '99.5'],
  ['100', '0', '100'],
  ['101', '0.1', '100'],
  ['100.5', '0.05', '100'],
  ['-5', '0', '0'],
])('of 100 free units: %s cost %s and use %s', (quantity, amount, used) => {
  expect(priced({ quantity, terms: { allowance: '100' } })).toMatchObject({ amount, used });
});

test('a prorated allowance is a quantity of at most 12 places, and its row says how it came about', () => {
  // 100 x 17/30 = 56.666666666666...
  const result = priced({ quantity: '57', terms: { allowance: '100' }, part: 17 });
  expect(result).toMatchObject({ used: '56.666666666667', amount: '0.0333333333333' }); // 0.333333333333 x 0.1
  const { steps } = priceCharge(usageOfQuantity(Decimal.parse('57')), {
    charge: tokensCharge(price, { allowance: '100' }),
    aggregation: 'sum',
    proration: { part: 17, whole: 30, unit: 'day' },
  });
  expect(steps[0]).toEqual({
    key: 'allowance',
    label: 'Included: 56.666666666667 of 56.666666666667 (100 x 17/30 days)',
    from: '0',
    to: '56.666666666667',
    quantity: '56.666666666667',
    unitPrice: '0',
    flatAmount: null,
    fraction: '17/30',
    amount: '0',
  });
});

test('a minimum lifts the charge to its amount and no further', () => {
  const terms = { minimum: '10' };
  expect(priced({ quantity: '0', terms })).toMatchObject({ amount: '10', rows: ['usage 0', 'minimum 10'] });
  expect(priced({ quantity: '99', terms })).toMatchObject({ amount: '10', rows: ['usage 9.9', 'minimum 0.1'] });
  expect(priced({ quantity: '100', terms })).toMatchObject({ amount: '10', rows: ['usage 10'] });
  expect(priced({ quantity: '101', terms })).toMatchObject({ amount: '10.1', rows: ['usage 10.1'] });
});

test('a minimum is prorated', () => {
  // 10 x 17/30 = 17/3; 17/3 - 1 = 14/3
  expect(priced({ quantity: '10', terms: { minimum: '10' }, part: 17 })).toMatchObject({
    amount: '17/3',
    rows: ['usage 1', 'minimum 14/3'],
  });
  expect(priced({ quantity: '0', terms: { minimum: '10' }, part: 0 })).toMatchObject({
    amount: '0',
    rows: ['usage 0'],
  });
});

test('a maximum caps the charge and is not prorated', () => {
  const terms = { maximum: '10' };
  expect(priced({ quantity: '100', terms })).toMatchObject({ amount: '10', rows: ['usage 10'] });
  expect(priced({ quantity: '101', terms })).toMatchObject({ amount: '10', rows: ['usage 10.1', 'maximum -0.1'] });
  expect(priced({ quantity: '101', terms, part: 15 })).toMatchObject({ amount: '10' });
});

test('a sum below zero costs nothing in its own period and is carried', () => {
  expect(priced({ quantity: '-25' })).toEqual({
    amount: '0',
    carried: '-2.5',
    used: '0',
    rows: ['usage -2.5', 'carried 2.5'],
  });
  expect(priced({ quantity: '0' })).toMatchObject({ amount: '0', carried: '0' });
});

test('transactions below zero are a correction like a sum, a count below zero is none', () => {
  expect(priced({ quantity: '-25', aggregation: 'transactions' })).toMatchObject({ amount: '0', carried: '-2.5' });
  expect(priced({ quantity: '-25', aggregation: 'count' })).toMatchObject({ amount: '0', carried: '0' });
});

test('a balance below zero stays below zero in the next period, so nothing is carried there', () => {
  const balance = { charge: tokensCharge(price), aggregation: 'sum', reset: 'carry_over', proration: WHOLE } as const;
  const { amount, carried } = priceCharge(usageOfQuantity(Decimal.parse('-25')), balance);
  expect([amount.toString(), carried.toString()]).toEqual(['0', '0']);
});

test('what lies below zero, below the minimum and above the maximum says so in its row', () => {
  const labels = (input: Case) => pricedSteps(input).map(({ label }) => label);
  expect(labels({ quantity: '-25' })).toEqual(['Usage', 'Below zero: carried to an adjustment']);
  expect(labels({ quantity: '-25', aggregation: 'max' })).toEqual(['Usage', 'Below zero: nothing is due']);
  expect(labels({ quantity: '1', terms: { minimum: '10' } })).toEqual(['Usage', 'Up to the minimum of 10']);
  expect(labels({ quantity: '1', terms: { minimum: '10' }, part: 15 })).toEqual([
    'Usage',
    'Up to the minimum of 10 x 15/30 days',
  ]);
  expect(labels({ quantity: '101', terms: { maximum: '10' } })).toEqual(['Usage', 'Down to the maximum of 10']);
});

test('a minimum does not swallow a correction: it is due, and the correction is carried', () => {
  expect(priced({ quantity: '-25', terms: { minimum: '10' } })).toEqual({
    amount: '10',
    carried: '-2.5',
    used: '0',
    rows: ['usage -2.5', 'carried 2.5', 'minimum 10'],
  });
});

test.each(['max', 'min', 'latest'] as const)(
  'a %s below zero is a reading: nothing is due and nothing comes back',
  (aggregation) => {
    expect(priced({ quantity: '-25', aggregation })).toEqual({
      amount: '0',
      carried: '0',
      used: '0',
      rows: ['usage -2.5', 'floor 2.5'],
    });
  },
);

test('the order is allowance, model, minimum, maximum', () => {
  expect(priced({ quantity: '1100', terms: { allowance: '100', minimum: '5', maximum: '50' } })).toEqual({
    amount: '50',
    carried: '0',
    used: '100',
    rows: ['allowance 0', 'usage 100', 'maximum -50'],
  });
});
