import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { usageClaims } from '../../../adapters/dynamodb/usage-claims.ts';
import { decodeUsageBatch } from '../../../core/usage/usage-batch.ts';
import { handle } from '../../../lambdas/entitlements/entitlements.ts';
import { consumeDeps } from '../../../lambdas/shared/wire/entitlements.ts';
import { type ApiUnderTest, apiOver } from '../../support/api-client.ts';
import { type LocalTables, startLocalTables } from '../../support/local-tables.ts';
import { memoryTables, TABLES } from '../../support/usage-fixtures.ts';

let tables: LocalTables;
let api: ApiUnderTest;
let admin: string;
const sent: string[] = [];
let invoke: ReturnType<typeof handle>;
beforeAll(async () => {
  tables = await startLocalTables();
  api = await apiOver(tables, '2026-11-21T10:17:33.000Z');
  admin = await api.newKey('prj_entitled', ['admin']);
  const env = { BILLING_TABLE: tables.billing, USAGE_VIEWS_TABLE: tables.usageViews, MAX_QUOTA_AGE_SECONDS: '60' };
  const queue = { send: async (messages: readonly string[]) => void sent.push(...messages) };
  const clock = { now: () => api.deps.routes.clock.now() };
  const deps = consumeDeps(tables.client, { ...env, USAGE_CLAIMS_TABLE: TABLES.claims }, queue, clock);
  const claims = usageClaims(memoryTables().client(), TABLES.claims);
  const entitlements = { ...deps, accept: { ...deps.accept, claims } };
  invoke = handle({ authenticate: api.deps.authenticate, limit: async () => {}, entitlements });
  await made('/v1/meters', {
    key: 'calls',
    event_type: 'call',
    aggregation: 'sum',
    value: 'n',
    dimensions: ['region'],
  });
  await made('/v1/plans', PLAN);
  await made('/v1/customers', { id: 'acme', name: 'Acme', time_zone: 'Europe/Berlin' });
  await made('/v1/subscriptions', { id: 's1', customer: 'acme', plan: 'pro', start: '2026-11-01T00:00:00Z' });
});
afterAll(() => tables.stop());

const PLAN = {
  plan: 'pro',
  name: 'Pro',
  currency: 'USD',
  charges: [{ kind: 'fixed', key: 'fee', name: 'Fee', amount: '1' }],
  entitlements: [
    { kind: 'boolean', feature: 'sso' },
    { kind: 'metered', feature: 'eu-calls', meter: 'calls', filter: { region: ['eu'] }, limit: '100.5' },
  ],
};

async function made(path: string, body: object) {
  const answer = await api.call(path, { key: admin, body });
  if (answer.status >= 300) throw new Error(`${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer;
}

const consume = (body: object, key: string = admin) => check(body, key, '/v1/entitlements/consume');

async function check(body: unknown, key: string | null = admin, rawPath = '/v1/entitlements/check') {
  const event = {
    rawPath,
    headers: key === null ? {} : { authorization: `Bearer ${key}` },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    isBase64Encoded: false,
    requestContext: { requestId: 'req-1' },
  } as unknown as APIGatewayProxyEventV2;
  const answer = await invoke(event, {} as Context);
  return { status: answer.statusCode, headers: answer.headers, body: JSON.parse(answer.body) };
}

describe('POST /v1/entitlements/check', () => {
  it('answers from the plan and the views, in the wire’s words', async () => {
    await api.count('prj_entitled', 'acme', [
      { meter: 'calls', at: '2026-11-03T10:00:00Z', value: '60.25', dimensions: { region: 'eu' } },
      { meter: 'calls', at: '2026-11-03T10:00:00Z', value: '500', dimensions: { region: 'us' } },
      // before the subscription's first midnight in Berlin there is nothing to count; this one is in October
      { meter: 'calls', at: '2026-10-31T10:00:00Z', value: '7', dimensions: { region: 'eu' } },
    ]);
    const { status, headers, body } = await check({ customer: 'acme', feature: 'eu-calls', quantity: '40.25' });
    expect([status, headers['x-request-id'], headers['cache-control']]).toEqual([200, 'req-1', 'no-store']);
    expect(body).toEqual({
      customer: 'acme',
      feature: 'eu-calls',
      kind: 'metered',
      meter: 'calls',
      allowed: true,
      reason: 'within_limit',
      // 100.5 - 60.25
      used: '60.25',
      limit: '100.5',
      remaining: '40.25',
      over_limit: false,
      // midnight of 1 December in Berlin
      resets_at: '2026-11-30T23:00:00.000Z',
      // a minute of quotas and a minute of the sweep
      as_of: '2026-11-21T10:15:33.000Z',
    });
    expect((await check({ customer: 'acme', feature: 'eu-calls', quantity: '40.26' })).body).toMatchObject({
      allowed: false,
      reason: 'limit_reached',
    });
    expect((await check({ customer: 'acme', feature: 'sso' })).body).toMatchObject({ allowed: true, kind: 'boolean' });
    expect((await check({ customer: 'acme', feature: 'other' })).body).toMatchObject({ allowed: false, kind: null });
  });

  it('adds a grant while it is valid, thirty seconds after it was given at the latest', async () => {
    const grant = { id: 'g-1', customer: 'acme', feature: 'eu-calls', quantity: '10', expires: '2026-11-22T00:00:00Z' };
    const first = await made('/v1/entitlements/grants', grant);
    expect([first.status, first.body.effective]).toEqual([201, '2026-11-21T10:17:33.000Z']);
    expect((await made('/v1/entitlements/grants', grant)).status).toBe(200);
    api.setDelaySeconds(31);
    expect((await check({ customer: 'acme', feature: 'eu-calls' })).body).toMatchObject({ limit: '110.5' });
    api.setDelaySeconds(86_400);
    expect((await check({ customer: 'acme', feature: 'eu-calls' })).body).toMatchObject({ limit: '100.5' });
    api.setDelaySeconds(0);
    const { body } = await api.call('/v1/entitlements/grants?customer=acme', { key: admin });
    expect(body).toEqual({ data: [first.body], next_cursor: null });
  });

  it('refuses a grant that is wrong, taken, of no metered feature or of nobody', async () => {
    const grant = { id: 'g-1', customer: 'acme', feature: 'eu-calls', quantity: '10', expires: '2026-11-22T00:00:00Z' };
    const post = (body: object) => api.call('/v1/entitlements/grants', { key: admin, body });
    expect(await post({ ...grant, quantity: '11' })).toMatchObject({ status: 409, body: { code: 'grant_exists' } });
    expect(await post({ ...grant, customer: 'nobody' })).toMatchObject({ status: 404 });
    const { status, body } = await post({ ...grant, id: 'g-2', feature: 'sso', expires: '2026-11-21T10:00:00Z' });
    expect([status, body.code]).toEqual([400, 'grant_invalid']);
    expect(body.faults.map(({ field, code }: Record<string, string>) => `${field} ${code}`)).toEqual([
      'expires expires_invalid',
      'feature feature_not_metered',
    ]);
    const faulty = await post({ ...grant, quantity: '1.1234567890123' });
    expect(faulty.body).toMatchObject({ code: 'body_invalid', field: 'quantity' });
  });

  it('says everything that is wrong with a body, and who may ask', async () => {
    const { status, body } = await check({ customer: '', feature: 'Not A Key', quantity: -1, more: 1 });
    expect([status, body.code]).toEqual([400, 'body_invalid']);
    expect(body.faults.map(({ field, code }: Record<string, string>) => `${field} ${code}`).toSorted()).toEqual([
      'customer invalid_format',
      'feature invalid_format',
      'more unknown_field',
      'quantity quantity_invalid',
    ]);
    expect((await check('[]')).body).toMatchObject({ code: 'body_invalid' });
    expect((await check('{')).body).toMatchObject({ code: 'invalid_json' });
    expect(await check({ customer: 'nobody', feature: 'sso' })).toMatchObject({ status: 404 });
    expect(await check({ customer: 'acme', feature: 'sso' }, null)).toMatchObject({ status: 401 });
    const ingest = await api.newKey('prj_entitled', ['ingest']);
    expect(await check({ customer: 'acme', feature: 'sso' }, ingest)).toMatchObject({ status: 403 });
    const other = await api.newKey('prj_entitled2', ['read']);
    expect(await check({ customer: 'acme', feature: 'sso' }, other)).toMatchObject({ status: 404 });
  });
});

describe('POST /v1/entitlements/consume', () => {
  // Ids that carry their time need no claim.
  const born = Date.parse('2026-11-21T10:17:00Z').toString(16).padStart(12, '0');
  const id = (n: number) => `${born.slice(0, 8)}-${born.slice(8)}-7000-8000-${String(n).padStart(12, '0')}`;
  const asked = (n: number, quantity: string) => ({
    customer: 'acme',
    feature: 'eu-calls',
    quantity,
    id: id(n),
    properties: { region: 'eu' },
  });

  it('takes what fits, once, with the quantity as the meter’s value; exact to the last place', async () => {
    const first = await consume(asked(1, '50.25'));
    expect([first.status, first.body.code]).toEqual([200, undefined]);
    // 60.25 + 50.25 = 110.5, the limit with its grant
    expect(first.body).toMatchObject({
      allowed: true,
      recorded: true,
      duplicate: false,
      used: '110.5',
      remaining: '0',
    });
    expect((await consume(asked(1, '50.25'))).body).toMatchObject({ recorded: true, duplicate: true, used: '110.5' });
    expect((await consume(asked(2, '0.000000000001'))).body).toMatchObject({ allowed: false, recorded: false });
    expect(await consume(asked(1, '40'))).toMatchObject({ status: 409, body: { code: 'consume_id_reused' } });
    expect(sent).toHaveLength(1);
    const [event] = decodeUsageBatch(sent[0] ?? '').events;
    expect(event).toMatchObject({
      id: id(1),
      type: 'call',
      customer: 'acme',
      properties: { region: 'eu', n: '50.25' },
    });
  });

  it('refuses what the meter or the feature would not count, and bodies that are wrong', async () => {
    const code = async (body: object) => (await consume(body)).body.code;
    expect(await code({ ...asked(3, '1'), properties: { region: 'us' } })).toBe('consume_invalid');
    expect(await code({ ...asked(3, '1'), properties: { region: 'eu', n: '2' } })).toBe('consume_invalid');
    expect(await code({ ...asked(3, '1'), time: '2026-10-31T00:00:00Z' })).toBe('time_outside_window');
    expect(await code({ ...asked(3, '1'), feature: 'sso' })).toBe('feature_not_metered');
    const { body } = await consume({
      customer: 'acme',
      feature: 'eu-calls',
      quantity: '0',
      time: 'noon',
      properties: { a: 1 },
    });
    expect(body.faults.map(({ field, code: of }: Record<string, string>) => `${field} ${of}`)).toEqual([
      'id missing',
      'time invalid_format',
      'properties.a wrong_type',
      'quantity not_positive',
    ]);
    const reader = await api.newKey('prj_entitled', ['read']);
    expect(await consume(asked(3, '1'), reader)).toMatchObject({ status: 403 });
  });
});

describe('entitlements of a plan and a contract', () => {
  it('are held to the project’s meters when they are written, all faults at once', async () => {
    await made('/v1/meters', { key: 'level', event_type: 'call', aggregation: 'latest', value: 'n' });
    const entitlements = [
      { kind: 'boolean', feature: 'sso' },
      { kind: 'static', feature: 'sso', value: '' },
      { kind: 'metered', feature: 'a', meter: 'nothing', limit: '1' },
      { kind: 'metered', feature: 'b', meter: 'level', limit: '1.1234567890123' },
      { kind: 'metered', feature: 'c', meter: 'calls', filter: { model: ['x'] }, limit: '-1', reset: 'hour' },
    ];
    const { status, body } = await api.call('/v1/plans', { key: admin, body: { ...PLAN, plan: 'bad', entitlements } });
    expect([status, body.code]).toEqual([400, 'plan_invalid']);
    const faults = (list: Record<string, string>[]) => list.map(({ field, code }) => `${field} ${code}`).toSorted();
    expect(faults(body.faults)).toEqual([
      'entitlements[1].feature duplicate_feature',
      'entitlements[1].value invalid_format',
      'entitlements[2].meter unknown_meter',
      'entitlements[3].limit decimal_invalid',
      'entitlements[3].meter unsupported_aggregation',
      'entitlements[4].filter.model unknown_dimension',
      'entitlements[4].limit negative_limit',
      'entitlements[4].reset not_allowed',
    ]);
    const contract = { id: 'deal', customer: 'acme', plan: 'pro', currency: 'USD', start: '2026-11-01T00:00:00Z' };
    const refused = await api.call('/v1/contracts', {
      key: admin,
      body: {
        ...contract,
        entitlements: [
          { kind: 'none', feature: 'sso' },
          { kind: 'metered', feature: 'a', meter: 'nothing', limit: null },
        ],
      },
    });
    expect(faults(refused.body.faults)).toEqual(['entitlements[1].meter unknown_meter']);
    await made('/v1/contracts', { ...contract, entitlements: [{ kind: 'none', feature: 'sso' }] });
    api.setDelaySeconds(62);
    expect((await check({ customer: 'acme', feature: 'sso' })).body).toMatchObject({ allowed: false });
    expect((await check({ customer: 'acme', feature: 'eu-calls' })).body).toMatchObject({ limit: '110.5' });
  });
});
