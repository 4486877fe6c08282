import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Charge } from '../../../core/catalog/charge.ts';
import type { Commitment } from '../../../core/catalog/commitment.ts';
import { type RatingInput, rateCharges } from '../../../core/rating/rate.ts';
import { parseInstant } from '../../../core/time/instant.ts';
import { NOVEMBER, planOf, ratingInput, slice, tokensCharge } from '../../support/pricing-fixtures.ts';

const BASE: Charge = { kind: 'fixed', key: 'base', name: 'Base fee', amount: '49', timing: 'in_arrears' };
const CENT_A_TOKEN = tokensCharge({ model: 'per_unit', unitPrice: '0.01' });
const commit = (more: Partial<Commitment> = {}): Commitment => ({
  amount: '100',
  term: 'period',
  trueUp: true,
  ...more,
});

function linesOf(
  tokens: string,
  commitment: Commitment,
  more: Partial<RatingInput> = {},
  charges = [BASE, CENT_A_TOKEN],
) {
  const plan = planOf(charges as Charge[], { commitment, ...more.plan });
  return rateCharges(ratingInput([], [slice('tokens', tokens)], { ...more, plan })).lines;
}
const amountsOf = (...args: Parameters<typeof linesOf>) =>
  linesOf(...args).map(({ key, amountMinor }) => [key.replace('sub_1/', ''), amountMinor]);

describe('a commitment of 100.00 on a base fee of 49.00 and tokens at a cent', () => {
  test.each([
    // 100 - 49 - 0
    ['0', 0n, 5100n],
    // 100 - 49 - 50.99
    ['5099', 5099n, 1n],
    // 100 - 49 - 50.994, which is billed as 50.99
    ['5099.4', 5099n, 1n],
  ])('bills what is missing at %s tokens', (tokens, usage, trueUp) => {
    expect(amountsOf(tokens, commit())).toEqual([
      ['base/fixed', 4900n],
      ['tokens/usage', usage],
      ['commitment/true-up', trueUp],
    ]);
  });

  test.each(['5100', '5101', '900000'])('adds no line at %s tokens, which reach it', (tokens) => {
    expect(amountsOf(tokens, commit()).map(([key]) => key)).toEqual(['base/fixed', 'tokens/usage']);
  });

  test.each([
    ['5099', []],
    ['5100', []],
    // one cent above, at a fifth more: 0.2 cents, which is no cent
    ['5101', [['commitment/overage', 0n]]],
    // 50 dollars above: 10 dollars more
    ['10100', [['commitment/overage', 1000n]]],
  ])('with an overage factor of 1.2 and no true-up, %s tokens cost', (tokens, expected) => {
    expect(amountsOf(tokens, commit({ trueUp: false, overageFactor: '1.2' })).slice(2)).toEqual(expected);
  });

  test('a factor of 1 is no overage', () => {
    expect(amountsOf('10100', commit({ overageFactor: '1' }))).toHaveLength(2);
  });
});

test('true-up and overage explain themselves and name the version they come from', () => {
  const [, , trueUp] = linesOf('1000', commit());
  expect(trueUp).toMatchObject({
    key: 'sub_1/commitment/true-up',
    kind: 'commitment',
    charge: 'commitment',
    quantity: '1',
    priceVersion: 'growth@3',
    exactAmount: '41',
  });
  expect(trueUp?.steps.map(({ key, label, amount }) => [key, label, amount])).toEqual([
    ['commitment', 'Commitment of 100', '100'],
    ['billed', 'Billed by the other lines', '-59'],
  ]);
  const [, , overage] = linesOf('10100', commit({ overageFactor: '1.2' }), {
    sources: { charges: {}, commitment: 'contract:acme@2' },
  });
  expect(overage).toMatchObject({ priceVersion: 'contract:acme@2', exactAmount: '10', amountMinor: 1000n });
  expect(overage?.steps.map(({ key, quantity, unitPrice, amount }) => [key, quantity, unitPrice, amount])).toEqual([
    // (49 + 101) x 0.2 - 100 x 0.2
    ['billed', '150', '0.2', '30'],
    ['commitment', '-100', '0.2', '-20'],
  ]);
});

test('a partial period commits to its days only', () => {
  const service = { start: parseInstant('2026-11-14T00:00:00Z'), end: NOVEMBER.end };
  // 17 of 30 days: fee 49 x 17/30 = 27.7666... (27.77), commitment 100 x 17/30 = 56.6666..., missing 28.8966... (28.90)
  const lines = linesOf('0', commit(), { service });
  expect(lines.map(({ exactAmount, amountMinor }) => [exactAmount, amountMinor])).toEqual([
    ['833/30', 2777n],
    ['0', 0n],
    ['8669/300', 2890n],
  ]);
  expect(lines[2]?.steps[0]).toMatchObject({
    label: 'Commitment of 100 x 17/30 days',
    fraction: '17/30',
    amount: '170/3',
  });
});

test('a plan whose days belong to the plan before it commits to nothing, and has no overage', () => {
  const start = parseInstant('2026-11-14T00:00:00Z');
  const service = { start, end: NOVEMBER.end };
  expect(amountsOf('10000', commit({ overageFactor: '2' }), { service, share: { start, end: start } })).toEqual([
    ['base/fixed', 0n],
    ['tokens/usage', 10000n],
  ]);
});

test('fees billed in advance count toward the commitment and are not billed again', () => {
  const seat: Charge = { kind: 'fixed', key: 'seat', name: 'Seat', amount: '30', timing: 'in_advance' };
  // 100 - 49 - 0 - 30
  expect(amountsOf('0', commit(), {}, [BASE, CENT_A_TOKEN, seat] as never)).toEqual([
    ['base/fixed', 4900n],
    ['tokens/usage', 0n],
    ['commitment/true-up', 2100n],
  ]);
  expect(amountsOf('0', commit(), { bills: 'advance' }, [BASE, CENT_A_TOKEN, seat] as never)).toEqual([
    ['seat/fixed', 3000n],
  ]);
});

test('what a correction carries below zero does not lower the commitment', () => {
  expect(amountsOf('-500', commit())).toEqual([
    ['base/fixed', 4900n],
    ['tokens/usage', 0n],
    ['commitment/true-up', 5100n],
  ]);
});

test('below the commitment lines and true-up are the commitment; above it the overage is the excess x (factor - 1)', () => {
  const cents = (tokens: number, fee: number) => BigInt(tokens + fee);
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 20_000 }),
      fc.integer({ min: 0, max: 9_000 }),
      fc.integer({ min: 1, max: 15_000 }),
      (tokens, fee, amount) => {
        const charges = [{ ...BASE, amount: (fee / 100).toString() }, CENT_A_TOKEN];
        const commitment = commit({ amount: (amount / 100).toString(), overageFactor: '3' });
        const lines = linesOf(String(tokens), commitment, {}, charges as never);
        const total = lines.reduce((sum, line) => sum + line.amountMinor, 0n);
        const billed = cents(tokens, fee);
        const excess = billed - BigInt(amount);
        expect(total).toBe(excess <= 0n ? BigInt(amount) : billed + 2n * excess);
        expect(lines.length).toBe(excess === 0n ? 2 : 3);
      },
    ),
  );
});
