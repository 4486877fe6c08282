import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ApiUnderTest, apiOver } from '../../support/api-client.ts';
import { type LocalTables, startLocalTables } from '../../support/local-tables.ts';

let tables: LocalTables;
let api: ApiUnderTest;
let admin: string;
let count = 0;

const charge = (meter: string) => ({
  kind: 'usage',
  key: meter,
  name: meter,
  meter,
  price: { model: 'per_unit', unit_price: '0.01' },
});
const planOn = (plan: string, meters: readonly string[], more: object = {}) => ({
  plan,
  name: plan,
  currency: 'USD',
  charges: meters.map(charge),
  ...more,
});

beforeAll(async () => {
  tables = await startLocalTables();
});
afterAll(async () => {
  await tables.stop();
});
beforeEach(async () => {
  count += 1;
  api = await apiOver(tables, '2026-11-21T10:17:33.000Z');
  admin = await api.newKey(`prj_c${count}`, ['admin']);
  for (const key of ['tokens', 'disk']) {
    await post('/v1/meters', { key, event_type: key, aggregation: 'sum', value: 'n', dimensions: [] });
  }
  await post('/v1/plans', planOn('pro', ['tokens']));
  await post('/v1/plans', planOn('max', ['tokens', 'disk']));
  await post('/v1/plans', planOn('storage', ['disk']));
  await post('/v1/customers', { id: 'acme', name: 'Acme', time_zone: 'Asia/Kolkata' });
});

const post = (path: string, body: object) => api.call(path, { key: admin, body });
/** Kolkata is 5:30 ahead of UTC: its November is [2026-10-31T18:30Z, 2026-11-30T18:30Z). */
const subscribe = (more: object = {}) =>
  post('/v1/subscriptions', { id: 's1', customer: 'acme', plan: 'pro', start: '2026-11-01T00:00:00+05:30', ...more });
const act = (what: string, body: object, id = 's1') => post(`/v1/subscriptions/${id}/${what}`, body);
const change = (plan: string, at: string, prorate = true) => act('change', { plan, at, prorate });
const phases = (answer: { body: { phases: readonly Record<string, unknown>[] } }) =>
  answer.body.phases.map(({ number, from, state, plan, prorate }) => [number, from, state, plan, prorate]);
const refusal = ({ status, body }: { status: number; body: Record<string, unknown> }) => [
  status,
  body.code,
  body.context,
];

describe('a change of plan', () => {
  it('made now at 10:17:33 takes effect at 10:15, which the answer says', async () => {
    await subscribe();
    const changed = await change('max', 'now');
    expect(changed).toMatchObject({ status: 200, body: { plan: 'max', plan_version: 1, status: 'active' } });
    expect(phases(changed)).toEqual([
      [1, '2026-10-31T18:30:00.000Z', 'active', 'pro', true],
      [2, '2026-11-21T10:15:00.000Z', 'active', 'max', true],
    ]);
    // the same again changes nothing, and back at the same instant there was none
    expect((await change('max', 'now')).body).toEqual(changed.body);
    expect(phases(await change('pro', 'now', false))).toEqual([[1, '2026-10-31T18:30:00.000Z', 'active', 'pro', true]]);
  });

  it('at the end of the period waits for the midnight of the customer, and is in the way of an earlier one', async () => {
    await subscribe();
    const end = '2026-11-30T18:30:00.000Z';
    const changed = await change('max', 'at_period_end', false);
    expect(changed.body).toMatchObject({ plan: 'pro', phases: [{}, { from: end, plan: 'max', prorate: false }] });
    expect(refusal(await change('max', 'now'))).toEqual([
      409,
      'change_scheduled',
      { from: end, state: 'active', plan: 'max', plan_version: 1 },
    ]);
    expect(phases(await change('pro', end))).toHaveLength(1);
  });

  it('says when and whether to prorate, names a plan that is there, and keeps currency and interval', async () => {
    await subscribe();
    expect(await act('change', { plan: 'max', at: 'now' })).toMatchObject({
      status: 400,
      body: { code: 'body_invalid', field: 'prorate' },
    });
    expect((await act('change', { plan: 'max', prorate: true })).body).toMatchObject({ field: 'at' });
    await post('/v1/plans', planOn('euro', ['tokens'], { currency: 'EUR' }));
    await post('/v1/plans', planOn('yearly', ['tokens'], { interval: 'year' }));
    expect(refusal(await change('euro', 'now'))).toEqual([409, 'plan_currency_differs', { currency: 'USD' }]);
    expect(refusal(await change('yearly', 'now'))).toEqual([409, 'plan_interval_differs', { interval: 'month' }]);
    expect((await change('none', 'now')).body.code).toBe('plan_not_found');
    expect((await change('max', '2026-11-22T00:05:00Z')).body.code).toBe('at_invalid');
    expect((await act('change', { plan: 'max', at: 'now', prorate: true }, 'none')).body.code).toBe(
      'subscription_not_found',
    );
  });

  it('to a plan that bills what another subscription bills is refused, unless that one is paused', async () => {
    await subscribe();
    await subscribe({ id: 's2', plan: 'storage' });
    expect(refusal(await change('max', 'now'))).toEqual([
      409,
      'subscription_overlaps',
      { subscription: 's2', what: 'the meter disk', from: '2026-11-21T10:15:00.000Z' },
    ]);
    expect((await act('pause', { at: 'now' }, 's2')).status).toBe(200);
    expect((await change('max', 'now')).status).toBe(200);
    // whoever resumes now would bill the disk twice
    expect((await act('resume', { at: '2026-11-22T00:00:00Z' }, 's2')).body).toMatchObject({
      code: 'subscription_overlaps',
      context: { subscription: 's1', what: 'the meter disk', from: '2026-11-22T00:00:00.000Z' },
    });
  });

  it('of two subscriptions at once never ends with one meter in both', async () => {
    await subscribe({ plan: 'pro' });
    await post('/v1/plans', planOn('idle', [], { charges: [{ kind: 'fixed', key: 'f', name: 'F', amount: '1' }] }));
    await subscribe({ id: 's2', plan: 'idle' });
    const both = await Promise.all([
      change('max', 'now'),
      act('change', { plan: 'storage', at: 'now', prorate: true }, 's2'),
    ]);
    expect(both.map(({ status }) => status).toSorted()).toEqual([200, 409]);
  });

  it('outside the life of the subscription is refused with where that begins or ends', async () => {
    await subscribe({ start: '2026-12-01T00:00:00+05:30', end: '2027-01-01T00:00:00+05:30' });
    const start = '2026-11-30T18:30:00.000Z';
    const end = '2026-12-31T18:30:00.000Z';
    expect(refusal(await change('max', 'now'))).toEqual([409, 'subscription_not_begun', { start }]);
    expect(refusal(await change('max', end))).toEqual([409, 'subscription_ends', { end }]);
    expect((await api.call('/v1/subscriptions/s1', { key: admin })).body.status).toBe('pending');
    expect(phases(await change('max', start))).toEqual([[1, start, 'active', 'max', true]]);
  });
});

describe('a pause', () => {
  it('begins and ends on quarter hours, and what is set is named', async () => {
    await subscribe();
    const paused = await act('pause', { at: 'now' });
    expect(paused.body).toMatchObject({ status: 'paused', plan: 'pro' });
    expect(refusal(await act('pause', { at: '2026-11-25T00:00:00Z' }))).toEqual([
      409,
      'subscription_paused',
      { since: '2026-11-21T10:15:00.000Z' },
    ]);
    const resumed = await act('resume', { at: 'at_period_end' });
    expect(phases(resumed)).toEqual([
      [1, '2026-10-31T18:30:00.000Z', 'active', 'pro', true],
      [2, '2026-11-21T10:15:00.000Z', 'paused', 'pro', true],
      [3, '2026-11-30T18:30:00.000Z', 'active', 'pro', true],
    ]);
    expect((await act('resume', { at: 'now' })).body.code).toBe('change_scheduled');
    expect((await act('resume', { at: '2026-12-10T00:00:00Z' })).body.code).toBe('subscription_not_paused');
  });

  it('takes a subscription that has nothing else to bill off the due index, and resuming puts it back', async () => {
    await subscribe();
    await act('pause', { at: '2026-11-01T00:00:00+05:30' });
    expect(await api.dueIndex(`prj_c${count}`)).toEqual([]);
    await act('resume', { at: '2026-12-14T00:00:00Z' });
    expect(await api.dueIndex(`prj_c${count}`)).toEqual(['2026-12-31T18:30:00.000Z#s1']);
  });
});

describe('a trial', () => {
  it('comes from the plan, by days of the customer, or from the request; it can be extended and ended', async () => {
    await post('/v1/plans', planOn('tried', ['tokens'], { trial: { days: 14 } }));
    const created = await subscribe({ plan: 'tried', start: 'now' });
    // 14 days later at the same time of day
    expect(phases(created)).toEqual([
      [1, '2026-11-21T10:15:00.000Z', 'trial', 'tried', true],
      [2, '2026-12-05T10:15:00.000Z', 'active', 'tried', true],
    ]);
    expect(created.body.status).toBe('trial');
    const extended = await act('trial', { end: '2026-12-20T00:00:00Z' });
    expect(phases(extended)[1]).toEqual([2, '2026-12-20T00:00:00.000Z', 'active', 'tried', true]);
    expect(refusal(await act('pause', { at: 'now' }))).toEqual([
      409,
      'subscription_in_trial',
      { trial_end: '2026-12-20T00:00:00.000Z' },
    ]);
    expect(phases(await act('trial', { end: 'now' }))).toHaveLength(1);
    expect((await act('trial', { end: '2026-12-20T00:07:00Z' })).body.code).toBe('trial_end_invalid');
  });

  it('given with the subscription lies within it; null means none', async () => {
    await post('/v1/plans', planOn('tried', ['tokens'], { trial: { days: 14 } }));
    const trial = { end: '2026-12-01T00:00:00Z', trial_end: '2026-12-02T00:00:00Z' };
    expect((await subscribe(trial)).body.code).toBe('trial_end_invalid');
    expect(phases(await subscribe({ plan: 'tried', trial_end: null }))).toHaveLength(1);
    expect((await subscribe({ plan: 'tried', trial_end: '2026-11-10T00:00:00Z' })).body.code).toBe(
      'subscription_exists',
    );
    expect((await subscribe({ plan: 'tried' })).status).toBe(200);
  });

  it('of days keeps the time of day where clocks change', async () => {
    await post('/v1/plans', planOn('tried', ['tokens'], { trial: { days: 1 } }));
    await post('/v1/customers', { id: 'isle', name: 'Isle', time_zone: 'Australia/Lord_Howe' });
    // Lord Howe moves by half an hour: 4 October 2026, 02:00 +10:30 becomes 02:30 +11
    const created = await subscribe({ customer: 'isle', plan: 'tried', start: '2026-10-03T12:15:00+10:30' });
    expect(phases(created)[1]?.[1]).toBe('2026-10-04T01:15:00.000Z');
  });
});

describe('the end of a subscription', () => {
  it('drops what was set for later, and withdraws what has not begun', async () => {
    await subscribe();
    await change('max', 'at_period_end');
    const ended = await act('end', { at: 'at_period_end' });
    expect(ended.body).toMatchObject({ end: '2026-11-30T18:30:00.000Z', phases: [{ number: 1 }] });
    await subscribe({ id: 's2', start: '2026-12-01T00:00:00+05:30' });
    expect((await act('end', { at: 'now' }, 's2')).body).toMatchObject({
      start: '2026-11-30T18:30:00.000Z',
      end: '2026-11-30T18:30:00.000Z',
      status: 'ended',
    });
    // nothing is in the way of another one
    expect((await subscribe({ id: 's3', start: '2026-12-01T00:00:00+05:30' })).status).toBe(201);
  });
});
