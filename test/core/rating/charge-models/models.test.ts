import { expect, test } from 'vitest';
import { amountOf, HUGE, pricedQuantity, rowsOf } from '../../../support/priced.ts';

test.each([
  ['0', '0'],
  ['1', '0.25'],
  ['3', '0.75'],
  ['0.5', '0.125'],
  ['-4', '-1'],
  [HUGE, '24999999999999999999999999.99999999999975'], // a quarter of it
])('per unit at 0.25: %s cost %s', (quantity, amount) => {
  expect(amountOf({ model: 'per_unit', unitPrice: '0.25' }, quantity)).toBe(amount);
});

/** (0, 100] at 1 plus 10 flat; (100, 1000] at 0.5 plus 20 flat; above at 0.1. */
const TIERS = [
  { upTo: '100', unitPrice: '1', flatAmount: '10' },
  { upTo: '1000', unitPrice: '0.5', flatAmount: '20' },
  { upTo: null, unitPrice: '0.1' },
];

test.each([
  ['0', '0'], // the first tier's flat amount is not due at zero
  ['0.5', '10.5'], // 0.5 + 10
  ['1', '11'], // 1 + 10
  ['100', '110'], // 100 + 10
  ['100.5', '130.25'], // 110 + 0.5 x 0.5 + 20
  ['101', '130.5'], // 110 + 0.5 + 20
  ['1000', '580'], // 110 + 450 + 20
  ['1001', '580.1'], // 580 + 0.1
  ['-5', '-5'], // whole in the first tier, no flat amount
  // 580 + (99999999999999999999999999.999999999999 - 1000) x 0.1 = 580 + 9999999999999999999999899.9999999999999
  [HUGE, '10000000000000000000000479.9999999999999'],
])('graduated: %s cost %s', (quantity, amount) => {
  expect(amountOf({ model: 'graduated', tiers: TIERS }, quantity)).toBe(amount);
});

test.each([
  ['0', '0'],
  ['0.5', '10.5'], // 0.5 + 10
  ['1', '11'], // 1 + 10
  ['100', '110'], // 100 + 10
  ['100.5', '70.25'], // 100.5 x 0.5 + 20
  ['101', '70.5'], // 50.5 + 20
  ['1000', '520'], // 500 + 20
  ['1001', '100.1'], // 1001 x 0.1
  ['-5', '-5'],
  [HUGE, '9999999999999999999999999.9999999999999'],
])('volume: %s cost %s', (quantity, amount) => {
  expect(amountOf({ model: 'volume', tiers: TIERS }, quantity)).toBe(amount);
});

test.each([
  ['graduated', '0', '10'],
  ['graduated', '1', '11'],
  ['graduated', '101', '130.5'], // later tiers are entered or not, as before
  ['graduated', '-5', '5'], // 10 - 5
  ['volume', '0', '10'],
  ['volume', '1', '11'],
  ['volume', '-5', '5'],
  ['volume', '1001', '100.1'],
] as const)('%s with flat_at_zero: %s cost %s', (model, quantity, amount) => {
  expect(amountOf({ model, tiers: TIERS, flatAtZero: true }, quantity)).toBe(amount);
});

test.each([
  ['0', '0'],
  ['1', '5'],
  ['0.001', '5'],
  ['1000', '5'],
  ['1000.000000000001', '10'],
  ['1001', '10'],
  ['-1', '0'], // nothing less than a whole package comes back
  ['-1000', '-5'],
  ['-1999', '-5'],
  [HUGE, '500000000000000000000000'], // 10^23 packages
])('packages of 1000 at 5: %s cost %s', (quantity, amount) => {
  expect(amountOf({ model: 'package', packageSize: '1000', packagePrice: '5' }, quantity)).toBe(amount);
});

test('packages may hold fractions', () => {
  // ceil(1 / 0.3) = 4
  expect(amountOf({ model: 'package', packageSize: '0.3', packagePrice: '0.07' }, '1')).toBe('0.28');
});

test('each row names its tier, its slice and its price, and the rows add up', () => {
  expect(rowsOf({ model: 'graduated', tiers: TIERS }, '1001')).toEqual([
    'tier-1/usage 100 x 1 = 100',
    'tier-1/flat - x 10 = 10',
    'tier-2/usage 900 x 0.5 = 450',
    'tier-2/flat - x 20 = 20',
    'tier-3/usage 1 x 0.1 = 0.1',
  ]);
  expect(rowsOf({ model: 'volume', tiers: TIERS }, '101')).toEqual([
    'tier-2/usage 101 x 0.5 = 50.5',
    'tier-2/flat - x 20 = 20',
  ]);
  expect(rowsOf({ model: 'graduated', tiers: TIERS }, '0')).toEqual(['tier-1/usage 0 x 1 = 0']);
  expect(rowsOf({ model: 'volume', tiers: TIERS }, '0')).toEqual(['tier-1/usage 0 x 1 = 0']);
  expect(rowsOf({ model: 'package', packageSize: '1000', packagePrice: '5' }, '1001')).toEqual(['packages 2 x 5 = 10']);
  expect(rowsOf({ model: 'per_unit', unitPrice: '0.25' }, '3')).toEqual(['usage 3 x 0.25 = 0.75']);
});

test('rows of tiers say in words and figures which quantities they hold', () => {
  const { steps } = pricedQuantity({ model: 'graduated', tiers: TIERS }, '1001');
  expect(steps.map(({ label, from, to }) => [label, from, to])).toEqual([
    ['Tier 1: up to 100', '0', '100'],
    ['Tier 1: flat amount', '0', '100'],
    ['Tier 2: above 100 up to 1000', '100', '1000'],
    ['Tier 2: flat amount', '100', '1000'],
    ['Tier 3: above 1000', '1000', null],
  ]);
  const single = pricedQuantity({ model: 'volume', tiers: [{ upTo: null, unitPrice: '1' }] }, '1');
  expect(single.steps[0]?.label).toBe('Tier 1: any quantity');
});

test.each([
  [[{ upTo: '10', unitPrice: '1' }]],
  [
    [
      { upTo: null, unitPrice: '1' },
      { upTo: null, unitPrice: '1' },
    ],
  ],
  [
    [
      { upTo: '10', unitPrice: '1' },
      { upTo: '10', unitPrice: '1' },
      { upTo: null, unitPrice: '1' },
    ],
  ],
  [[]],
])('damaged tiers are never priced: case %#', (tiers) => {
  for (const model of ['graduated', 'volume'] as const) {
    expect(() => amountOf({ model, tiers }, '50')).toThrow(expect.objectContaining({ code: 'tiers_damaged' }));
  }
});
