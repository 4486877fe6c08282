import { expect, test } from 'vitest';
import type { Price } from '../../../../core/catalog/price.ts';
import { amountOf, HUGE, pricedQuantity, rowsOf } from '../../../support/priced.ts';

/** (0, 100] for 10, (100, 1000] for 50, above for 200. */
const STAIRS: Price = {
  model: 'stairstep',
  tiers: [
    { upTo: '100', flatAmount: '10' },
    { upTo: '1000', flatAmount: '50' },
    { upTo: null, flatAmount: '200' },
  ],
};

test.each([
  ['0', '0'],
  ['0.5', '10'],
  ['1', '10'],
  ['100', '10'],
  ['100.000000000001', '50'],
  ['101', '50'],
  ['1000', '50'],
  ['1001', '200'],
  ['-5', '0'],
  [HUGE, '200'],
])('stairstep: %s cost %s', (quantity, amount) => {
  expect(amountOf(STAIRS, quantity)).toBe(amount);
});

test.each([
  ['0', '10'],
  ['-5', '10'], // never less than at zero: a flat amount was not the price of units that could come back
  ['101', '50'],
])('stairstep with flat_at_zero: %s cost %s', (quantity, amount) => {
  expect(amountOf({ ...STAIRS, flatAtZero: true } as Price, quantity)).toBe(amount);
});

test('the one row names the step reached, also when nothing is due', () => {
  expect(rowsOf(STAIRS, '101')).toEqual(['tier-2/flat - x 50 = 50']);
  expect(pricedQuantity(STAIRS, '101').steps[0]).toMatchObject({
    label: 'Tier 2: above 100 up to 1000',
    from: '100',
    to: '1000',
  });
  expect(pricedQuantity(STAIRS, '0').steps).toEqual([
    {
      key: 'tier-1/flat',
      label: 'Tier 1: up to 100, nothing used',
      from: '0',
      to: '100',
      quantity: null,
      unitPrice: null,
      flatAmount: null,
      fraction: null,
      amount: '0',
    },
  ]);
});
