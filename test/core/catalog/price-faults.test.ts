import { expect, test } from 'vitest';
import type { Meter } from '../../../core/catalog/meter.ts';
import { priceFaults } from '../../../core/catalog/price-faults.ts';
import { planFaults, readPlan } from '../../../core/catalog/read-plan.ts';
import { METERS } from '../../support/pricing-fixtures.ts';

type Json = Record<string, unknown>;
const PAYMENTS: readonly Meter[] = [
  ...METERS,
  { key: 'payments', eventType: 'payment', aggregation: 'transactions', value: 'amount', dimensions: ['card'] },
  { key: 'volume', eventType: 'payment', aggregation: 'sum', value: 'amount', dimensions: [] },
];
const charge = (meter: string, price: unknown, more: Json = {}): Json => ({
  kind: 'usage',
  key: 'x',
  name: 'X',
  meter,
  price,
  ...more,
});
const plan = (...charges: unknown[]) => ({ plan: 'p', name: 'P', currency: 'USD', charges });
const faults = (...charges: unknown[]): string[] =>
  planFaults(plan(...charges), PAYMENTS).map(({ field, code }) => `${field} ${code}`);

const open = { upTo: null };
const stairs = { model: 'stairstep', tiers: [{ ...open, flatAmount: '5' }] };
const rates = { model: 'graduated_percentage', tiers: [{ ...open, rate: '1' }] };
const matrix = (more: Json = {}) => ({
  model: 'matrix',
  dimensions: ['region', 'tier'],
  prices: [{ match: { region: 'eu' }, unitPrice: '1' }],
  defaultUnitPrice: '2',
  ...more,
});
const match = (...list: unknown[]) =>
  charge('api_calls', matrix({ prices: list.map((one) => ({ match: one, unitPrice: '1' })) }));

test.each([
  ['stairstep', charge('tokens', { ...stairs, flatAtZero: true })],
  ['a plain percentage', charge('volume', { model: 'percentage', rate: '1.5' }, { allowance: '100' })],
  [
    'a percentage with all its parts',
    charge('payments', {
      model: 'percentage',
      rate: '1.5',
      fixedFee: '0.3',
      freeEvents: 10,
      freeAmount: '100',
      transactionMinimum: '0.5',
      transactionMaximum: '0.5',
    }),
  ],
  ['graduated percentage', charge('payments', { ...rates, flatAtZero: false })],
  ['dynamic', charge('volume', { model: 'dynamic', multiplier: '1.2' })],
  ['dynamic without a multiplier', charge('payments', { model: 'dynamic' })],
  ['a matrix', charge('api_calls', matrix())],
  ['a discount in percent', charge('tokens', stairs, { discount: { percent: '100' } })],
  ['a discount of an amount', charge('tokens', stairs, { discount: { amount: '0.01' } })],
])('a charge with %s is read as it is written', (_what, input) => {
  expect(readPlan(plan(input), PAYMENTS).charges[0]).toEqual(input);
});

test.each([
  ['percentage', { model: 'percentage', rate: '1' }],
  ['graduated_percentage', rates],
  ['dynamic', { model: 'dynamic' }],
])('%s is refused on users, averages and levels over time, which every other model prices', (_model, price) => {
  for (const aggregation of ['unique_count', 'average', 'time_weighted_sum'] as const) {
    const meters = [{ key: 'm', eventType: 'e', aggregation, value: 'v', dimensions: [] }];
    const faultsFor = (model: object) => priceFaults(charge('m', model), [], meters).map(({ code }) => code);
    expect(faultsFor(price)).toEqual(['unsupported_pair']);
    for (const model of [{ model: 'per_unit', unitPrice: '1' }, stairs]) expect(faultsFor(model)).toEqual([]);
  }
});

test('a price that events bring themselves is refused on a balance, and no other one is', () => {
  const meter = { key: 'm', eventType: 'e', aggregation: 'sum', value: 'v', dimensions: [] } as const;
  const faultsFor = (model: object, more: object = {}) =>
    priceFaults(charge('m', model), [], [{ ...meter, ...more }]).map(({ field, code }) => `${field} ${code}`);
  expect(faultsFor({ model: 'dynamic' }, { reset: 'carry_over' })).toEqual(['price.model unsupported_pair']);
  expect(faultsFor({ model: 'dynamic' }, { reset: 'each_period' })).toEqual([]);
  expect(faultsFor({ model: 'percentage', rate: '1' }, { reset: 'carry_over' })).toEqual([]);
});

test.each([
  ['percentage', { model: 'percentage', rate: '1' }],
  ['graduated_percentage', rates],
  ['dynamic', { model: 'dynamic' }],
])('%s takes only amounts that add up: never a count, maximum or latest reading', (_model, price) => {
  for (const meter of ['api_calls', 'storage_gb', 'seats']) {
    expect(faults(charge(meter, price))).toEqual(['charges[0].price.model unsupported_pair']);
  }
  for (const meter of ['payments', 'volume']) expect(faults(charge(meter, price))).toEqual([]);
});

const percentage = (more: Json) => ({ model: 'percentage', rate: '1', ...more });

test.each([
  ['no rate', charge('volume', { model: 'percentage' }), ['charges[0].price.rate missing']],
  ['a rate that is a number', charge('volume', percentage({ rate: 1.5 })), ['charges[0].price.rate wrong_type']],
  [
    'a rate with 13 decimals',
    charge('volume', percentage({ rate: '0.0000000000001' })),
    ['charges[0].price.rate decimal_invalid'],
  ],
  ['a negative rate', charge('volume', percentage({ rate: '-1' })), ['charges[0].price.rate negative_price']],
  [
    'free events as text',
    charge('payments', percentage({ freeEvents: '3' })),
    ['charges[0].price.free_events wrong_type'],
  ],
  [
    'half a free event',
    charge('payments', percentage({ freeEvents: 0.5 })),
    ['charges[0].price.free_events wrong_type'],
  ],
  ['no free events', charge('payments', percentage({ freeEvents: 0 })), ['charges[0].price.free_events too_small']],
  [
    'a free amount of nothing',
    charge('payments', percentage({ freeAmount: '0' })),
    ['charges[0].price.free_amount not_positive'],
  ],
  [
    'a fee and bounds on a sum',
    charge('volume', percentage({ fixedFee: '1', transactionMaximum: '5' })),
    ['charges[0].price.fixed_fee needs_transactions', 'charges[0].price.transaction_maximum needs_transactions'],
  ],
  ['a fee on a count', charge('api_calls', percentage({ fixedFee: '1' })), ['charges[0].price.model unsupported_pair']],
  [
    'an allowance beside a fee',
    charge('payments', percentage({ fixedFee: '1' }), { allowance: '5' }),
    ['charges[0].allowance allowance_not_allowed'],
  ],
  [
    'a transaction minimum above the maximum',
    charge('payments', percentage({ transactionMinimum: '2', transactionMaximum: '1.99' })),
    ['charges[0].price.transaction_minimum minimum_above_maximum'],
  ],
  [
    'a stair without an amount',
    charge('tokens', { model: 'stairstep', tiers: [open] }),
    ['charges[0].price.tiers[0].flat_amount missing'],
  ],
  [
    'a stair with a unit price',
    charge('tokens', { model: 'stairstep', tiers: [{ ...open, flatAmount: '1', unitPrice: '1' }] }),
    ['charges[0].price.tiers[0].unit_price unknown_field'],
  ],
  [
    'stairs that descend',
    charge('tokens', {
      model: 'stairstep',
      tiers: [
        { upTo: '5', flatAmount: '1' },
        { upTo: '4', flatAmount: '1' },
      ],
    }),
    [
      'charges[0].price.tiers[1].up_to tier_bounds_not_ascending',
      'charges[0].price.tiers[1].up_to tier_open_end_missing',
    ],
  ],
  [
    'rates without an open end',
    charge('volume', { model: 'graduated_percentage', tiers: [{ upTo: '5', rate: '1' }] }),
    ['charges[0].price.tiers[0].up_to tier_open_end_missing'],
  ],
  [
    'a negative multiplier',
    charge('volume', { model: 'dynamic', multiplier: '-1' }),
    ['charges[0].price.multiplier negative_price'],
  ],
  [
    'a matrix without a default',
    charge('api_calls', matrix({ defaultUnitPrice: undefined })),
    ['charges[0].price.default_unit_price missing'],
  ],
  ['a matrix without entries', charge('api_calls', matrix({ prices: [] })), ['charges[0].price.prices too_small']],
  [
    'a matrix without dimensions',
    charge('api_calls', matrix({ dimensions: [], prices: [] })),
    ['charges[0].price.dimensions too_small', 'charges[0].price.prices too_small'],
  ],
  [
    'a dimension the meter lacks',
    charge('api_calls', matrix({ dimensions: ['region', 'colourCode'] })),
    ['charges[0].price.dimensions[1] unknown_dimension'],
  ],
  [
    'a dimension twice',
    charge('api_calls', matrix({ dimensions: ['region', 'region'] })),
    ['charges[0].price.dimensions[1] duplicate_dimension'],
  ],
  [
    'a match on a dimension the matrix does not name',
    match({ colourCode: 'red' }),
    ['charges[0].price.prices[0].match.colourCode unknown_dimension'],
  ],
  ['a match on nothing', match({}), ['charges[0].price.prices[0].match match_empty']],
  ['a match value that is a number', match({ region: 4 }), ['charges[0].price.prices[0].match.region wrong_type']],
  [
    'the same match twice',
    match({ region: 'eu' }, { region: 'eu' }),
    ['charges[0].price.prices[1].match ambiguous_match'],
  ],
  ['matches that meet', match({ region: 'eu' }, { tier: 'x' }), ['charges[0].price.prices[1].match ambiguous_match']],
  ['a discount of nothing', charge('tokens', stairs, { discount: {} }), ['charges[0].discount discount_unclear']],
  [
    'two discounts',
    charge('tokens', stairs, { discount: { percent: '1', amount: '1' } }),
    ['charges[0].discount discount_unclear'],
  ],
  [
    'a discount above 100 %',
    charge('tokens', stairs, { discount: { percent: '100.1' } }),
    ['charges[0].discount.percent too_big'],
  ],
  [
    'a discount of 0 %',
    charge('tokens', stairs, { discount: { percent: '0' } }),
    ['charges[0].discount.percent not_positive'],
  ],
  [
    'a negative discount',
    charge('tokens', stairs, { discount: { amount: '-1' } }),
    ['charges[0].discount.amount not_positive'],
  ],
])('%s is refused when written', (_what, input, expected) => {
  expect(faults(input)).toEqual(expected);
});

test.each([
  ['exclude each other', [{ region: 'eu' }, { region: 'us' }]],
  ['are one more specific than the other', [{ region: 'eu' }, { region: 'eu', tier: 'x' }]],
  ['meet where a more specific entry takes over', [{ region: 'eu' }, { tier: 'x' }, { region: 'eu', tier: 'x' }]],
])('matches that %s are accepted', (_what, list) => {
  expect(faults(match(...list))).toEqual([]);
});

test('a price per transaction needs a meter that does not round', () => {
  const rounding = { mode: 'up', places: 0 } as const;
  const meters = PAYMENTS.map((meter) => ({ ...meter, rounding }));
  const input = plan(charge('payments', percentage({ fixedFee: '1' })));
  expect(planFaults(input, meters).map(({ field, code }) => `${field} ${code}`)).toEqual([
    'charges[0].meter meter_rounds',
  ]);
  expect(planFaults(plan(charge('payments', percentage({}))), meters)).toEqual([]);
});

test('a charge on another meter never settles which of two charges takes usage', () => {
  const filtered = (key: string, meter: string, filter: Json) => ({ ...charge(meter, stairs), key, filter });
  const both: Meter = { key: 'calls_2', eventType: 'api_call', aggregation: 'count', dimensions: ['region', 'tier'] };
  const input = plan(
    filtered('a', 'api_calls', { region: 'eu' }),
    filtered('b', 'api_calls', { tier: 'x' }),
    filtered('c', 'calls_2', { region: 'eu', tier: 'x' }),
  );
  expect(planFaults(input, [...METERS, both]).map(({ field, code }) => `${field} ${code}`)).toEqual([
    'charges[1].filter ambiguous_filter',
  ]);
});

test('faults of every kind of price are listed in one answer', () => {
  const list = faults(
    charge('volume', percentage({ rate: 1, fixedFee: '1' }), { key: 'a' }),
    {
      ...charge(
        'api_calls',
        matrix({ prices: [{ match: { shade: 'x' }, unitPrice: 1 }], defaultUnitPrice: undefined }),
      ),
      key: 'b',
    },
    { ...charge('seats', { ...rates, tiers: [{ upTo: '5', rate: '-1' }] }), key: 'c', discount: { percent: '101' } },
  );
  expect(list.sort()).toEqual([
    'charges[0].price.fixed_fee needs_transactions',
    'charges[0].price.rate wrong_type',
    'charges[1].price.default_unit_price missing',
    'charges[1].price.prices[0].match.shade unknown_dimension',
    'charges[1].price.prices[0].unit_price wrong_type',
    'charges[2].discount.percent too_big',
    'charges[2].price.model unsupported_pair',
    'charges[2].price.tiers[0].rate negative_price',
    'charges[2].price.tiers[0].up_to tier_open_end_missing',
  ]);
});
