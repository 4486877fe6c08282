import { expect, test } from 'vitest';
import type { ContractVersion } from '../../../core/catalog/contract.ts';
import type { CustomerId } from '../../../core/ids.ts';
import { effectivePlan } from '../../../core/rating/effective-plan.ts';
import { rateCharges } from '../../../core/rating/rate.ts';
import { NOVEMBER, planOf, ratingInput, slice, tokensCharge } from '../../support/pricing-fixtures.ts';

const perUnit = (unitPrice: string) => ({ model: 'per_unit', unitPrice }) as const;
const calls = { ...tokensCharge(perUnit('1')), key: 'calls', name: 'Calls', meter: 'api_calls' };
const PLAN = planOf(
  [
    tokensCharge(perUnit('0.01'), { allowance: '100', minimum: '5' }),
    calls,
    { kind: 'fixed', key: 'base', name: 'Base', amount: '49', timing: 'in_arrears' },
  ],
  { commitment: { amount: '60', term: 'period', trueUp: true } },
);
const contract = (more: Partial<ContractVersion>): ContractVersion => ({
  id: 'acme',
  version: 4,
  customer: 'acme' as CustomerId,
  plan: 'growth',
  currency: 'USD',
  interval: 'month',
  start: NOVEMBER.start,
  end: null,
  overrides: [],
  ...more,
});
function billed(more: Partial<ContractVersion> | null) {
  const { plan, sources } = effectivePlan(PLAN, more === null ? null : contract(more));
  const slices = [slice('tokens', '400'), slice('api_calls', '2')];
  return rateCharges(ratingInput([], slices, { plan, sources })).lines.map(({ charge, amountMinor, priceVersion }) => [
    charge,
    amountMinor,
    priceVersion,
  ]);
}

test('without a contract the plan prices everything', () => {
  expect(billed(null)).toEqual([
    // (400 - 100) x 0.01 = 3, at least 5
    ['tokens', 500n, 'growth@3'],
    ['calls', 200n, 'growth@3'],
    ['base', 4900n, 'growth@3'],
    // 60 - 56
    ['commitment', 400n, 'growth@3'],
  ]);
});

test('what the contract says beats the plan, null takes a term away, and each line names where its price comes from', () => {
  const overrides = [
    { charge: 'tokens', price: perUnit('0.02'), minimum: null },
    { charge: 'base', amount: '39' },
  ];
  expect(billed({ overrides, commitment: { amount: '100', term: 'period', trueUp: true } })).toEqual([
    // (400 - 100) x 0.02, no minimum
    ['tokens', 600n, 'contract:acme@4'],
    ['calls', 200n, 'growth@3'],
    ['base', 3900n, 'contract:acme@4'],
    // 100 - 47
    ['commitment', 5300n, 'contract:acme@4'],
  ]);
});

test('a contract takes the commitment away and gives an envelope instead', () => {
  const envelopes = [
    {
      key: 'e',
      name: 'Free',
      quantity: '301',
      burn: [
        { charge: 'tokens', weight: '1' },
        { charge: 'calls', weight: '1' },
      ],
    },
  ];
  expect(billed({ commitment: null, envelopes })).toEqual([
    // 100 of its own and 300 of the envelope; the minimum stays
    ['tokens', 500n, 'contract:acme@4'],
    // 1 of 2 calls
    ['calls', 100n, 'contract:acme@4'],
    ['base', 4900n, 'growth@3'],
  ]);
});

test('what a version of the plan does not have is left out', () => {
  expect(billed({ overrides: [{ charge: 'gpu', price: perUnit('9') }] })).toEqual(billed(null));
});

test('a contract takes a percentage off every charge that has no word of its own on discounts', () => {
  const overrides = [
    { charge: 'base', discount: null },
    { charge: 'calls', discount: { amount: '0.5' } },
  ];
  expect(billed({ overrides, discount: { percent: '10' }, commitment: null })).toEqual([
    // the minimum of 5 less 10 %
    ['tokens', 450n, 'contract:acme@4'],
    ['calls', 150n, 'contract:acme@4'],
    ['base', 4900n, 'contract:acme@4'],
  ]);
});
