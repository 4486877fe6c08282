import { gzipSync } from 'node:zlib';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { usageClaims } from '../../../adapters/dynamodb/usage-claims.ts';
import { type ApiKeyRecord, hashApiKey, newApiKey } from '../../../core/accounts/api-key.ts';
import type { MeterRevision } from '../../../core/catalog/meter.ts';
import type { ProjectId } from '../../../core/ids.ts';
import { instantFromMillis } from '../../../core/time/instant.ts';
import type { Backfill } from '../../../core/usage/backfill.ts';
import { decodeUsageBatch } from '../../../core/usage/usage-batch.ts';
import { handle, type PostEventsDeps } from '../../../lambdas/ingest/post-events.ts';
import { authenticator } from '../../../lambdas/shared/authenticate.ts';
import { cached } from '../../../lambdas/shared/cached.ts';
import { METERS, memoryTables, NOW_MILLIS, PROJECT, TABLES } from '../../support/usage-fixtures.ts';

const OTHER = 'prj_other' as ProjectId;

let millis: number;
let sent: string[];
let keys: Map<string, ApiKeyRecord>;
let meters: Map<ProjectId, MeterRevision>;
let backfills: Map<string, Backfill>;
let reads: string[];
let deps: PostEventsDeps;
let isQueueDown: boolean;

beforeEach(() => {
  millis = NOW_MILLIS;
  sent = [];
  keys = new Map();
  meters = new Map([
    [PROJECT, METERS],
    [OTHER, METERS],
  ]);
  backfills = new Map();
  reads = [];
  isQueueDown = false;
  const clock = { now: () => instantFromMillis(millis) };
  let batches = 0;
  deps = {
    authenticate: authenticator({
      keys: { find: async (_project, id) => keys.get(id) },
      pepper: async () => 'pepper',
      clock,
    }),
    limit: async () => {},
    meters: cached({
      read: async (project: ProjectId, read) => {
        reads.push(`meters ${read}`);
        return meters.get(project) ?? { revision: 0, meters: [] };
      },
      maxAgeMillis: 30_000,
      clock,
    }),
    backfills: cached({
      read: async (name: string, read) => {
        reads.push(`backfill ${name} ${read}`);
        return backfills.get(name);
      },
      maxAgeMillis: 30_000,
      clock,
    }),
    accept: {
      claims: usageClaims(memoryTables().client(), TABLES.claims),
      queue: {
        send: async (messages) => {
          if (isQueueDown) throw Object.assign(new Error('unreachable'), { name: 'TimeoutError' });
          sent.push(...messages);
        },
      },
      clock,
      headers: new Map(),
    },
    newBatchId: () => `b-${++batches}`,
  };
});

function addKey(seed: number, change: Partial<ApiKeyRecord> = {}, project = PROJECT): string {
  const { key, ...parts } = newApiKey({ project, mode: 'test' }, (length) => new Uint8Array(length).fill(seed));
  keys.set(parts.id, {
    ...parts,
    name: 'k',
    scopes: ['ingest'],
    hash: hashApiKey(key, 'pepper'),
    createdAt: instantFromMillis(0),
    expiresAt: null,
    revokedAt: null,
    rotatedTo: null,
    ...change,
  });
  return key;
}

interface Sent {
  readonly key?: string | null;
  readonly body?: string | undefined;
  readonly headers?: Record<string, string>;
  readonly isBase64Encoded?: boolean;
}
async function post(events: unknown, request: Sent = {}) {
  const key = request.key === undefined ? addKey(1) : request.key;
  const event = {
    headers: { ...(key === null ? {} : { authorization: `Bearer ${key}` }), ...request.headers },
    body: 'body' in request ? request.body : JSON.stringify(events),
    isBase64Encoded: request.isBase64Encoded ?? false,
    requestContext: { requestId: 'req-1' },
  } as unknown as APIGatewayProxyEventV2;
  const answer = await handle(deps)(event, {} as Context);
  return { status: answer.statusCode, headers: answer.headers, body: JSON.parse(answer.body) };
}

let serial = 0;
function event(change: Record<string, unknown> = {}) {
  serial += 1;
  return {
    id: `01a1fc0b-e380-7000-8000-${String(serial).padStart(12, '0')}`,
    type: 'call',
    customer: 'ada',
    time: '2026-11-21T02:59:00Z',
    properties: { region: 'eu', tokens: '1' },
    ...change,
  };
}
const queued = () => sent.flatMap((message) => decodeUsageBatch(message).events);

describe('POST /v1/events', () => {
  test('takes one event as an object or a list, and answers 202 once the queue has it', async () => {
    const answer = await post(event());
    expect(answer).toMatchObject({
      status: 202,
      headers: { 'content-type': 'application/json', 'x-request-id': 'req-1', 'cache-control': 'no-store' },
      body: { batch_id: 'b-1', accepted: 1, rejected: [], warnings: [] },
    });
    expect((await post([event()])).body).toEqual({ batch_id: 'b-2', accepted: 1, rejected: [], warnings: [] });
    expect(sent.map((message) => decodeUsageBatch(message).batchId)).toEqual(['b-1', 'b-2']);
  });

  test('takes 1,000 events and refuses 1,001, of which nothing is kept', async () => {
    const events = Array.from({ length: 1000 }, () => event());
    expect((await post(events)).body.accepted).toBe(1000);
    expect(queued()).toHaveLength(1000);
    sent = [];
    expect(await post([...events, event()])).toMatchObject({
      status: 400,
      body: {
        code: 'too_many_events',
        detail: 'Got 1001 events; expected at most 1000 in one request. Send them in several.',
      },
    });
    expect(sent).toEqual([]);
  });

  test.each([
    ['an empty list', '[]', 400, 'events_missing'],
    ['no body', undefined, 400, 'invalid_json'],
    ['an empty body', '', 400, 'invalid_json'],
    ['bad JSON', '{"id":', 400, 'invalid_json'],
    ['two documents', '{} {}', 400, 'invalid_json'],
    ['a number', '5', 400, 'event_not_an_object'],
    ['null', 'null', 400, 'event_not_an_object'],
  ])('refuses %s', async (_name, body, status, code) => {
    const answer = await post(undefined, { body });
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(sent).toEqual([]);
  });

  test('takes a body of 1 MiB and refuses one byte more, compressed or not', async () => {
    const exact = (bytes: number) => {
      const text = JSON.stringify(event());
      return `${text}${' '.repeat(bytes - text.length)}`;
    };
    const zipped = (text: string): Sent => ({
      body: gzipSync(text).toString('base64'),
      isBase64Encoded: true,
      headers: { 'content-encoding': 'gzip' },
    });
    expect((await post(null, { body: exact(1_048_576) })).status).toBe(202);
    expect((await post(null, zipped(exact(1_048_576)))).status).toBe(202);
    expect(await post(null, { body: exact(1_048_577) })).toMatchObject({
      status: 413,
      body: { code: 'body_too_large' },
    });
    expect(await post(null, zipped(exact(1_048_577)))).toMatchObject({ status: 413, body: { code: 'body_too_large' } });
  });

  test.each([
    ['lists', `${'['.repeat(200_000)}${']'.repeat(200_000)}`],
    ['objects', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`],
    [
      'properties',
      `{"id":"a","type":"call","customer":"ada","properties":{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}}`,
    ],
    ['long numbers', `${'['.repeat(200_000)}12345678901234567890${']'.repeat(200_000)}`],
  ])("refuses %s nested without end as the sender's fault", async (_name, body) => {
    const { status } = await post(null, { body });
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
  });

  test('stops a decompression bomb at the limit', async () => {
    const bomb = gzipSync(Buffer.alloc(200 * 1_048_576)).toString('base64');
    expect(bomb.length).toBeLessThan(1_048_576);
    const before = process.memoryUsage().rss;
    const answer = await post(null, { body: bomb, isBase64Encoded: true, headers: { 'content-encoding': 'gzip' } });
    expect(answer).toMatchObject({ status: 413, body: { code: 'body_too_large' } });
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1_048_576);
  });

  test.each([
    ['brotli that is none', { 'content-encoding': 'br' }, 400, 'body_unreadable'],
    ['an unknown encoding', { 'content-encoding': 'zstd' }, 415, 'content_encoding_unknown'],
  ])('refuses %s', async (_name, headers, status, code) => {
    const answer = await post(event(), { headers: headers as unknown as Record<string, string> });
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });
});

describe('the key of POST /v1/events', () => {
  test('is asked for before anything else is looked at', async () => {
    const answer = await post(null, { key: null, body: 'no json' });
    expect(answer).toMatchObject({ status: 401, body: { code: 'api_key_missing' } });
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="countinghouse"');
  });

  test.each<[string, () => string, number, string]>([
    ['of a wrong form', () => 'hello', 401, 'api_key_invalid'],
    ['with a wrong checksum', () => `${addKey(1).slice(0, -1)}~`, 401, 'api_key_invalid'],
    [
      'that nobody made',
      () => newApiKey({ project: PROJECT, mode: 'test' }, (length) => new Uint8Array(length).fill(9)).key,
      401,
      'api_key_invalid',
    ],
    ['that was revoked', () => addKey(2, { revokedAt: instantFromMillis(NOW_MILLIS) }), 401, 'api_key_revoked'],
    ['that expired', () => addKey(3, { expiresAt: instantFromMillis(NOW_MILLIS) }), 401, 'api_key_expired'],
    ['with too small a scope', () => addKey(4, { scopes: ['read', 'write', 'billing'] }), 403, 'scope_missing'],
  ])('%s is refused with a code of its own', async (_name, makeKey, status, code) => {
    const answer = await post(event(), { key: makeKey() });
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(sent).toEqual([]);
  });

  test('decides the project: a customer known to another project is a new customer here', async () => {
    const same = event({ id: 'order-1', customer: 'ada' });
    await post(same, { key: addKey(1) });
    await post(same, { key: addKey(5, {}, OTHER) });
    expect(sent.map((message) => decodeUsageBatch(message).project)).toEqual(['prj_demo', 'prj_other']);
    expect(queued().map(({ customer, id }) => [customer, id])).toEqual([
      ['ada', 'order-1'],
      ['ada', 'order-1'],
    ]);
  });

  test('cannot be outvoted by the body', async () => {
    const answer = await post(event({ project: 'prj_other' }));
    expect(answer).toMatchObject({ status: 400, body: { code: 'field_unknown', field: 'project' } });
  });
});

describe('a request with bad events', () => {
  test('keeps the good ones and names the bad by index, each with its own code', async () => {
    const answer = await post([
      event(),
      event({ id: '' }),
      event({ customer: 7 }),
      null,
      event({ time: '2027-01-01T00:00:00Z' }),
      event({ time: '2026-01-01T00:00:00Z' }),
      event({ id: '017f22e2-79b0-7cc3-98c4-dc0c0c07398f' }),
      event({ type: 'unheard' }),
      event({ properties: { tokens: 'many' } }),
      event(),
    ]);
    expect(answer.status).toBe(202);
    expect(answer.body.accepted).toBe(3);
    expect(answer.body.rejected.map(({ index, code }: { index: number; code: string }) => [index, code])).toEqual([
      [1, 'id_missing'],
      [2, 'customer_invalid'],
      [3, 'event_not_an_object'],
      [4, 'time_in_future'],
      [5, 'event_too_old'],
      [6, 'id_too_old'],
      [7, 'event_type_unknown'],
    ]);
    expect(queued().map(({ index }) => index)).toEqual([0, 8, 9]);
    // counted as a call, but not by the four meters of tokens
    expect(answer.body.warnings.map(({ index, code }: { index: number; code: string }) => [index, code])).toEqual(
      new Array(4).fill([8, 'meter_cannot_count']),
    );
    expect(decodeUsageBatch(sent[0] ?? '').rejected).toBe(7);
  });

  test('shows of each what was got, what was expected and what to do', async () => {
    const { body } = await post([event(), event({ customer: '' })]);
    expect(body.rejected[0]).toEqual({
      index: 1,
      id: expect.any(String),
      code: 'customer_missing',
      field: 'customer',
      got: '""',
      expected: 'a text of 1 to 255 characters',
      detail:
        'Event 1: customer is ""; expected a text of 1 to 255 characters. Name the customer by your own id for it.',
    });
  });

  test('of which nothing is good is a problem, with the status that all refusals share, else 422', async () => {
    expect(await post([event({ id: '' })])).toMatchObject({
      status: 422,
      headers: { 'content-type': 'application/problem+json' },
      body: { status: 422, code: 'id_missing', title: 'No event was accepted', accepted: 0, rejected: [{ index: 0 }] },
    });
    expect((await post([null, event({ extra: 1 })])).status).toBe(400);
    expect((await post([null, event({ id: '' })])).status).toBe(422);
    expect(sent).toEqual([]);
  });
});

describe('what a worker keeps for 30 seconds', () => {
  const LATER: MeterRevision = {
    revision: 2,
    meters: [...METERS.meters, { key: 'new', eventType: 'new', aggregation: 'count', dimensions: [] }],
  };

  test('an event type it does not know is read again once before it is refused', async () => {
    await post(event());
    expect(reads).toEqual(['meters cached']);
    meters.set(PROJECT, LATER);
    expect((await post([event(), event({ type: 'new' }), event({ type: 'new' })])).body.accepted).toBe(3);
    expect(reads).toEqual(['meters cached', 'meters fresh']);
    expect(decodeUsageBatch(sent[1] ?? '').meterRevision).toBe(2);
    expect((await post(event({ type: 'unheard' }))).body.code).toBe('event_type_unknown');
    expect(reads).toEqual(['meters cached', 'meters fresh', 'meters fresh']);
  });

  test('the meters are read again after 30 seconds', async () => {
    await post(event());
    millis += 29_999;
    await post(event());
    millis += 1;
    await post(event());
    expect(reads).toEqual(['meters cached', 'meters cached']);
  });

  test('a backfill is refused until it is open, taken at once when it is, and again when it was closed and reopened', async () => {
    const old = () => event({ id: 'row-1', source: 'backfill:march', time: '2023-11-16T18:15:46Z' });
    const march = (status: Backfill['status']): Backfill => ({
      name: 'march',
      source: 'backfill:march',
      from: instantFromMillis(0),
      status,
      openedAt: instantFromMillis(NOW_MILLIS),
    });
    expect((await post(old())).body.code).toBe('backfill_not_open');
    backfills.set('prj_demo/march', march('open'));
    expect((await post(old())).status).toBe(202);
    backfills.set('prj_demo/march', march('closed'));
    millis += 30_000;
    expect((await post(old())).body.code).toBe('backfill_not_open');
    backfills.set('prj_demo/march', march('open'));
    expect((await post(old())).status).toBe(202);
  });

  test('a backfill takes nothing more 35 days after it was first opened', async () => {
    const openedAt = instantFromMillis(NOW_MILLIS);
    const march = { name: 'march', source: 'backfill:march', from: openedAt, status: 'open' as const, openedAt };
    backfills.set('prj_demo/march', march);
    const row = () => event({ id: `row-${millis}`, source: 'backfill:march', time: '2023-11-16T18:15:46Z' });
    millis += 35 * 86_400_000;
    expect((await post(row())).status).toBe(202);
    millis += 1;
    expect((await post(row())).body.code).toBe('backfill_not_open');
  });

  test("another project's backfill is not open here", async () => {
    const name = { name: 'march', source: 'backfill:march', status: 'open' as const };
    backfills.set('prj_other/march', { ...name, from: instantFromMillis(0), openedAt: instantFromMillis(NOW_MILLIS) });
    expect((await post(event({ source: 'backfill:march' }))).body.code).toBe('backfill_not_open');
  });
});

describe('numbers', () => {
  test('of 16 and more digits stay exact from the body to the message, beside short ones', async () => {
    const body = `{"id":"order-1","type":"call","customer":"ada","properties":{
      "tokens":12345678901234567890.123456789012,"a":0.1,"b":9007199254740993,"c":1.0000000000000001,"d":1e-7,
      "e":-0.000000000000000001,"f":100,"g":2.50}}`;
    expect((await post(null, { body })).status).toBe(202);
    expect(sent[0]).toContain('"tokens":"12345678901234567890.123456789012"');
    expect(queued()[0]?.properties).toEqual({
      tokens: '12345678901234567890.123456789012',
      a: '0.1',
      b: '9007199254740993',
      c: '1.0000000000000001',
      d: '0.0000001',
      e: '-0.000000000000000001',
      f: '100',
      g: '2.5',
    });
  });

  test('look the same as text and as number', async () => {
    await post([event({ properties: { tokens: 12.5 } }), event({ properties: { tokens: '12.5' } })]);
    expect(queued().map(({ properties }) => properties.tokens)).toEqual(['12.5', '12.5']);
  });
});

describe('when something fails', () => {
  test('nothing is accepted unless the queue has it: 503, to be sent again as it is', async () => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {});
    isQueueDown = true;
    const same = event({ id: 'order-1' });
    expect(await post(same)).toMatchObject({
      status: 503,
      headers: { 'retry-after': '1' },
      body: { code: 'service_unavailable', request_id: 'req-1' },
    });
    expect(logged).toHaveBeenCalledOnce();
    logged.mockRestore();
    isQueueDown = false;
    expect((await post(same)).status).toBe(202);
  });

  test('a defect is a 500 that tells the client nothing of its inside', async () => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {});
    deps = {
      ...deps,
      newBatchId: () => {
        throw new Error('secret inside');
      },
    };
    const answer = await post(event());
    expect(answer).toMatchObject({ status: 500, body: { code: 'internal_error' } });
    expect(JSON.stringify(answer)).not.toContain('secret inside');
    expect(JSON.stringify(logged.mock.calls)).toContain('secret inside');
    logged.mockRestore();
  });
});
