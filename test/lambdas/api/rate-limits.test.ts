import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rateBuckets } from '../../../adapters/dynamodb/rate-buckets.ts';
import { rateLimiter } from '../../../core/limits/rate-limiter.ts';
import { limitsFor } from '../../../core/limits/rate-limits.ts';
import { handle } from '../../../lambdas/api/api.ts';
import { type ApiUnderTest, apiOver } from '../../support/api-client.ts';
import { type LocalTables, startLocalTables } from '../../support/local-tables.ts';
import { memoryTables, TABLES } from '../../support/usage-fixtures.ts';

let tables: LocalTables;
let api: ApiUnderTest;
let admin: string;
beforeAll(async () => {
  tables = await startLocalTables();
  api = await apiOver(tables, '2026-11-21T10:17:33.000Z');
  admin = await api.newKey('prj_rates', ['admin']);
});
afterAll(() => tables.stop());

const PATH = '/v1/settings/rate-limits';
const get = () => api.call(PATH, { key: admin });
const put = (body: object, key = admin) => api.call(PATH, { key, method: 'PUT', body });

describe('/v1/settings/rate-limits', () => {
  it('answers what counts: the deployment’s limits, until the project has set its own', async () => {
    const { body } = await get();
    expect(body).toEqual({ in_force: body.in_force });
    expect(body.in_force.project.events).toEqual({ per_second: 1_000, burst: 1_000 });
    const set = {
      project: { events: { per_second: 50, burst: 2_000 } },
      keys: [{ key: '0123456789ab', requests: { per_second: 1, burst: 3 } }],
    };
    expect(await put(set)).toMatchObject({ status: 200, body: set });
    const after = (await get()).body;
    expect(after).toMatchObject(set);
    expect(after.in_force.project.events).toEqual({ per_second: 50, burst: 2_000 });
    expect(after.in_force.key).toEqual(body.in_force.key);
  });

  it('refuses a burst of events smaller than a request may hold, and every other fault with it', async () => {
    const { status, body } = await put({
      project: { events: { per_second: 0, burst: 999 } },
      keys: [{ key: 'nobody' }],
      more: 1,
    });
    expect([status, body.code]).toEqual([400, 'body_invalid']);
    expect(body.faults.map(({ field }: { field: string }) => field).toSorted()).toEqual([
      'keys[0].key',
      'more',
      'project.events.burst',
      'project.events.per_second',
    ]);
  });

  it('is changed by admins alone', async () => {
    const writer = await api.newKey('prj_rates', ['write', 'billing']);
    expect(await put({}, writer)).toMatchObject({ status: 403, body: { code: 'scope_missing' } });
  });
});

describe('a request beyond the rate', () => {
  it('is answered 429 with Retry-After, and the documents need neither key nor tokens', async () => {
    const clock = { now: api.deps.routes.clock.now };
    const narrow = { requests: { perSecond: 1, burst: 2 } };
    const limit = rateLimiter({
      buckets: rateBuckets(memoryTables().client(), TABLES.claims),
      limits: async () => limitsFor({ project: narrow }, '', api.deps.routes.defaultRateLimits),
      clock,
      pause: async () => {},
    });
    const invoke = handle({ ...api.deps, limit });
    const ask = (rawPath: string, key?: string) =>
      invoke(
        {
          rawPath,
          rawQueryString: '',
          headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
          requestContext: { requestId: 'req-1', http: { method: 'GET', path: rawPath } },
          isBase64Encoded: false,
        } as never,
        {} as never,
      );
    expect((await ask(PATH, admin)).statusCode).toBe(200);
    expect((await ask(PATH, admin)).statusCode).toBe(200);
    const refused = await ask(PATH, admin);
    expect([refused.statusCode, refused.headers['retry-after']]).toEqual([429, '1']);
    expect(JSON.parse(refused.body)).toMatchObject({ code: 'rate_limited', context: { limit: 'project', burst: 2 } });
    expect((await ask('/v1/openapi.json')).statusCode).toBe(200);
  });
});
