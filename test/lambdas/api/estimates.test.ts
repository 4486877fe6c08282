import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ApiUnderTest, apiOver } from '../../support/api-client.ts';
import { type LocalTables, startLocalTables } from '../../support/local-tables.ts';

let tables: LocalTables;
let api: ApiUnderTest;
let admin: string;
let project: string;
let count = 0;

const TOKENS = { key: 'tokens', event_type: 'llm', aggregation: 'sum', value: 'tokens', dimensions: ['model'] };
const PER_TOKEN = { model: 'per_unit', unit_price: '0.002' };
const charge = (more: object = {}) => ({
  ...{ kind: 'usage', key: 'tokens', name: 'Tokens', meter: 'tokens', price: PER_TOKEN },
  ...more,
});
const FEE = { kind: 'fixed', key: 'base', name: 'Base fee', amount: '30.00' };
const PLAN = { plan: 'pro', name: 'Pro', currency: 'USD', charges: [charge({ allowance: '100' }), FEE] };
const INLINE = { currency: 'USD', meters: [{ key: 'tokens', aggregation: 'sum' }], charges: [charge()] };

beforeAll(async () => {
  tables = await startLocalTables();
});
afterAll(async () => {
  await tables.stop();
});
beforeEach(async () => {
  count += 1;
  project = `prj_e${count}`;
  api = await apiOver(tables, '2026-11-21T10:17:33.000Z');
  admin = await api.newKey(project, ['admin']);
});

const ask = (body: object) => api.call('/v1/estimates', { key: admin, body });
const faultsOf = async (body: object) => {
  const answer = await ask(body);
  expect(answer).toMatchObject({ status: 400, body: { code: 'estimate_invalid' } });
  return answer.body.faults.map(({ field, code }: { field: string; code: string }) => [field, code]);
};
const TOKENS_USED = [{ meter: 'tokens', quantity: '1500.5' }];

describe('an estimate of charges written in the request', () => {
  it('needs nothing of the project and answers explained lines and their total', async () => {
    const { status, body } = await ask({ ...INLINE, usage: TOKENS_USED });
    expect(status).toBe(200);
    // 1500.5 x 0.002 = 3.001
    expect(body).toMatchObject({
      currency: 'USD',
      period: { key: '2026-11', start: '2026-11-01T00:00:00.000Z', time_zone: 'UTC' },
      total: '3.00',
      unmatched: [],
      adjustments: null,
      lines: [
        {
          key: 'estimate/tokens/usage',
          quantity: '1500.5',
          exact_amount: '3.001',
          amount: '3.00',
          price_version: 'estimate@0',
          steps: [{ key: 'usage', quantity: '1500.5', unit_price: '0.002', amount: '3.001' }],
        },
      ],
    });
  });

  it('takes entries of one meter together as it aggregates, and tells usage that no charge takes', async () => {
    const meters = [
      { key: 'gb', aggregation: 'max' },
      { key: 'seats', aggregation: 'latest' },
      { key: 'calls', aggregation: 'count', dimensions: ['region'] },
    ];
    const charges = [
      { ...charge(), key: 'gb', meter: 'gb', price: { model: 'per_unit', unit_price: '1' } },
      { ...charge(), key: 'seats', meter: 'seats', price: { model: 'per_unit', unit_price: '1' } },
      {
        ...charge(),
        key: 'eu',
        meter: 'calls',
        filter: { region: 'eu' },
        price: { model: 'per_unit', unit_price: '1' },
      },
    ];
    const { body } = await ask({
      ...{ currency: 'USD', meters, charges },
      usage: [
        { meter: 'gb', quantity: '3' },
        { meter: 'gb', quantity: '7' },
        { meter: 'calls', quantity: '2', dimensions: { region: 'eu' } },
        { meter: 'calls', quantity: '5', dimensions: { region: 'us' } },
      ],
      transactions: [
        { meter: 'gb', value: '5' },
        { meter: 'seats', value: '9', at: '2026-11-20T00:00:00Z' },
        { meter: 'seats', value: '4', at: '2026-11-02T00:00:00Z' },
        { meter: 'calls', dimensions: { region: 'eu' } },
      ],
    });
    expect(body.lines.map((line: { charge: string; quantity: string }) => [line.charge, line.quantity])).toEqual([
      ['gb', '7'],
      ['seats', '9'],
      ['eu', '3'],
    ]);
    expect(body.unmatched).toEqual([{ meter: 'calls', dimensions: { region: 'us' }, quantity: '5' }]);
  });

  it('prorates a service that is a part of the period, in the zone asked for', async () => {
    const { body } = await ask({
      ...INLINE,
      charges: [charge({ allowance: '3000' }), FEE],
      usage: [{ meter: 'tokens', quantity: '2000' }],
      period: '2026-11',
      time_zone: 'Asia/Kolkata',
      service: { start: '2026-11-15T18:30:00Z' },
    });
    // 16 to 30 November, 15 of 30 days: 1500 of 3000 tokens are free, 500 x 0.002 = 1; 30.00 x 15/30 = 15
    expect(body).toMatchObject({
      service: { start: '2026-11-15T18:30:00.000Z', end: '2026-11-30T18:30:00.000Z' },
      total: '16.00',
      lines: [{ allowance_used: '1500', amount: '1.00' }, { amount: '15.00' }],
    });
  });

  it('rates the period of any interval that holds a time, by the calendar or from an anchor', async () => {
    const keyOf = async (more: object) => (await ask({ ...INLINE, ...more })).body.period.key;
    expect(await keyOf({})).toBe('2026-11');
    expect(await keyOf({ interval: 'quarter', at: '2026-02-03T04:05:06Z' })).toBe('2026-Q1');
    expect(await keyOf({ at: '2026-02-28T00:00:00Z', anchor: '2026-01-31T00:00:00Z' })).toBe('2026-02-28_2026-03-31');
    expect(await keyOf({ interval: { days: 10 }, at: '2026-02-28T00:00:00Z' })).toBe('2026-02-28_2026-03-10');
    expect(await keyOf({ period: '2024-02-29' })).toBe('2024-02-29');
  });

  it('answers what a later invoice would add to what was billed, credits too', async () => {
    const charges = [
      charge({
        price: {
          model: 'volume',
          tiers: [
            { up_to: '15', unit_price: '10' },
            { up_to: null, unit_price: '5' },
          ],
        },
      }),
    ];
    const { body } = await ask({
      ...INLINE,
      charges,
      usage: [{ meter: 'tokens', quantity: '16' }],
      billed: { usage: [{ meter: 'tokens', quantity: '15' }] },
    });
    // 15 x 10 = 150 were billed; 16 x 5 = 80 are right
    expect(body).toMatchObject({
      total: '80.00',
      adjustments: {
        total: '-70.00',
        lines: [
          {
            kind: 'adjustment',
            amount: '-70.00',
            adjusts: { previous_amount: '150.00', current_amount: '80.00' },
          },
        ],
      },
    });
    const same = await ask({ ...INLINE, usage: TOKENS_USED, billed: { usage: TOKENS_USED } });
    expect(same.body.adjustments).toEqual({ lines: [], total: '0.00' });
  });
});

describe('an estimate of prices that need more than a quantity', () => {
  const CARDS = { key: 'cards', aggregation: 'transactions' };
  const percentage = (more: object) => ({
    ...{ currency: 'USD', meters: [CARDS] },
    charges: [charge({ key: 'cards', meter: 'cards', price: { model: 'percentage', rate: '2.9', ...more } })],
  });

  it('takes single transactions by their time, those without one as listed', async () => {
    const price = { fixed_fee: '0.30', free_events: 1, transaction_maximum: '5' };
    const { body } = await ask({
      ...percentage(price),
      transactions: [
        { meter: 'cards', value: '100', at: '2026-11-03T00:00:00Z' },
        { meter: 'cards', value: '1000', at: '2026-11-04T00:00:00Z' },
        { meter: 'cards', value: '40', at: '2026-11-02T00:00:00Z' },
      ],
    });
    // 40 came first and is free; 100 x 2.9 % + 0.30 = 3.20; 29 + 0.30 is cut to 5
    expect(body).toMatchObject({ total: '8.20', lines: [{ quantity: '1140' }] });
    const listed = await ask({
      ...percentage(price),
      transactions: ['100', '1000', '40'].map((value) => ({ meter: 'cards', value })),
    });
    // 100 is free; 5; 40 x 2.9 % + 0.30 = 1.46
    expect(listed.body).toMatchObject({ total: '6.46' });
  });

  it('refuses a bare quantity of a meter of transactions', async () => {
    expect(await faultsOf({ ...percentage({}), usage: [{ meter: 'cards', quantity: '100' }] })).toEqual([
      ['usage[0].meter', 'transactions_needed'],
    ]);
  });

  it('counts the properties of events as the meter counts them', async () => {
    const meter = {
      ...{ key: 'gb', aggregation: 'sum', value: { expression: 'round(bytes / 1000, 1)' }, dimensions: ['zone'] },
      ...{ dimension_expressions: { zone: "concat(cloud, '-', region)" }, filter: { cloud: ['aws', 'gcp'] } },
      rounding: { mode: 'up', places: 0 },
    };
    const event = (properties: object) => ({ meter: 'gb', properties });
    const body = {
      ...{ currency: 'USD', meters: [meter] },
      charges: [
        charge({ key: 'gb', meter: 'gb', filter: { zone: 'aws-eu' }, price: { model: 'per_unit', unit_price: '1' } }),
      ],
      transactions: [
        event({ bytes: '1250', cloud: 'aws', region: 'eu' }),
        event({ bytes: '150', cloud: 'aws', region: 'eu' }),
        event({ bytes: '9000', cloud: 'gcp', region: 'us' }),
        event({ bytes: '7000', cloud: 'other' }),
      ],
    };
    // 1.3 + 0.2 = 1.5, which the meter rounds up to 2
    expect((await ask(body)).body).toMatchObject({
      total: '2.00',
      unmatched: [{ dimensions: { zone: 'gcp-us' }, quantity: '9' }],
    });
    const wrong = [event({ bytes: 'many', cloud: 'aws' }), { ...event({ bytes: '1', cloud: 'aws' }), value: '1' }];
    expect(await faultsOf({ ...body, transactions: [...wrong, event({ cloud: 'aws' })] })).toEqual([
      ['transactions[0].properties.bytes', 'value_not_a_number'],
      ['transactions[1].value', 'not_allowed'],
      ['transactions[2].properties.bytes', 'value_missing'],
    ]);
  });

  it('counts users, averages and levels over time from events, beside what is stated', async () => {
    const level = { key: 'level', aggregation: 'time_weighted_sum', reset: 'carry_over' };
    const meters = [{ key: 'users', aggregation: 'unique_count' }, { key: 'mean', aggregation: 'average' }, level];
    const price = { model: 'per_unit', unit_price: '1' };
    const charges = meters.map(({ key }) => charge({ key, meter: key, price }));
    const event = (meter: string, value: string, at = '2026-11-01T00:00:00Z') => ({ meter, value, at });
    const body = {
      ...{ currency: 'USD', period: '2026-11', meters, charges },
      transactions: [
        ...['ada', 'bob', 'ada'].map((value) => event('users', value)),
        ...['1', '2'].map((value) => event('mean', value)),
        event('level', '10', '2026-10-01T00:00:00Z'),
        event('level', '6', '2026-11-16T00:00:00Z'),
        event('level', '1000', '2026-12-01T00:00:00Z'),
      ],
    };
    const quantities = async (more: object) =>
      (await ask({ ...body, ...more })).body.lines.map(({ quantity }: { quantity: string }) => quantity);
    // 2 users; (1 + 2) / 2; 10 all month and 6 for half of it
    expect(await quantities({})).toEqual(['2', '1.5', '13']);
    // as of the second half alone it is 16 for 15 of 30 days
    expect(await quantities({ service: { start: '2026-11-16T00:00:00Z' } })).toEqual(['2', '1.5', '8']);
    // stated users are others; a stated average is one reading, (1 + 2 + 6) / 3; a stated level is what it is
    const usage = [
      { meter: 'users', quantity: '5' },
      { meter: 'mean', quantity: '6' },
      { meter: 'level', quantity: '0.5' },
    ];
    expect(await quantities({ usage })).toEqual(['7', '3', '13.5']);
    const wrong = {
      usage: [{ meter: 'users', quantity: '1.5' }],
      transactions: [event('mean', 'ada'), event('users', '')],
    };
    expect(await faultsOf({ ...body, ...wrong })).toEqual([
      ['usage[0].quantity', 'not_a_whole_number'],
      ['transactions[0].value', 'decimal_invalid'],
      ['transactions[1].value', 'value_missing'],
    ]);
  });

  it('holds the lines of a commitment, drawn against envelopes, and converts at the rate given', async () => {
    const { body } = await ask({
      ...INLINE,
      commitment: { amount: '10', term: 'period', true_up: true },
      envelopes: [{ key: 'pool', name: 'Pool', quantity: '500', burn: [{ charge: 'tokens', weight: '0.5' }] }],
      usage: TOKENS_USED,
      conversion: { currency: 'JPY', rate: '150' },
    });
    // 1,000 of 1,500.5 tokens come from the pool; 500.5 x 0.002 = 1.001 dollars are 150 yen, 8.999 are 1350
    expect(body).toMatchObject({ currency: 'JPY', total: '1500' });
    expect(body.lines.map((line: { key: string; amount: string }) => [line.key, line.amount])).toEqual([
      ['estimate/tokens/usage', '150'],
      ['estimate/commitment/true-up', '1350'],
    ]);
  });

  it('lays the terms of a contract over the plan, and tells where prices come from', async () => {
    const contract = {
      overrides: [
        { charge: 'tokens', price: { model: 'per_unit', unit_price: '0.001' }, allowance: null },
        { charge: 'base', discount: { percent: '10' } },
      ],
    };
    const body = { ...INLINE, charges: [charge({ allowance: '100' }), FEE], usage: TOKENS_USED, contract };
    // 1500.5 x 0.001 = 1.5005; 30.00 less 10 %
    expect((await ask(body)).body).toMatchObject({
      total: '28.50',
      lines: [
        { amount: '1.50', price_version: 'contract:estimate@0' },
        { amount: '27.00', price_version: 'contract:estimate@0' },
      ],
    });
    const wrong = { overrides: [{ charge: 'tokens', price: { model: 'percentage', rate: 2 } }] };
    expect(await faultsOf({ ...body, contract: wrong })).toEqual([['contract.overrides[0].price.rate', 'wrong_type']]);
    const gone = { overrides: [{ charge: 'none' }, { charge: 'base', amount: '5' }] };
    expect(await faultsOf({ ...body, contract: gone })).toEqual([['contract.overrides[0].charge', 'unknown_charge']]);
  });

  it('bears all, a part or nothing of the period amounts, as its share says', async () => {
    const half = { ...INLINE, charges: [FEE], period: '2026-11', service: { end: '2026-11-16T00:00:00Z' } };
    const total = async (more: object) => (await ask({ ...half, ...more })).body.total;
    expect(await total({})).toBe('15.00');
    expect(await total({ share: 'whole' })).toBe('30.00');
    expect(await total({ share: 'none' })).toBe('0.00');
    // 30.00 were billed for the whole month
    const left = await ask({ ...half, share: 'none', billed: { share: 'whole' } });
    expect(left.body.adjustments).toMatchObject({ total: '-30.00' });
  });
});

describe('an estimate of a plan of the project', () => {
  beforeEach(async () => {
    await api.call('/v1/meters', { key: admin, body: TOKENS });
    await api.call('/v1/plans', { key: admin, body: PLAN });
    await api.call('/v1/customers', { key: admin, body: { id: 'acme', name: 'Acme', time_zone: 'Asia/Kolkata' } });
  });

  it('rates its newest version, or the one named', async () => {
    await api.call('/v1/plans', { key: admin, body: { ...PLAN, charges: [FEE] } });
    expect((await ask({ plan: 'pro', usage: TOKENS_USED })).body).toMatchObject({
      total: '30.00',
      unmatched: [{ meter: 'tokens', quantity: '1500.5' }],
    });
    // (1500.5 - 100) x 0.002 = 2.801, and 30.00
    expect((await ask({ plan: 'pro', plan_version: 1, usage: TOKENS_USED })).body).toMatchObject({
      total: '32.80',
      lines: [{ price_version: 'pro@1' }, {}],
    });
    expect(await ask({ plan: 'none' })).toMatchObject({ status: 404, body: { code: 'plan_not_found' } });
    expect(await ask({ plan: 'pro', plan_version: 9 })).toMatchObject({ status: 404 });
  });

  it('rates the usage counted for a customer as a preview would, and what is added to it', async () => {
    const at = (time: string, value: string) => ({ meter: 'tokens', at: time, value, dimensions: { model: 'a' } });
    await api.count(project, 'acme', [
      at('2026-10-31T18:00:00Z', '1000000'),
      at('2026-11-05T00:00:00Z', '1500.5'),
      at('2026-11-06T00:00:00Z', '99'),
    ]);
    const { body } = await ask({ plan: 'pro', customer: 'acme', period: '2026-11' });
    // 1500.5 + 99 - 100 free = 1499.5 x 0.002 = 2.999, rounded 3.00; and the base fee of 30.00
    expect(body).toMatchObject({ total: '33.00', period: { time_zone: 'Asia/Kolkata' } });
    await api.call('/v1/subscriptions', {
      key: admin,
      body: { id: 's1', customer: 'acme', plan: 'pro', start: '2026-10-31T18:30:00Z' },
    });
    const preview = await api.call('/v1/invoices/preview', { key: admin, body: { customer: 'acme' } });
    expect(preview.body.data[0].lines.map(({ steps }: { steps: object }) => steps)).toEqual(
      body.lines.map(({ steps }: { steps: object }) => steps),
    );
    const more = await ask({ plan: 'pro', customer: 'acme', period: '2026-11', usage: TOKENS_USED });
    // 1500.5 more x 0.002 = 3.001
    expect(more.body).toMatchObject({ total: '36.00' });
    expect(await ask({ plan: 'pro', customer: 'nobody' })).toMatchObject({
      status: 404,
      body: { code: 'customer_not_found' },
    });
  });
});

describe('an estimate of the subscriptions of a customer', () => {
  const own = (more: object = {}) => ask({ customer: 'acme', ...more });
  const at = (time: string, value: string) => ({ meter: 'tokens', at: time, value, dimensions: { model: 'a' } });

  beforeEach(async () => {
    await api.call('/v1/meters', { key: admin, body: TOKENS });
    await api.call('/v1/plans', { key: admin, body: PLAN });
    await api.call('/v1/plans', { key: admin, body: { ...PLAN, plan: 'yen', currency: 'JPY', charges: [FEE] } });
    await api.call('/v1/customers', { key: admin, body: { id: 'acme', name: 'Acme', time_zone: 'Asia/Kolkata' } });
    const body = { id: 's1', customer: 'acme', plan: 'pro', start: '2026-10-15T18:30:00Z' };
    await api.call('/v1/subscriptions', { key: admin, body });
    await api.count(project, 'acme', [at('2026-10-20T00:00:00Z', '1100'), at('2026-11-05T00:00:00Z', '600')]);
  });

  it('rates a period, open or closed, from the usage counted in it', async () => {
    // November: (600 - 100) x 0.002 = 1 and 30.00
    expect((await own()).body).toMatchObject({ period: { key: '2026-11' }, total: '31.00', adjustments: null });
    // 16 to 31 October, 16 of 31 days: 1600/31 of the allowance, 15.48 of the fee; 1100 - 51.61 = 1048.39 x 0.002 = 2.10
    expect((await own({ period: '2026-10' })).body).toMatchObject({
      service: { start: '2026-10-15T18:30:00.000Z', end: '2026-10-31T18:30:00.000Z' },
      total: '17.58',
      lines: [
        { key: 's1/tokens/usage', amount: '2.10', price_version: 'pro@1' },
        { key: 's1/base/fixed', amount: '15.48' },
      ],
    });
    const preview = await api.call('/v1/invoices/preview', {
      key: admin,
      body: { customer: 'acme', period: '2026-10' },
    });
    expect((await own({ at: '2026-10-20T00:00:00Z' })).body.lines).toEqual(preview.body.data[0].lines);
  });

  it('asks for a currency where there are several, and tells where there is nothing', async () => {
    const body = { id: 's2', customer: 'acme', plan: 'yen', start: '2026-10-31T18:30:00Z' };
    await api.call('/v1/subscriptions', { key: admin, body });
    expect(await faultsOf({ customer: 'acme' })).toEqual([['currency', 'missing']]);
    expect((await own({ currency: 'JPY' })).body).toMatchObject({ currency: 'JPY', total: '30' });
    expect(await own({ period: '2026-09', currency: 'USD' })).toMatchObject({
      status: 409,
      body: { code: 'nothing_to_bill' },
    });
    expect(await own({ customer: 'nobody' })).toMatchObject({ status: 404, body: { code: 'customer_not_found' } });
  });

  it('takes nothing that the subscriptions have themselves', async () => {
    expect(await faultsOf({ customer: 'acme', usage: TOKENS_USED, rounding: 'half_even', share: 'whole' })).toEqual([
      ['rounding', 'not_allowed'],
      ['usage', 'not_allowed'],
      ['share', 'not_allowed'],
    ]);
  });
});

describe('a request that cannot be rated', () => {
  it('is told every fault of plan, meters, usage and options at once', async () => {
    const price = { model: 'graduated', tiers: [{ up_to: '10', unit_price: 1 }] };
    expect(
      await faultsOf({
        currency: 'USD',
        colour: 'red',
        meters: [{ key: 'tokens', aggregation: 'sum' }, { key: 'odd' }, { key: 'tokens', aggregation: 'max' }],
        charges: [charge({ price }), charge({ key: 'other', meter: 'none' })],
        usage: [{ meter: 'tokens', quantity: 3 }],
        period: '2026-11',
      }),
    ).toEqual([
      ['meters[1].aggregation', 'missing'],
      ['meters[2].key', 'duplicate_key'],
      ['usage[0].quantity', 'wrong_type'],
      ['colour', 'unknown_field'],
      ['charges[0].price.tiers[0].unit_price', 'wrong_type'],
      ['charges[1].meter', 'unknown_meter'],
      ['charges[0].price.tiers[0].up_to', 'tier_open_end_missing'],
    ]);
  });

  it('is told usage that no meter could have counted', async () => {
    expect(
      await faultsOf({
        ...INLINE,
        meters: [...INLINE.meters, { key: 'calls', aggregation: 'count' }],
        usage: [
          { meter: 'none', quantity: '1' },
          { meter: 'tokens', quantity: '1', dimensions: { model: 'a' } },
          { meter: 'calls', quantity: '-1' },
        ],
        transactions: [{ meter: 'tokens' }],
        billed: { usage: [{ meter: 'none', quantity: '1' }] },
      }),
    ).toEqual([
      ['usage[0].meter', 'unknown_meter'],
      ['usage[1].dimensions.model', 'unknown_dimension'],
      ['usage[2].quantity', 'negative_count'],
      ['transactions[0].value', 'missing'],
      ['billed.usage[0].meter', 'unknown_meter'],
    ]);
  });

  it('is told what contradicts itself, and spans outside the period', async () => {
    expect(await faultsOf({})).toEqual([['charges', 'missing']]);
    expect(await faultsOf({ plan: 'pro', currency: 'USD' })).toEqual([['currency', 'not_allowed']]);
    expect(await faultsOf({ ...INLINE, plan_version: 1 })).toEqual([['plan_version', 'not_allowed']]);
    expect(await faultsOf({ ...INLINE, period: '2026-11', at: '2026-11-01T00:00:00Z' })).toEqual([
      ['period', 'not_allowed'],
    ]);
    const service = { start: '2026-10-31T00:00:00Z', end: '2026-11-21T00:00:01Z' };
    expect(await faultsOf({ ...INLINE, service })).toEqual([
      ['service.start', 'service_invalid'],
      ['service.end', 'service_invalid'],
    ]);
    const empty = { start: '2026-11-02T00:00:00Z', end: '2026-11-02T00:00:00Z' };
    expect(await faultsOf({ ...INLINE, billed: { service: empty } })).toEqual([
      ['billed.service.end', 'service_invalid'],
    ]);
    expect(await ask({ ...INLINE, period: 'soon' })).toMatchObject({ status: 400, body: { code: 'period_invalid' } });
  });

  it('is refused beyond the limits of every list', async () => {
    const usage = Array.from({ length: 1_001 }, () => ({ meter: 'tokens', quantity: '1' }));
    expect(await faultsOf({ ...INLINE, usage })).toEqual([['usage', 'too_big']]);
    const transactions = Array.from({ length: 10_001 }, () => ({ meter: 'tokens', value: '1' }));
    expect(await faultsOf({ ...INLINE, transactions })).toEqual([['transactions', 'too_big']]);
  });
});
