import { expect, test } from 'vitest';
import { tierRanges } from '../../../../core/rating/charge-models/tier-ranges.ts';
import { amountOf } from '../../../support/priced.ts';

const tiersAt = (unitPrice: string) => [
  { upTo: '10', unitPrice },
  { upTo: null, unitPrice: '1' },
];

test('tiers that say the same are read once, whichever object says it', () => {
  const tiers = tiersAt('2');
  expect(tierRanges(tiers)).toBe(tierRanges(tiers));
  expect(tierRanges(tiersAt('2'))).toBe(tierRanges(tiers));
  expect(tierRanges(tiersAt('2.0'))).not.toBe(tierRanges(tiers));
});

test('however many prices are remembered, each is its own', () => {
  for (let round = 0; round < 2; round++) {
    for (let price = 0; price < 450; price++) {
      // 10 at the price and 1 at 1
      expect(amountOf({ model: 'graduated', tiers: tiersAt(`${price}`) }, '11')).toBe(`${price * 10 + 1}`);
    }
  }
});

test('a rate and a unit price of the same text are two prices', () => {
  const flat = { upTo: null, flatAmount: '3' };
  expect(amountOf({ model: 'graduated', tiers: [{ ...flat, unitPrice: '2' }] }, '100')).toBe('203');
  expect(amountOf({ model: 'graduated_percentage', tiers: [{ ...flat, rate: '2' }] }, '100')).toBe('5');
  expect(amountOf({ model: 'stairstep', tiers: [flat] }, '100')).toBe('3');
});
