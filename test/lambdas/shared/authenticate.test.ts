import { beforeEach, describe, expect, it } from 'vitest';
import { type ApiKeyRecord, hashApiKey, newApiKey } from '../../../core/accounts/api-key.ts';
import type { ProjectId } from '../../../core/ids.ts';
import { type Instant, instantFromMillis } from '../../../core/time/instant.ts';
import { type Authenticate, authenticator } from '../../../lambdas/shared/authenticate.ts';
import { problemAnswer } from '../../../lambdas/shared/problem.ts';

const START = 1_795_230_000_000;
const project = 'prj_demo' as ProjectId;
const seeded = (seed: number) => (length: number) => new Uint8Array(length).fill(seed);

let stored: Map<string, ApiKeyRecord>;
let reads: string[];
let millis: number;
let authenticate: Authenticate;

function addKey(seed: number, change: Partial<ApiKeyRecord> = {}): string {
  const { key, ...parts } = newApiKey({ project, mode: 'test' }, seeded(seed));
  stored.set(parts.id, {
    ...parts,
    name: 'k',
    scopes: ['ingest', 'read'],
    hash: hashApiKey(key, 'pepper'),
    createdAt: instantFromMillis(START),
    expiresAt: null,
    revokedAt: null,
    rotatedTo: null,
    ...change,
  });
  return key;
}

const bearer = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });

beforeEach(() => {
  stored = new Map();
  reads = [];
  millis = START;
  authenticate = authenticator({
    keys: {
      find: async (_project, id, read) => {
        reads.push(read ?? 'any');
        return stored.get(id);
      },
    },
    pepper: async () => 'pepper',
    clock: { now: () => instantFromMillis(millis) },
  });
});

describe('authentication', () => {
  it('takes the project from the key, by either header', async () => {
    const key = addKey(1);
    const principal = { project: 'prj_demo', mode: 'test', scopes: ['ingest', 'read'] };
    expect(await authenticate(bearer(key), 'ingest')).toMatchObject(principal);
    expect(await authenticate({ headers: { 'x-api-key': key } }, 'read')).toMatchObject({ project: 'prj_demo' });
    expect(await authenticate({ headers: { Authorization: `bearer ${key}` } }, 'read')).toMatchObject({ mode: 'test' });
  });

  it('reads a key once in 30 seconds and again after', async () => {
    const key = addKey(1);
    await authenticate(bearer(key), 'ingest');
    millis += 29_999;
    await authenticate(bearer(key), 'ingest');
    expect(reads).toEqual(['any']);
    millis += 1;
    await authenticate(bearer(key), 'ingest');
    expect(reads).toEqual(['any', 'any']);
  });

  it('looks a second time, consistently, before an unknown key is refused', async () => {
    const key = addKey(1);
    const known = new Map(stored);
    stored.clear();
    await expect(authenticate(bearer(key), 'ingest')).rejects.toMatchObject({ code: 'api_key_invalid' });
    expect(reads).toEqual(['any', 'fresh']);
    stored = known;
    expect(await authenticate(bearer(key), 'ingest')).toMatchObject({ project: 'prj_demo' });
  });

  it('reads nothing for a key of the wrong form or checksum', async () => {
    const key = addKey(1);
    for (const wrong of [
      'nonsense',
      `${key.slice(0, -1)}!`,
      key.replace('_test_', '_live_'),
      key.replace('demo', 'dem0'),
    ]) {
      await expect(authenticate(bearer(wrong), 'ingest')).rejects.toMatchObject({ code: 'api_key_invalid' });
    }
    expect(reads).toEqual([]);
  });

  it('refuses a key whose project and id are known but whose secret is not', async () => {
    const key = addKey(1);
    const { key: other } = newApiKey({ project, mode: 'test' }, (length) =>
      length === 8 ? seeded(1)(8) : seeded(2)(length),
    );
    expect(other.slice(0, 26)).toBe(key.slice(0, 26));
    await expect(authenticate(bearer(other), 'ingest')).rejects.toMatchObject({ code: 'api_key_invalid' });
  });

  const answers: readonly [string, number, string, () => Promise<unknown>][] = [
    ['no key', 401, 'api_key_missing', () => authenticate({ headers: {} }, 'ingest')],
    [
      'another scheme',
      401,
      'api_key_invalid',
      () => authenticate({ headers: { authorization: 'Basic eA==' } }, 'ingest'),
    ],
    [
      'a revoked key',
      401,
      'api_key_revoked',
      () => authenticate(bearer(addKey(3, { revokedAt: instantFromMillis(START) })), 'ingest'),
    ],
    [
      'an expired key',
      401,
      'api_key_expired',
      () => authenticate(bearer(addKey(4, { expiresAt: '2026-01-01T00:00:00.000Z' as Instant })), 'ingest'),
    ],
    ['a scope too small', 403, 'scope_missing', () => authenticate(bearer(addKey(5)), 'billing')],
  ];
  for (const [name, status, code, call] of answers) {
    it(`answers ${name} with ${status} ${code}`, async () => {
      const answer = problemAnswer(await call().catch((error: unknown) => error), 'req-1');
      expect(answer.statusCode).toBe(status);
      expect(answer.headers['content-type']).toBe('application/problem+json');
      expect(answer.headers['www-authenticate']).toBe(
        { api_key_missing: 'Bearer realm="countinghouse"', scope_missing: undefined }[code] ??
          (status === 401 ? 'Bearer realm="countinghouse", error="invalid_token"' : undefined),
      );
      expect(JSON.parse(answer.body)).toMatchObject({ status, code, request_id: 'req-1', type: 'about:blank' });
    });
  }

  it('names the missing scope', async () => {
    await expect(authenticate(bearer(addKey(6)), 'billing')).rejects.toThrow(
      'This request needs the scope billing; API key',
    );
  });

  it('lets a revoked key live for at most the 30 seconds of the cache', async () => {
    const key = addKey(7);
    await authenticate(bearer(key), 'ingest');
    for (const [id, record] of stored) stored.set(id, { ...record, revokedAt: instantFromMillis(START) });
    millis += 30_000;
    await expect(authenticate(bearer(key), 'ingest')).rejects.toMatchObject({ code: 'api_key_revoked' });
  });
});
