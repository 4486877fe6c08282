import { expect, test } from 'vitest';
import type { Charge } from '../../../core/catalog/charge.ts';
import { Rational } from '../../../core/money/rational.ts';
import { rateCharges } from '../../../core/rating/rate.ts';
import { reRate } from '../../../core/rating/re-rate.ts';
import { parseInstant } from '../../../core/time/instant.ts';
import { NOVEMBER, planOf, ratingInput, slice, tokensCharge } from '../../support/pricing-fixtures.ts';

const FEE: Charge = { kind: 'fixed', key: 'base', name: 'Base fee', amount: '49', timing: 'in_arrears' };
const TOKENS = tokensCharge({ model: 'per_unit', unitPrice: '0.015' }, { minimum: '2' });
const YEN = { currency: 'JPY', rate: '149.25' } as const;
const DINARS = { currency: 'KWD', rate: '0.3071' } as const;

const rated = (tokens: string, conversion: typeof YEN | typeof DINARS, more: object = {}) =>
  rateCharges(ratingInput([FEE, TOKENS], [slice('tokens', tokens)], { conversion, ...more })).lines;

test('dollar prices are billed in yen at the stored rate, rounded once, in yen', () => {
  expect(rated('333', YEN).map(({ exactAmount, amountMinor }) => [exactAmount, amountMinor])).toEqual([
    // 49 x 149.25 = 7313.25
    ['7313.25', 7313n],
    // 333 x 0.015 = 4.995 (not 5.00) x 149.25 = 745.50375
    ['745.50375', 746n],
  ]);
});

test('and in dinars with three places', () => {
  expect(rated('333', DINARS).map(({ exactAmount, amountMinor }) => [exactAmount, amountMinor])).toEqual([
    // 49 x 0.3071 = 15.0479
    ['15.0479', 15048n],
    // 4.995 x 0.3071 = 1.5339645
    ['1.5339645', 1534n],
  ]);
});

test('the conversion is a row of its own and the rows still add up', () => {
  const line = rated('333', YEN)[1];
  expect(line?.steps.at(-1)).toMatchObject({
    key: 'conversion',
    label: 'Converted: 4.995 USD at 149.25 JPY',
    // 745.50375 - 4.995
    amount: '740.50875',
  });
  const sum = line?.steps.reduce((total, row) => total.plus(Rational.parse(row.amount)), Rational.ZERO);
  expect(sum?.toString()).toBe('745.50375');
});

test('a prorated fee is converted exactly', () => {
  const service = { start: parseInstant('2026-11-14T00:00:00Z'), end: NOVEMBER.end };
  // 49 x 17/30 x 149.25 = 4144.175
  expect(rated('0', YEN, { service })[0]).toMatchObject({ exactAmount: '4144.175', amountMinor: 4144n });
});

test('a correction below zero is carried in the currency that is billed, and re-rating explains it to the last row', () => {
  const [, line] = rated('-1000', YEN);
  // -1000 x 0.015 = -15, carried: -15 x 149.25 = -2238.75; the minimum of 2 is due: 298.5
  expect(line).toMatchObject({ exactAmount: '298.5', amountMinor: 299n, carriedMinor: -2239n });
  const current = [line].filter((each) => each !== undefined);
  const billed = current.map((each) => ({ ...each, steps: [] }));
  const [adjustment] = reRate({ currency: 'JPY', period: '2026-11', current, billed });
  // 298.5 - 2238.75 = -1940.25 rounds to -1940; billed before: 299
  expect(adjustment).toMatchObject({ amountMinor: -2239n });
  const sum = adjustment?.steps.reduce((total, row) => total.plus(Rational.parse(row.amount)), Rational.ZERO);
  expect(sum?.toString()).toBe('-2239');
});

test('a commitment in dollars is measured in yen', () => {
  const plan = planOf([FEE], { commitment: { amount: '100', term: 'period', trueUp: true } });
  const { lines } = rateCharges(ratingInput([], [], { plan, conversion: YEN }));
  // 100 x 149.25 = 14925; 14925 - 7313
  expect(lines.map(({ amountMinor }) => amountMinor)).toEqual([7313n, 7612n]);
  expect(lines[1]?.steps[0]).toMatchObject({
    label: 'Commitment of 100 USD at 149.25 JPY',
    quantity: '100',
    unitPrice: '149.25',
    amount: '14925',
  });
});
