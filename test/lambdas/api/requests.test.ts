import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Answer, type ApiUnderTest, apiOver } from '../../support/api-client.ts';
import { type LocalTables, startLocalTables } from '../../support/local-tables.ts';

let tables: LocalTables;
let api: ApiUnderTest;
let admin: string;
let other: string;
let count = 0;

const METER = { key: 'calls', event_type: 'call', aggregation: 'count' };

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

describe('what every request meets', () => {
  it('answers health and the document without a key', async () => {
    expect(await api.call('/v1/health')).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect((await api.call('/v1/openapi.json')).body.openapi).toBe('3.1.0');
  });

  it('carries the request id and the security headers in every answer', async () => {
    for (const path of ['/v1/health', '/v1/nothing']) {
      const { headers } = await api.call(path);
      expect(headers).toMatchObject({ 'x-request-id': 'req-1', 'x-content-type-options': 'nosniff' });
    }
  });

  const post = (body: unknown) => api.call('/v1/customers', { key: admin, body });
  const refusals: readonly [string, number, string, string, () => Promise<Answer>][] = [
    ['no key', 401, 'api_key_missing', 'No API key.', () => api.call('/v1/meters')],
    ['a wrong key', 401, 'api_key_invalid', 'is not one', () => api.call('/v1/meters', { key: 'ck_no' })],
    ['an unknown path', 404, 'route_not_found', 'There is no /v1/no', () => api.call('/v1/no', { key: admin })],
    [
      'a method the path has not',
      405,
      'method_not_allowed',
      'Got DELETE; expected POST, GET for this path.',
      () => api.call('/v1/meters', { key: admin, method: 'DELETE' }),
    ],
    [
      'another method for events, which another function takes',
      405,
      'method_not_allowed',
      'Got PUT; expected GET, POST for this path.',
      () => api.call('/v1/events', { key: admin, method: 'PUT' }),
    ],
    ['bad JSON', 400, 'invalid_json', 'Got a body that is not JSON', () => post('{')],
    [
      'a body over the limit',
      413,
      'body_too_large',
      'The body is larger than 1048576 bytes (1 MiB)',
      () => post('x'.repeat(1_048_577)),
    ],
    [
      'a camelCase field',
      400,
      'unknown_field',
      'Got the field "timeZone"; field names are written in snake_case, such as time_zone.',
      () => post({ id: 'a', name: 'A', timeZone: 'UTC' }),
    ],
    ['a wrong type', 400, 'body_invalid', 'The body has a fault in name: Got', () => post({ id: 'a', name: 7 })],
    [
      'an unknown query parameter',
      400,
      'query_invalid',
      'The query has a fault in p: This field does not exist here',
      () => api.call('/v1/plans?p=2', { key: admin }),
    ],
    [
      'a cursor of another list',
      400,
      'cursor_invalid',
      'Got a cursor of another list',
      () => api.call('/v1/plans?cursor=eyJsIjoiIn0', { key: admin }),
    ],
  ];
  for (const [name, status, code, sentence, call] of refusals) {
    it(`refuses ${name} with ${status} ${code}`, async () => {
      expect(await call()).toMatchObject({
        status,
        headers: { 'content-type': 'application/problem+json' },
        body: { type: 'about:blank', status, code, detail: expect.stringContaining(sentence), request_id: 'req-1' },
      });
    });
  }

  it('names the methods a path has when it is called with another one', async () => {
    const { headers } = await api.call('/v1/meters', { key: admin, method: 'PUT' });
    expect(headers.allow).toBe('POST, GET');
  });

  it('lets a key do what its scopes say and no more', async () => {
    const reader = await api.newKey(`prj_a${count}`, ['read']);
    expect(await api.call('/v1/meters', { key: reader })).toMatchObject({ status: 200 });
    const refused = await api.call('/v1/meters', { key: reader, body: METER });
    expect(refused).toMatchObject({ status: 403, body: { code: 'scope_missing', context: { scope: 'write' } } });
    expect(refused.body.detail).toContain('needs the scope write');
    expect(await api.call('/v1/keys', { key: reader })).toMatchObject({ status: 403 });
  });

  it('never shows the text of an unexpected error', async () => {
    const broken = await apiOver(tables, '2026-11-21T10:17:33.000Z');
    broken.failWith(new Error('secret details of the database'));
    const answer = await broken.call('/v1/meters', { key: admin });
    expect(answer).toMatchObject({ status: 500, body: { code: 'internal_error' } });
    expect(JSON.stringify(answer.body)).not.toContain('secret');
  });

  it('says that a busy service may be asked again', async () => {
    const busy = await apiOver(tables, '2026-11-21T10:17:33.000Z');
    busy.failWith(Object.assign(new Error('slow down'), { name: 'ThrottlingException' }));
    expect(await busy.call('/v1/meters', { key: admin })).toMatchObject({
      status: 503,
      headers: { 'retry-after': '1' },
      body: { code: 'service_unavailable' },
    });
  });
});

describe('keys over HTTP', () => {
  it('are shown once, listed without text, rotated with overlap, and revoked', async () => {
    const created = await api.call('/v1/keys', { key: admin, body: { name: 'ingest', scopes: ['ingest', 'read'] } });
    expect(created).toMatchObject({ status: 201, body: { name: 'ingest', mode: 'test', scopes: ['ingest', 'read'] } });
    const { key, id } = created.body;
    expect(await api.call('/v1/meters', { key })).toMatchObject({ status: 200 });
    const listed = JSON.stringify((await api.call('/v1/keys', { key: admin })).body);
    expect(listed).toContain(id);
    expect(listed).not.toContain(key);
    expect(listed).not.toMatch(/[0-9a-f]{64}/);

    const rotated = await api.call(`/v1/keys/${id}/rotate`, { key: admin, body: { overlap_hours: 1 } });
    expect(rotated).toMatchObject({ status: 201, body: { replaced: { id, expires_at: '2026-11-21T11:17:33.000Z' } } });
    expect(await api.call('/v1/meters', { key: rotated.body.key })).toMatchObject({ status: 200 });
    expect(await api.call(`/v1/keys/${id}/rotate`, { key: admin, body: {} })).toMatchObject({
      status: 409,
      body: { code: 'api_key_not_active' },
    });
    const revoke = (which: string) => api.call(`/v1/keys/${which}/revoke`, { key: admin, method: 'POST' });
    expect(await revoke(rotated.body.id)).toMatchObject({ body: { revoked_at: '2026-11-21T10:17:33.000Z' } });
    expect(await revoke('000000000000')).toMatchObject({ status: 404, body: { code: 'api_key_not_found' } });
  });

  it('stop working within 30 seconds of being revoked, and at the end of an overlap', async () => {
    const { body: one } = await api.call('/v1/keys', { key: admin, body: { name: 'k', scopes: ['read'] } });
    expect((await api.call('/v1/meters', { key: one.key })).status).toBe(200);
    await api.call(`/v1/keys/${one.id}/revoke`, { key: admin, method: 'POST' });
    api.setDelaySeconds(30);
    expect(await api.call('/v1/meters', { key: one.key })).toMatchObject({
      status: 401,
      body: { code: 'api_key_revoked' },
    });
    const { body: two } = await api.call('/v1/keys', { key: admin, body: { name: 'k', scopes: ['read'] } });
    await api.call(`/v1/keys/${two.id}/rotate`, { key: admin, body: { overlap_hours: 1 } });
    api.setDelaySeconds(30 + 3599);
    expect((await api.call('/v1/meters', { key: two.key })).status).toBe(200);
    api.setDelaySeconds(30 + 3600);
    expect(await api.call('/v1/meters', { key: two.key })).toMatchObject({
      status: 401,
      body: { code: 'api_key_expired' },
    });
  });

  it('of another project cannot be revoked', async () => {
    const { body } = await api.call('/v1/keys', { key: admin, body: { name: 'k', scopes: ['read'] } });
    expect(await api.call(`/v1/keys/${body.id}/revoke`, { key: other, method: 'POST' })).toMatchObject({ status: 404 });
    expect(await api.call('/v1/meters', { key: body.key })).toMatchObject({ status: 200 });
  });
});

describe('Idempotency-Key', () => {
  const keyed = (value: string) => ({ 'idempotency-key': value });
  const KEY_BODY = { name: 'k', scopes: ['read'] };

  it('answers a repetition with the first answer, and refuses it for another request', async () => {
    const first = await api.call('/v1/keys', { key: admin, body: KEY_BODY, headers: keyed('one') });
    const again = await api.call('/v1/keys', { key: admin, body: KEY_BODY, headers: keyed('one') });
    expect(first.body.key).toMatch(/^ck_test_/);
    expect(again).toMatchObject({ status: 201, body: { id: first.body.id, key: null } });
    expect((await api.call('/v1/keys', { key: admin })).body.data).toHaveLength(2);
    const reused = await api.call('/v1/keys', { key: admin, body: { ...KEY_BODY, name: 'l' }, headers: keyed('one') });
    expect(reused).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
    const customer = { id: 'a', name: 'A' };
    const elsewhere = await api.call('/v1/customers', { key: admin, body: customer, headers: keyed('one') });
    expect(elsewhere).toMatchObject({ status: 422 });
  });

  it('is kept per project', async () => {
    const put = (key: string, name: string) =>
      api.call('/v1/customers', { key, body: { id: 'acme', name }, headers: keyed('same') });
    expect(await put(admin, 'A')).toMatchObject({ status: 201, body: { name: 'A' } });
    expect(await put(other, 'B')).toMatchObject({ status: 201, body: { name: 'B' } });
  });

  it('may be used again after an error', async () => {
    const subscribe = () =>
      api.call('/v1/subscriptions', { key: admin, body: { customer: 'a', plan: 'p' }, headers: keyed('e') });
    expect(await subscribe()).toMatchObject({ status: 404, body: { code: 'plan_not_found' } });
    await api.call('/v1/plans', {
      key: admin,
      body: { plan: 'p', name: 'P', currency: 'USD', charges: [{ kind: 'fixed', key: 'f', name: 'F', amount: '1' }] },
    });
    await api.call('/v1/customers', { key: admin, body: { id: 'a', name: 'A' } });
    expect(await subscribe()).toMatchObject({ status: 201 });
  });

  it('makes one thing of many requests at once', async () => {
    const create = () => api.call('/v1/keys', { key: admin, body: KEY_BODY, headers: keyed('race') });
    const answers = await Promise.all([create(), create(), create()]);
    expect(answers.every(({ status }) => status === 201 || status === 409)).toBe(true);
    expect(answers.filter(({ body }) => typeof body.key === 'string')).toHaveLength(1);
    expect((await api.call('/v1/keys', { key: admin })).body.data).toHaveLength(2);
  });

  it('is refused when it is not printable ASCII', async () => {
    expect(await api.call('/v1/keys', { key: admin, body: KEY_BODY, headers: keyed('ü') })).toMatchObject({
      status: 400,
      body: { code: 'idempotency_key_invalid' },
    });
  });
});

describe('backfills', () => {
  it('open, open again for the same file, and close', async () => {
    const body = { name: 'f00d', from: '2023-11-01T00:00:00Z' };
    const opened = { name: 'f00d', source: 'backfill:f00d', from: '2023-11-01T00:00:00.000Z', status: 'open' };
    const open = (change: object = {}) => api.call('/v1/backfills', { key: admin, body: { ...body, ...change } });
    expect(await open()).toMatchObject({ status: 201, body: opened });
    const closed = await api.call('/v1/backfills/f00d/close', { key: admin, method: 'POST' });
    expect(closed).toMatchObject({ status: 200, body: { status: 'closed' } });
    expect(await open()).toMatchObject({ status: 201, body: opened });
    expect(await open({ from: '2022-01-01T00:00:00Z' })).toMatchObject({
      status: 409,
      body: { code: 'backfill_exists' },
    });
    expect((await api.call('/v1/backfills', { key: other })).body.data).toEqual([]);
    expect(await api.call('/v1/backfills/f00d/close', { key: other, method: 'POST' })).toMatchObject({ status: 404 });
  });
});
