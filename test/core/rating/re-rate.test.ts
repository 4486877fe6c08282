import { expect, test } from 'vitest';
import type { Charge } from '../../../core/catalog/charge.ts';
import type { InvoiceLine } from '../../../core/invoicing/invoice.ts';
import { rateCharges } from '../../../core/rating/rate.ts';
import { reRate } from '../../../core/rating/re-rate.ts';
import { ratingInput, slice, tokensCharge } from '../../support/pricing-fixtures.ts';

const perUnit = { model: 'per_unit', unitPrice: '0.1' } as const;
const BASE: Charge = { kind: 'fixed', key: 'base', name: 'Base fee', amount: '49', timing: 'in_arrears' };
const rated = (quantity: string, charges: readonly Charge[] = [tokensCharge(perUnit)]) =>
  rateCharges(ratingInput(charges, [slice('tokens', quantity)])).lines;
const again = (current: readonly InvoiceLine[], billed: readonly InvoiceLine[]) =>
  reRate({ currency: 'USD', period: '2026-11', current, billed });

test('nothing changed, nothing to adjust', () => {
  expect(again(rated('100', [tokensCharge(perUnit), BASE]), rated('100', [tokensCharge(perUnit), BASE]))).toEqual([]);
});

test('usage that came late is one line with the difference, naming the earlier period and recomputable by hand', () => {
  // 1,234.56 x 0.1 = 123.456, rounded 123.46, less 100.00 billed = 23.46
  expect(again(rated('1234.56'), rated('1000'))).toEqual([
    {
      key: 'sub_1/tokens/usage/adjusts/2026-11',
      kind: 'adjustment',
      description: 'Tokens (adjustment of 2026-11)',
      subscription: 'sub_1',
      charge: 'tokens',
      meter: 'tokens',
      servicePeriod: { period: '2026-11', start: '2026-11-01T00:00:00.000Z', end: '2026-12-01T00:00:00.000Z' },
      quantity: '234.56',
      allowanceUsed: '0',
      unit: 'tokens',
      steps: [
        {
          key: 'now/usage',
          label: 'Usage',
          from: null,
          to: null,
          quantity: '1234.56',
          unitPrice: '0.1',
          flatAmount: null,
          fraction: null,
          amount: '123.456',
        },
        {
          key: 'now/rounding',
          label: 'Rounding',
          from: null,
          to: null,
          quantity: null,
          unitPrice: null,
          flatAmount: null,
          fraction: null,
          amount: '0.004',
        },
        {
          key: 'billed-before',
          label: 'Billed before',
          from: null,
          to: null,
          quantity: '-1000',
          unitPrice: null,
          flatAmount: null,
          fraction: null,
          amount: '-100',
        },
      ],
      exactAmount: '23.46',
      rounding: 'half_away_from_zero',
      amountMinor: 2346n,
      carriedMinor: 0n,
      priceVersion: 'growth@3',
      adjusts: {
        period: '2026-11',
        line: 'sub_1/tokens/usage',
        previousAmountMinor: 10000n,
        currentAmountMinor: 12346n,
      },
    },
  ]);
});

test('usage taken back is a credit', () => {
  expect(again(rated('990'), rated('1000'))).toMatchObject([
    { amountMinor: -100n, quantity: '-10', exactAmount: '-1' },
  ]);
});

test('a line that was not billed before is billed whole', () => {
  expect(again(rated('10', [tokensCharge(perUnit), BASE]), rated('10'))).toMatchObject([
    {
      key: 'sub_1/base/fixed/adjusts/2026-11',
      amountMinor: 4900n,
      quantity: '1',
      adjusts: { previousAmountMinor: 0n },
    },
  ]);
});

test('a line that is gone is credited whole', () => {
  expect(again(rated('10'), rated('10', [tokensCharge(perUnit), BASE]))).toMatchObject([
    {
      key: 'sub_1/base/fixed/adjusts/2026-11',
      description: 'Base fee (adjustment of 2026-11)',
      amountMinor: -4900n,
      quantity: '-1',
      steps: [{ key: 'billed-before', amount: '-49', quantity: '-1' }],
      adjusts: { previousAmountMinor: 4900n, currentAmountMinor: 0n },
    },
  ]);
});

test('adjustments count as billed, so that the next one bills only what is new', () => {
  const first = again(rated('1100'), rated('1000'));
  expect(again(rated('1100'), [...rated('1000'), ...first])).toEqual([]);
  const second = again(rated('1050'), [...rated('1000'), ...first]);
  expect(second).toMatchObject([
    {
      key: 'sub_1/tokens/usage/adjusts/2026-11',
      amountMinor: -500n,
      quantity: '-50',
      adjusts: { previousAmountMinor: 11000n },
    },
  ]);
  expect(again(rated('1050'), [...rated('1000'), ...first, ...second])).toEqual([]);
});

test('a line that an adjustment added and that is gone again is credited under its own name', () => {
  const added = again(rated('0', [tokensCharge(perUnit), BASE]), rated('0'));
  expect(again(rated('0'), [...rated('0'), ...added])).toMatchObject([
    { key: 'sub_1/base/fixed/adjusts/2026-11', description: 'Base fee (adjustment of 2026-11)', amountMinor: -4900n },
  ]);
});

test('what a charge carried below zero comes back with the next invoice, once', () => {
  const billed = rated('-25'); // 0.00 billed, 2.50 carried
  const credit = again(billed, billed);
  expect(credit).toMatchObject([
    {
      amountMinor: -250n,
      carriedMinor: 0n,
      quantity: '0',
      steps: [
        { key: 'now/usage', amount: '-2.5' },
        { key: 'billed-before', amount: '0' },
      ],
    },
  ]);
  expect(again(billed, [...billed, ...credit])).toEqual([]);
});

test('allowance is adjusted by what more of it was used, also over several adjustments', () => {
  const charges = [tokensCharge(perUnit, { allowance: '100' })];
  const first = again(rated('160', charges), rated('60', charges)); // 60 free, then 100 free and 60 x 0.1
  expect(first).toMatchObject([{ amountMinor: 600n, quantity: '100', allowanceUsed: '40' }]);
  const second = again(rated('80', charges), [...rated('60', charges), ...first]);
  expect(second).toMatchObject([{ amountMinor: -600n, quantity: '-80', allowanceUsed: '-20' }]);
});

test('with a minimum, the minimum stays due and the correction comes back', () => {
  const charges = [tokensCharge(perUnit, { minimum: '10' })];
  const billed = rated('-25', charges);
  expect(billed[0]).toMatchObject({ amountMinor: 1000n, carriedMinor: -250n });
  expect(again(billed, billed)).toMatchObject([{ amountMinor: -250n, adjusts: { currentAmountMinor: 750n } }]);
});

test('lines of another period are refused', () => {
  expect(() => reRate({ currency: 'USD', period: '2026-10', current: [], billed: rated('1') })).toThrow(
    expect.objectContaining({ code: 'period_mixed' }),
  );
});
