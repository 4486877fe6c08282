import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ApiUnderTest, apiOver } from '../../support/api-client.ts';
import { type LocalTables, startLocalTables } from '../../support/local-tables.ts';

let tables: LocalTables;
let api: ApiUnderTest;
let admin: string;
let other: string;
let count = 0;

const TOKENS = { key: 'tokens', event_type: 'llm', aggregation: 'sum', value: 'tokens', dimensions: ['model'] };
const TOKEN_CHARGE = {
  kind: 'usage',
  key: 'tokens',
  name: 'Tokens',
  meter: 'tokens',
  price: { model: 'per_unit', unit_price: '0.002' } as { model: string; unit_price: unknown },
};
const PLAN = { plan: 'pro', name: 'Pro', currency: 'USD', charges: [TOKEN_CHARGE] };
const ADD_ON = {
  plan: 'support',
  name: 'Support',
  currency: 'USD',
  charges: [{ kind: 'fixed', key: 'fee', name: 'Support', amount: '10.00' }],
};
const keysOf = (list: readonly { key: string }[]) => list.map(({ key }) => key);

beforeAll(async () => {
  tables = await startLocalTables();
});
afterAll(async () => {
  await tables.stop();
});
beforeEach(async () => {
  count += 1;
  api = await apiOver(tables, '2026-11-21T10:17:33.000Z');
  admin = await api.newKey(`prj_a${count}`, ['admin']);
  other = await api.newKey(`prj_b${count}`, ['admin']);
});

const meter = (body: object) => api.call('/v1/meters', { key: admin, body });
const plan = (body: object) => api.call('/v1/plans', { key: admin, body });
const customer = (body: object) => api.call('/v1/customers', { key: admin, body });
const subscribe = (body: object) => api.call('/v1/subscriptions', { key: admin, body: { customer: 'acme', ...body } });
const get = (path: string) => api.call(path, { key: admin });

async function acmeAndPlans(): Promise<void> {
  await meter(TOKENS);
  await plan(PLAN);
  await customer({ id: 'acme', name: 'Acme', time_zone: 'Asia/Kolkata' });
}

describe('meters', () => {
  it('are created once, renamed, and never redefined', async () => {
    expect(await meter(TOKENS)).toMatchObject({
      status: 201,
      body: { key: 'tokens', event_type: 'llm', dimensions: ['model'], revision: 1 },
    });
    expect(await meter(TOKENS)).toMatchObject({ status: 200, body: { revision: 1 } });
    expect(await meter({ ...TOKENS, name: 'Tokens' })).toMatchObject({
      status: 200,
      body: { name: 'Tokens', revision: 2 },
    });
    const redefined = await meter({ ...TOKENS, aggregation: 'max', event_type: 'x' });
    expect(redefined).toMatchObject({ status: 409, body: { code: 'meter_fixed' } });
    expect(redefined.body.detail).toContain('event_type');
    expect((await get('/v1/meters')).body).toMatchObject({
      revision: 2,
      next_cursor: null,
      data: [{ key: 'tokens', name: 'Tokens' }],
    });
    expect(await get('/v1/meters/none')).toMatchObject({ status: 404, body: { code: 'meter_not_found' } });
  });

  it('compute, round, and change from an instant on; the answer tells it and how they counted before', async () => {
    const computed = {
      ...TOKENS,
      value: { expression: 'input + 4 * output' },
      dimensions: ['modelName'],
      dimension_expressions: { modelName: "concat(model, '/', size)" },
      rounding: { mode: 'up', places: 0 },
      reset: 'each_period',
    };
    expect(await meter(computed)).toMatchObject({ status: 201, body: computed });
    const { status, body } = await meter({ ...computed, value: 'total', effective_at: '2199-01-01T00:00:00Z' });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      value: 'total',
      dimension_expressions: computed.dimension_expressions,
      effective_at: '2199-01-01T00:00:00.000Z',
      earlier: [{ event_type: TOKENS.event_type, value: computed.value, dimensions: ['modelName'] }],
    });
    const refused = await meter({ ...computed, key: 'bad', dimension_expressions: { modelName: 'a %', other: 'a' } });
    expect(refused.status).toBe(400);
    expect(refused.body.faults.map(({ field, code }: { field: string; code: string }) => `${field} ${code}`)).toEqual([
      'dimension_expressions.modelName expression_invalid',
      'dimension_expressions.other unknown_dimension',
    ]);
  });

  it('are all stored when several are written at once', async () => {
    const answers = await Promise.all(['a', 'b', 'c', 'd'].map((key) => meter({ ...TOKENS, key })));
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    const { body } = await get('/v1/meters');
    expect(keysOf(body.data)).toEqual(['a', 'b', 'c', 'd']);
    expect(body.revision).toBe(4);
  });

  it('come back with every fault of a wrong one, by field', async () => {
    const wrong = { key: 'Bad Key', event_type: 'x', aggregation: 'sum', dimensions: ['a', 'a'], surprise: 1 };
    const { status, body } = await meter(wrong);
    expect({ status, code: body.code }).toEqual({ status: 400, code: 'meter_invalid' });
    const fields = body.faults.map(({ field }: { field: string }) => field);
    expect(fields).toEqual(expect.arrayContaining(['key', 'value', 'dimensions[1]', 'surprise']));
    expect(body.field).toBe(fields[0]);
  });
});

describe('plans', () => {
  it('get a new version with every change and keep the old ones', async () => {
    await meter(TOKENS);
    expect(await plan(PLAN)).toMatchObject({ status: 201, body: { version: 1 } });
    expect(await plan(PLAN)).toMatchObject({ status: 200, body: { version: 1 } });
    const price = { model: 'per_unit', unit_price: '0.003' };
    expect(await plan({ ...PLAN, charges: [{ ...TOKEN_CHARGE, price }] })).toMatchObject({
      status: 201,
      body: { version: 2 },
    });
    expect(await get('/v1/plans/pro/versions/1')).toMatchObject({
      status: 200,
      body: { version: 1, charges: [{ price: { unit_price: '0.002' } }] },
    });
    expect((await get('/v1/plans/pro')).body.version).toBe(2);
    expect((await get('/v1/plans/pro/versions')).body.data).toHaveLength(2);
    expect(await get('/v1/plans/pro/versions/3')).toMatchObject({ status: 404, body: { code: 'plan_not_found' } });
  });

  it('name the field of a fault as it was written', async () => {
    await meter(TOKENS);
    const charge = { ...TOKEN_CHARGE, meter: 'nothing', price: { model: 'per_unit', unit_price: 0.002 } };
    const { status, body } = await plan({ ...PLAN, charges: [charge] });
    expect({ status, code: body.code }).toEqual({ status: 400, code: 'plan_invalid' });
    const fields = body.faults.map(({ field }: { field: string }) => field);
    expect(fields).toEqual(expect.arrayContaining(['charges[0].price.unit_price', 'charges[0].meter']));
  });

  it('are listed page by page, with a cursor that is good for this project only', async () => {
    for (const name of ['a', 'b', 'c']) await plan({ ...ADD_ON, plan: name });
    const plansOf = (answer: { body: { data: { plan: string }[] } }) => answer.body.data.map((entry) => entry.plan);
    const first = await get('/v1/plans?limit=2');
    expect(plansOf(first)).toEqual(['a', 'b']);
    const second = await get(`/v1/plans?limit=2&cursor=${first.body.next_cursor}`);
    expect(plansOf(second)).toEqual(['c']);
    expect(second.body.next_cursor).toBeNull();
    expect(await api.call(`/v1/plans?cursor=${first.body.next_cursor}`, { key: other })).toMatchObject({
      status: 400,
      body: { code: 'cursor_invalid' },
    });
    expect(await get('/v1/plans?limit=101')).toMatchObject({
      status: 400,
      body: { code: 'query_invalid', field: 'limit', expected: 'a whole number from 1 to 100' },
    });
  });
});

describe('customers', () => {
  it('are created and replaced under their own id', async () => {
    const id = 'müller & söhne #1';
    expect(await customer({ id, name: 'M', email: 'm@x.example' })).toMatchObject({
      status: 201,
      body: { id, name: 'M', time_zone: 'UTC' },
    });
    expect(await customer({ id, name: 'M2' })).toMatchObject({ status: 200 });
    const found = await get(`/v1/customers/${encodeURIComponent(id)}`);
    expect(found.body).toEqual({ id, name: 'M2', time_zone: 'UTC' });
  });

  it('of another project answer exactly as missing ones', async () => {
    await customer({ id: 'acme', name: 'Acme' });
    const foreign = await api.call('/v1/customers/acme', { key: other });
    expect(foreign).toMatchObject({ status: 404, body: { code: 'customer_not_found' } });
    expect(foreign.body.detail).toBe('No customer acme in this project.');
    const missing = await api.call('/v1/customers/nobody', { key: other });
    expect(missing.body.detail).toBe('No customer nobody in this project.');
    expect((await api.call('/v1/customers', { key: other })).body.data).toEqual([]);
  });

  it('refuse a time zone that does not exist, and a change of zone under a subscription', async () => {
    await acmeAndPlans();
    expect(await customer({ id: 'x', name: 'X', time_zone: 'Mars/Olympus' })).toMatchObject({
      status: 400,
      body: { code: 'body_invalid', field: 'time_zone' },
    });
    const moved = { id: 'acme', name: 'Acme', time_zone: 'UTC' };
    expect(await customer(moved)).toMatchObject({ status: 200 });
    await subscribe({ plan: 'pro' });
    expect(await customer({ ...moved, time_zone: 'Asia/Kolkata' })).toMatchObject({
      status: 409,
      body: { code: 'customer_time_zone_fixed' },
    });
    expect(await customer({ ...moved, name: 'Acme 2' })).toMatchObject({ status: 200 });
    expect((await get('/v1/subscriptions?customer=acme')).body.data).toHaveLength(1);
  });

  it('that only usage has named are listed as unassigned until they exist', async () => {
    await api.see(`prj_a${count}`, ['acme', 'nobody yet']);
    await customer({ id: 'acme', name: 'Acme' });
    expect((await get('/v1/customers?unassigned=true')).body.data).toEqual([{ id: 'nobody yet' }]);
    expect((await api.call('/v1/customers?unassigned=true', { key: other })).body.data).toEqual([]);
  });
});

describe('subscriptions', () => {
  it('begin at the start of the current quarter hour, which the answer says', async () => {
    await acmeAndPlans();
    const created = await subscribe({ plan: 'pro' });
    expect(created).toMatchObject({
      status: 201,
      body: {
        customer: 'acme',
        plan: 'pro',
        plan_version: 1,
        start: '2026-11-21T10:15:00.000Z',
        end: null,
        billing: 'calendar',
        billed_through: '2026-11-21T10:15:00.000Z',
        status: 'active',
      },
    });
    expect(await subscribe({ plan: 'pro' })).toMatchObject({ status: 200, body: { id: created.body.id } });
    expect(await get(`/v1/subscriptions/${created.body.id}`)).toMatchObject({ status: 200 });
    expect(await api.call(`/v1/subscriptions/${created.body.id}`, { key: other })).toMatchObject({
      status: 404,
      body: { code: 'subscription_not_found' },
    });
  });

  it('bill by the interval of their plan: every N days by anniversary only', async () => {
    await acmeAndPlans();
    const every = (name: string, interval: unknown) => plan({ ...ADD_ON, plan: name, interval });
    expect(await every('weekly', 'week')).toMatchObject({ status: 201, body: { interval: 'week' } });
    expect(await every('decade', { days: 10 })).toMatchObject({ status: 201, body: { interval: { days: 10 } } });
    expect(await every('never', { days: 0 })).toMatchObject({
      status: 400,
      body: { code: 'plan_invalid', field: 'interval.days' },
    });
    expect(await subscribe({ plan: 'weekly' })).toMatchObject({
      status: 201,
      body: { interval: 'week', billing: 'calendar' },
    });
    expect(await subscribe({ plan: 'decade', billing: 'calendar' })).toMatchObject({
      status: 400,
      body: { code: 'billing_unsupported', field: 'billing' },
    });
    expect(await subscribe({ plan: 'decade' })).toMatchObject({
      status: 201,
      body: { interval: { days: 10 }, billing: 'anniversary' },
    });
  });

  it('refuse a start off the quarter hour, an end before the start, and what does not exist', async () => {
    await acmeAndPlans();
    const refused = async (body: object) => {
      const answer = await subscribe({ plan: 'pro', ...body });
      return [answer.status, answer.body.code];
    };
    expect(await refused({ start: '2026-11-01T00:07:00Z' })).toEqual([400, 'start_invalid']);
    expect(await refused({ start: '2026-11-01T00:00:00Z', end: '2026-11-01T00:00:00Z' })).toEqual([400, 'end_invalid']);
    expect(await refused({ start: 'soon' })).toEqual([400, 'body_invalid']);
    expect(await refused({ customer: 'nobody' })).toEqual([404, 'customer_not_found']);
    expect(await refused({ plan: 'nothing' })).toEqual([404, 'plan_not_found']);
    expect(await refused({ plan_version: 2 })).toEqual([404, 'plan_not_found']);
  });

  it('never bill the same meter twice, and say which one is in the way', async () => {
    await acmeAndPlans();
    await plan({ ...PLAN, plan: 'pro-2' });
    await plan(ADD_ON);
    const november = { start: '2026-11-01T00:00:00Z', end: '2026-12-01T00:00:00Z' };
    expect((await subscribe({ id: 's1', plan: 'pro', ...november })).status).toBe(201);
    expect(await subscribe({ id: 's2', plan: 'pro-2', start: '2026-11-30T23:45:00Z' })).toMatchObject({
      status: 409,
      body: { code: 'subscription_overlaps', context: { subscription: 's1', what: 'the meter tokens' } },
    });
    expect((await subscribe({ id: 's2', plan: 'pro-2', start: '2026-12-01T00:00:00Z' })).status).toBe(201);
    expect((await subscribe({ id: 's3', plan: 'support', start: '2026-11-01T00:00:00Z' })).status).toBe(201);
    expect(await subscribe({ id: 's3', plan: 'pro', start: '2026-11-01T00:00:00Z' })).toMatchObject({
      status: 409,
      body: { code: 'subscription_exists' },
    });
  });

  it('let one of two be created that would overlap when both are asked for at once', async () => {
    await acmeAndPlans();
    const both = await Promise.all(['s1', 's2'].map((id) => subscribe({ id, plan: 'pro' })));
    expect(both.map(({ status }) => status).toSorted()).toEqual([201, 409]);
  });

  it('end at the end of the period, now, or earlier than set, never later', async () => {
    await acmeAndPlans();
    const { body } = await subscribe({ plan: 'pro', start: '2026-11-01T00:00:00+05:30' });
    const end = (at: string) => api.call(`/v1/subscriptions/${body.id}/end`, { key: admin, body: { at } });
    // Kolkata is 5:30 ahead of UTC, so its November ends at 18:30 UTC on the 30th
    expect(await end('at_period_end')).toMatchObject({ status: 200, body: { end: '2026-11-30T18:30:00.000Z' } });
    expect(await end('2026-12-05T00:00:00Z')).toMatchObject({ status: 409, body: { code: 'subscription_end_set' } });
    expect(await end('now')).toMatchObject({ status: 200, body: { end: '2026-11-21T10:15:00.000Z' } });
    expect(await end('2026-10-01T00:00:00Z')).toMatchObject({ status: 400, body: { code: 'end_invalid' } });
    const none = await api.call('/v1/subscriptions/none/end', { key: admin, body: { at: 'now' } });
    expect(none).toMatchObject({ status: 404, body: { code: 'subscription_not_found' } });
  });

  it('stand in the due index under the close of their first period in the zone of their customer', async () => {
    await acmeAndPlans();
    const { body } = await subscribe({ plan: 'pro', start: '2026-11-01T00:00:00+05:30' });
    expect(await api.dueIndex(`prj_a${count}`)).toEqual([`2026-11-30T18:30:00.000Z#${body.id}`]);
  });
});
