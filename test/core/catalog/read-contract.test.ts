import { describe, expect, test } from 'vitest';
import type { PlanVersion } from '../../../core/catalog/plan.ts';
import { contractFaults, readContract } from '../../../core/catalog/read-contract.ts';
import { priceListFaults } from '../../../core/catalog/read-price-list.ts';
import { METERS, planOf, tokensCharge } from '../../support/pricing-fixtures.ts';

type Json = Record<string, unknown>;
const PER_UNIT = { model: 'per_unit', unitPrice: '0.01' } as const;
const PLAN: PlanVersion = planOf([
  tokensCharge(PER_UNIT, { minimum: '10' }),
  { kind: 'fixed', key: 'base', name: 'Base', amount: '49', timing: 'in_arrears' },
]);
const OLDER: PlanVersion = planOf([tokensCharge(PER_UNIT)], { version: 2 });
const contract = (more: Json): Json => ({
  id: 'acme-2027',
  customer: 'acme',
  plan: 'growth',
  currency: 'USD',
  start: '2027-01-01T00:00:00Z',
  ...more,
});
const faults = (more: Json, plans: readonly PlanVersion[] = [PLAN]): string[] =>
  contractFaults(contract(more), plans, METERS).map(({ field, code }) => `${field} ${code}`);

test('a good contract is read with its defaults and the interval of its plan', () => {
  const overrides = [{ charge: 'tokens', price: { ...PER_UNIT, unitPrice: '0.008' }, allowance: '100', minimum: null }];
  expect(readContract(contract({ overrides }), [PLAN], METERS)).toEqual({
    ...contract({}),
    overrides,
    interval: 'month',
    start: '2027-01-01T00:00:00.000Z',
    end: null,
  });
});

test.each([
  ['a plan that is not there', {}, [], ['plan unknown_plan']],
  ['another currency', { currency: 'EUR' }, [PLAN], ['currency currency_mismatch']],
  ['a start off the quarter hour', { start: '2027-01-01T00:10:00Z' }, [PLAN], ['start start_invalid']],
  ['an end at its start', { end: '2027-01-01T00:00:00Z' }, [PLAN], ['end end_invalid']],
  ['no start', { start: undefined }, [PLAN], ['start missing']],
  ['an unknown field', { discounts: '5' }, [PLAN], ['discounts unknown_field']],
  ['a discount of more than all', { discount: { percent: '100.01' } }, [PLAN], ['discount.percent too_big']],
  [
    'a discount of an amount',
    { discount: { amount: '5' } },
    [PLAN],
    ['discount.percent missing', 'discount.amount unknown_field'],
  ],
  [
    'a discount that is both',
    { overrides: [{ charge: 'base', discount: { percent: '5', amount: '5' } }] },
    [PLAN],
    ['overrides[0].discount discount_unclear'],
  ],
])('a contract with %s is refused when written', (_what, more, plans, expected) => {
  expect(faults(more, plans)).toEqual(expected);
});

describe('an override', () => {
  test.each([
    ['of a charge the plan does not have', { charge: 'calls' }, ['overrides[0].charge unknown_charge']],
    ['of a fee on a usage charge', { charge: 'tokens', amount: '1' }, ['overrides[0].amount unknown_field']],
    ['of a price on a fee', { charge: 'base', price: PER_UNIT }, ['overrides[0].price unknown_field']],
    [
      'with a price of 13 decimals',
      { charge: 'tokens', price: { model: 'per_unit', unitPrice: '0.0000000000001' } },
      ['overrides[0].price.unit_price decimal_invalid'],
    ],
    [
      'with tiers that do not ascend and have no end',
      {
        charge: 'tokens',
        price: {
          model: 'volume',
          tiers: [
            { upTo: '5', unitPrice: '1' },
            { upTo: '5', unitPrice: '1' },
          ],
        },
      },
      [
        'overrides[0].price.tiers[1].up_to tier_bounds_not_ascending',
        'overrides[0].price.tiers[1].up_to tier_open_end_missing',
      ],
    ],
    [
      'with a maximum below the minimum of the plan',
      { charge: 'tokens', maximum: '9' },
      ['overrides[0].minimum minimum_above_maximum'],
    ],
    ['with a maximum once the minimum is taken away', { charge: 'tokens', maximum: '9', minimum: null }, []],
    ['with a number for a decimal', { charge: 'tokens', allowance: 5 }, ['overrides[0].allowance wrong_type']],
  ])('%s', (_what, override, expected) => {
    expect(faults({ overrides: [override] })).toEqual(expected);
  });

  test('of a charge twice', () => {
    expect(faults({ overrides: [{ charge: 'base' }, { charge: 'base' }] })).toEqual([
      'overrides[1].charge duplicate_charge',
    ]);
  });

  test('may name a charge that only some of the versions have', () => {
    expect(faults({ overrides: [{ charge: 'base', amount: '39' }] }, [PLAN, OLDER])).toEqual([]);
    expect(faults({ overrides: [{ charge: 'calls' }] }, [PLAN, OLDER])).toEqual(['overrides[0].charge unknown_charge']);
  });
});

test('all faults of a contract are found at once, with their paths', () => {
  const more = {
    currency: 'EUR',
    end: '2026-01-01T00:00:00Z',
    overrides: [{ charge: 'gpu' }, { charge: 'tokens', price: { model: 'per_unit', unitPrice: 0.01 } }],
    commitment: { amount: '100', trueUp: true },
    envelopes: [{ key: 'e', name: 'E', quantity: '10', burn: [{ charge: 'gpu', weight: '1' }] }],
  };
  expect(faults(more).toSorted()).toEqual([
    'commitment.term missing',
    'currency currency_mismatch',
    'end end_invalid',
    'envelopes[0].burn[0].charge unknown_charge',
    'overrides[0].charge unknown_charge',
    'overrides[1].price.unit_price wrong_type',
  ]);
});

test('a price list keeps the rules of a plan’s charges, and holds no fees', () => {
  const found = (charges: unknown[]) =>
    priceListFaults({ currency: 'USD', charges }, METERS).map(({ field, code }) => `${field} ${code}`);
  expect(found([tokensCharge(PER_UNIT)])).toEqual([]);
  expect(found([])).toEqual([]);
  expect(found([tokensCharge(PER_UNIT, { meter: 'gone', filter: { region: 'eu' } }), tokensCharge(PER_UNIT)])).toEqual([
    'charges[1].key duplicate_key',
    'charges[0].meter unknown_meter',
  ]);
  expect(found([{ kind: 'fixed', key: 'base', name: 'Base', amount: '1' }])).toContain('charges[0].kind not_allowed');
});
