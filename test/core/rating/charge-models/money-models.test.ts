import { expect, test } from 'vitest';
import type { Price } from '../../../../core/catalog/price.ts';
import { amountOf, HUGE, pricedQuantity, rowsOf } from '../../../support/priced.ts';

/** The models that price an amount of money. HUGE is 10^26 - 10^-12. */
const PERCENTAGE: Price = { model: 'percentage', rate: '1.5' };

test.each([
  ['0', '0'],
  ['1', '0.015'],
  ['0.5', '0.0075'],
  ['200', '3'],
  ['-10', '-0.15'], // a refund gives back the rate of it
  [HUGE, '1499999999999999999999999.999999999999985'], // 1.5 x 10^24 - 1.5 x 10^-14
])('1.5 %% of %s is %s', (quantity, amount) => {
  expect(amountOf(PERCENTAGE, quantity)).toBe(amount);
});

test.each([
  ['0', '0'],
  ['200', '200'],
  ['0.000000000001', '0.000000000001'],
])('a rate may be 0, above 100 or very small: %s %% of 100 is %s', (rate, amount) => {
  expect(amountOf({ model: 'percentage', rate }, '100')).toBe(amount);
});

test('a plain percentage is one row: the amount, the rate as a factor, and the rate in words', () => {
  expect(rowsOf(PERCENTAGE, '200')).toEqual(['usage 200 x 0.015 = 3']);
  expect(pricedQuantity(PERCENTAGE, '200').steps[0]?.label).toBe('1.5 % of the amount');
});

/** (0, 1000] at 2 % plus 1 flat; (1000, 10000] at 1 %; above at 0.5 % plus 5 flat. */
const GRADUATED: Price = {
  model: 'graduated_percentage',
  tiers: [
    { upTo: '1000', rate: '2', flatAmount: '1' },
    { upTo: '10000', rate: '1' },
    { upTo: null, rate: '0.5', flatAmount: '5' },
  ],
};

test.each([
  ['0', '0'],
  ['0.5', '1.01'], // 0.01 + 1
  ['1', '1.02'], // 0.02 + 1
  ['1000', '21'], // 20 + 1
  ['1000.5', '21.005'], // 21 + 0.5 x 1 %
  ['1001', '21.01'],
  ['10000', '111'], // 21 + 9000 x 1 %
  ['10001', '116.005'], // 111 + 0.005 + 5
  ['-100', '-2'], // whole in the first tier, no flat amount
  // 111 + 5 + (10^26 - 10^-12 - 10000) x 0.005 = 116 + 5 x 10^23 - 50 - 5 x 10^-15
  [HUGE, '500000000000000000000065.999999999999995'],
])('graduated percentage: %s cost %s', (quantity, amount) => {
  expect(amountOf(GRADUATED, quantity)).toBe(amount);
});

test('graduated percentage with flat_at_zero takes the first flat amount at zero and below', () => {
  const price = { ...GRADUATED, flatAtZero: true } as Price;
  expect(amountOf(price, '0')).toBe('1');
  expect(amountOf(price, '-100')).toBe('-1'); // 1 - 2
  expect(amountOf(price, '1')).toBe('1.02');
});

test('the rows of a graduated percentage name range, rate and slice', () => {
  expect(rowsOf(GRADUATED, '10001')).toEqual([
    'tier-1/usage 1000 x 0.02 = 20',
    'tier-1/flat - x 1 = 1',
    'tier-2/usage 9000 x 0.01 = 90',
    'tier-3/usage 1 x 0.005 = 0.005',
    'tier-3/flat - x 5 = 5',
  ]);
  expect(pricedQuantity(GRADUATED, '10001').steps.map(({ label }) => label)).toEqual([
    'Tier 1: up to 1000 at 2 %',
    'Tier 1: flat amount',
    'Tier 2: above 1000 up to 10000 at 1 %',
    'Tier 3: above 10000 at 0.5 %',
    'Tier 3: flat amount',
  ]);
});

test.each([
  [undefined, '0', '0'],
  [undefined, '12.34', '12.34'],
  [undefined, '-12.34', '-12.34'],
  ['1.33333', '1', '1.33333'],
  ['1.33333', '10', '13.3333'],
  ['1.33333', '0.5', '0.666665'],
  ['1.33333', '-10', '-13.3333'],
  ['1.2', HUGE, '119999999999999999999999999.9999999999988'], // 1.2 x 10^26 - 1.2 x 10^-12
  ['0', '10', '0'],
])('dynamic with the multiplier %s: %s cost %s', (multiplier, quantity, amount) => {
  expect(amountOf({ model: 'dynamic', multiplier }, quantity)).toBe(amount);
});

test('a dynamic row shows what the events brought and the multiplier', () => {
  expect(rowsOf({ model: 'dynamic', multiplier: '1.2' }, '10')).toEqual(['usage 10 x 1.2 = 12']);
  expect(rowsOf({ model: 'dynamic' }, '10')).toEqual(['usage 10 x 1 = 10']);
  expect(pricedQuantity({ model: 'dynamic', multiplier: '1.2' }, '1').steps[0]?.label).toBe(
    'Amounts of the events x 1.2',
  );
  expect(pricedQuantity({ model: 'dynamic' }, '1').steps[0]?.label).toBe('Amounts of the events');
});
