import { expect, test } from 'vitest';
import { pairFaults } from '../../../core/catalog/price-faults.ts';
import { planFaults, readPlan } from '../../../core/catalog/read-plan.ts';
import { METERS } from '../../support/pricing-fixtures.ts';

type Json = Record<string, unknown>;
const perUnit = { model: 'per_unit', unitPrice: '0.01' };
const usage = (more: Json = {}): Json => ({
  kind: 'usage',
  key: 'tokens',
  name: 'Tokens',
  meter: 'tokens',
  price: perUnit,
  ...more,
});
const plan = (charges: unknown[], more: Json = {}): Json => ({
  plan: 'growth',
  name: 'Growth',
  currency: 'USD',
  charges,
  ...more,
});
const tiers = (...list: unknown[]) => usage({ price: { model: 'graduated', tiers: list } });
const tier = (upTo: unknown, unitPrice: unknown = '1') => ({ upTo, unitPrice });
const faults = (input: unknown): string[] => planFaults(input, METERS).map(({ field, code }) => `${field} ${code}`);

test('a good plan is read with its defaults', () => {
  const charges = [
    usage({ allowance: '1000', minimum: '5', maximum: '5' }),
    { kind: 'fixed', key: 'base', name: 'Base', amount: '49' },
  ];
  expect(readPlan(plan(charges), METERS)).toEqual({
    plan: 'growth',
    name: 'Growth',
    currency: 'USD',
    interval: 'month',
    charges: [
      {
        kind: 'usage',
        key: 'tokens',
        name: 'Tokens',
        meter: 'tokens',
        allowance: '1000',
        price: perUnit,
        minimum: '5',
        maximum: '5',
      },
      { kind: 'fixed', key: 'base', name: 'Base', amount: '49', timing: 'in_arrears' },
    ],
  });
});

test.each([
  ['nothing', undefined, ['body missing']],
  ['no charges', plan([]), ['charges too_small']],
  ['an unknown currency', plan([usage()], { currency: 'usd' }), ['currency not_allowed']],
  ['an unknown field', plan([usage()], { billingDay: 3 }), ['billing_day unknown_field']],
  ['every 0 days', plan([usage()], { interval: { days: 0 } }), ['interval.days too_small']],
  ['a number as interval', plan([usage()], { interval: 30 }), ['interval wrong_type']],
  ['proration by the hour', plan([usage()], { proration: 'hour' }), ['proration not_allowed']],
  ['an interval of another length', plan([usage()], { interval: 'fortnight' }), ['interval not_allowed']],
  ['a charge that is text', plan(['usage']), ['charges[0] wrong_type']],
  ['an unknown kind of charge', plan([usage({ kind: 'one_off' })]), ['charges[0].kind not_allowed']],
  ['an unknown model', plan([usage({ price: { model: 'magic' } })]), ['charges[0].price.model not_allowed']],
  ['no model', plan([usage({ price: {} })]), ['charges[0].price.model missing']],
  [
    'a number as price',
    plan([usage({ price: { model: 'per_unit', unitPrice: 0.01 } })]),
    ['charges[0].price.unit_price wrong_type'],
  ],
  [
    '13 decimals',
    plan([usage({ price: { model: 'per_unit', unitPrice: '0.0000000000001' } })]),
    ['charges[0].price.unit_price decimal_invalid'],
  ],
  [
    '27 integer digits',
    plan([usage({ price: { model: 'per_unit', unitPrice: '100000000000000000000000000' } })]),
    ['charges[0].price.unit_price decimal_invalid'],
  ],
  [
    'an exponent',
    plan([usage({ price: { model: 'per_unit', unitPrice: '1e-3' } })]),
    ['charges[0].price.unit_price decimal_invalid'],
  ],
  [
    'a negative price',
    plan([usage({ price: { model: 'per_unit', unitPrice: '-0.01' } })]),
    ['charges[0].price.unit_price negative_price'],
  ],
  [
    'a negative fee',
    plan([{ kind: 'fixed', key: 'base', name: 'Base', amount: '-1' }]),
    ['charges[0].amount negative_price'],
  ],
  [
    'a fee at another time',
    plan([{ kind: 'fixed', key: 'base', name: 'Base', amount: '1', timing: 'some_day' }]),
    ['charges[0].timing not_allowed'],
  ],
  ['an allowance of zero', plan([usage({ allowance: '0' })]), ['charges[0].allowance not_positive']],
  [
    'packages of nothing',
    plan([usage({ price: { model: 'package', packageSize: '0.0', packagePrice: '1' } })]),
    ['charges[0].price.package_size not_positive'],
  ],
  ['a key twice', plan([usage(), usage({ meter: 'storage_gb' })]), ['charges[1].key duplicate_key']],
  ['an unknown meter', plan([usage({ meter: 'tokns' })]), ['charges[0].meter unknown_meter']],
  [
    'an unknown dimension',
    plan([usage({ filter: { modelName: 'a' } })]),
    ['charges[0].filter.modelName unknown_dimension'],
  ],
  ['a filter value that is a number', plan([usage({ filter: { model: 4 } })]), ['charges[0].filter.model wrong_type']],
  [
    'a minimum above the maximum',
    plan([usage({ minimum: '5.01', maximum: '5' })]),
    ['charges[0].minimum minimum_above_maximum'],
  ],
])('a plan with %s is refused when written', (_what, input, expected) => {
  expect(faults(input)).toEqual(expected);
});

test.each([
  ['no tiers', tiers(), ['charges[0].price.tiers too_small']],
  ['no open end', tiers(tier('10'), tier('20')), ['charges[0].price.tiers[1].up_to tier_open_end_missing']],
  [
    'an open end before the last',
    tiers(tier(null), tier('20'), tier(null)),
    ['charges[0].price.tiers[0].up_to tier_open_end_early'],
  ],
  [
    'descending bounds',
    tiers(tier('20'), tier('10'), tier(null)),
    ['charges[0].price.tiers[1].up_to tier_bounds_not_ascending'],
  ],
  [
    'a bound twice',
    tiers(tier('20'), tier('20.0'), tier(null)),
    ['charges[0].price.tiers[1].up_to tier_bounds_not_ascending'],
  ],
  ['a bound of zero', tiers(tier('0'), tier(null)), ['charges[0].price.tiers[0].up_to tier_bounds_not_ascending']],
  ['a bound that is a number', tiers(tier(10), tier(null)), ['charges[0].price.tiers[0].up_to wrong_type']],
  ['a bound left out', tiers({ unitPrice: '1' }), ['charges[0].price.tiers[0].up_to missing']],
  [
    'a negative flat amount',
    tiers({ ...tier(null), flatAmount: '-1' }),
    ['charges[0].price.tiers[0].flat_amount negative_price'],
  ],
  [
    'a bad price beside a bad bound',
    tiers(tier('20', 1), tier('10', '-1'), tier('5')),
    [
      'charges[0].price.tiers[0].unit_price wrong_type',
      'charges[0].price.tiers[1].unit_price negative_price',
      'charges[0].price.tiers[1].up_to tier_bounds_not_ascending',
      'charges[0].price.tiers[2].up_to tier_bounds_not_ascending',
      'charges[0].price.tiers[2].up_to tier_open_end_missing',
    ],
  ],
])('tiers with %s are refused, each with its path', (_what, charge, expected) => {
  expect(faults(plan([charge]))).toEqual(expected);
});

const calls = (key: string, filter?: Json) => usage({ key, meter: 'api_calls', ...(filter && { filter }) });

test.each([
  ['two charges without filter', [calls('a'), calls('b')], ['charges[1].filter ambiguous_filter']],
  ['an empty filter beside none', [calls('a'), calls('b', {})], ['charges[1].filter ambiguous_filter']],
  [
    'the same filter twice',
    [calls('a', { region: 'eu' }), calls('b', { region: 'eu' })],
    ['charges[1].filter ambiguous_filter'],
  ],
  [
    'filters that some usage matches alike',
    [calls('a', { region: 'eu' }), calls('b', { tier: 'x' })],
    ['charges[1].filter ambiguous_filter'],
  ],
])('%s are refused: no usage may belong to two charges', (_what, charges, expected) => {
  expect(faults(plan(charges))).toEqual(expected);
});

test.each([
  ['values that exclude each other', [calls('a', { region: 'eu' }), calls('b', { region: 'us' })]],
  [
    'one more specific than the other',
    [calls('a', { region: 'eu' }), calls('b', { region: 'eu', tier: 'x' }), calls('c')],
  ],
  [
    'a more specific charge that takes what both match',
    [calls('a', { region: 'eu' }), calls('b', { tier: 'x' }), calls('c', { region: 'eu', tier: 'x' })],
  ],
  ['different meters', [calls('a'), usage({ key: 'b' })]],
])('filters with %s are accepted', (_what, charges) => {
  expect(faults(plan(charges))).toEqual([]);
});

test('every fault of a plan is listed in one answer', () => {
  const input = plan(
    [
      usage({ meter: 'nope', price: { model: 'per_unit', unitPrice: 1 } }),
      tiers(tier('5'), tier('4')),
      usage({ key: 'fine', filter: { colour: 'red' }, minimum: '2', maximum: '1' }),
    ],
    { currency: 'XYZ' },
  );
  expect(faults(input).sort()).toEqual([
    'charges[0].meter unknown_meter',
    'charges[0].price.unit_price wrong_type',
    'charges[1].key duplicate_key',
    'charges[1].price.tiers[1].up_to tier_bounds_not_ascending',
    'charges[1].price.tiers[1].up_to tier_open_end_missing',
    'charges[2].filter.colour unknown_dimension',
    'charges[2].minimum minimum_above_maximum',
    'currency not_allowed',
  ]);
  expect(() => readPlan(input, METERS)).toThrow(expect.objectContaining({ kind: 'invalid', code: 'plan_invalid' }));
});

test('a model that cannot price what the meter yields is refused', () => {
  const supported = { per_unit: ['count', 'sum'] as const };
  expect(pairFaults(usage({ meter: 'storage_gb' }), ['charges', 4], METERS, supported)).toEqual([
    {
      field: 'charges[4].price.model',
      code: 'unsupported_pair',
      detail:
        'Got the model per_unit on the max meter storage_gb; expected a model for max meters, or a meter of the kind count, sum.',
      got: '"per_unit"',
      expected: 'a model for max meters, or a meter of the kind count, sum',
    },
  ]);
  expect(pairFaults(usage(), ['charges', 0], METERS, supported)).toEqual([]);
});
