import { expect, test } from 'vitest';
import { planFaults, readPlan } from '../../../core/catalog/read-plan.ts';
import { METERS } from '../../support/pricing-fixtures.ts';

type Json = Record<string, unknown>;
const usage = (key: string, meter: string): Json => ({
  kind: 'usage',
  key,
  name: key,
  meter,
  price: { model: 'per_unit', unitPrice: '0.01' },
});
const CHARGES = [
  usage('tokens', 'tokens'),
  usage('calls', 'api_calls'),
  { kind: 'fixed', key: 'base', name: 'Base', amount: '49' },
];
const COMMITMENT = { amount: '100', term: 'period', trueUp: true };
const ENVELOPE = { key: 'units', name: 'Units', quantity: '1000', burn: [{ charge: 'tokens', weight: '1' }] };
const plan = (more: Json): Json => ({ plan: 'growth', name: 'Growth', currency: 'USD', charges: CHARGES, ...more });
const faults = (more: Json): string[] => planFaults(plan(more), METERS).map(({ field, code }) => `${field} ${code}`);

test('a plan with a commitment and an envelope is kept as it is written', () => {
  const more = { commitment: { ...COMMITMENT, overageFactor: '1.2' }, envelopes: [ENVELOPE] };
  expect(readPlan(plan(more), METERS)).toMatchObject(more);
});

test.each([
  ['no term', { amount: '100', trueUp: true }, ['commitment.term missing']],
  ['another term', { ...COMMITMENT, term: 'year' }, ['commitment.term not_allowed']],
  ['no word on true-up', { amount: '100', term: 'period' }, ['commitment.true_up missing']],
  ['an amount of 0', { ...COMMITMENT, amount: '0' }, ['commitment.amount not_positive']],
  ['a number for an amount', { ...COMMITMENT, amount: 100 }, ['commitment.amount wrong_type']],
  ['a factor below 1', { ...COMMITMENT, overageFactor: '0.99' }, ['commitment.overage_factor factor_below_one']],
  ['neither true-up nor factor', { ...COMMITMENT, trueUp: false }, ['commitment commitment_without_effect']],
])('a commitment with %s is refused when written', (_what, commitment, expected) => {
  expect(faults({ commitment })).toEqual(expected);
});

test.each([
  ['an unknown charge', [{ charge: 'storage', weight: '1' }], ['envelopes[0].burn[0].charge unknown_charge']],
  ['a fixed fee', [{ charge: 'base', weight: '1' }], ['envelopes[0].burn[0].charge unknown_charge']],
  ['nothing to cover', [], ['envelopes[0].burn too_small']],
  [
    'a weight of 0 and a charge twice',
    [
      { charge: 'tokens', weight: '0' },
      { charge: 'tokens', weight: '1' },
    ],
    ['envelopes[0].burn[0].weight not_positive', 'envelopes[0].burn[1].charge charge_in_two_envelopes'],
  ],
])('an envelope with %s is refused when written', (_what, burn, expected) => {
  expect(faults({ envelopes: [{ ...ENVELOPE, burn }] })).toEqual(expected);
});

test('a charge draws on one envelope, and envelopes have keys of their own', () => {
  expect(faults({ envelopes: [ENVELOPE, ENVELOPE] })).toEqual([
    'envelopes[1].key duplicate_key',
    'envelopes[1].burn[0].charge charge_in_two_envelopes',
  ]);
});

test('a charge priced by single transactions draws on no envelope', () => {
  const byTransaction = { ...usage('tokens', 'tokens'), price: { model: 'percentage', rate: '1', freeEvents: 3 } };
  const found = faults({ charges: [byTransaction], envelopes: [ENVELOPE] });
  expect(found).toContain('envelopes[0].burn[0].charge charge_takes_no_envelope');
});
