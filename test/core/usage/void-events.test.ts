import { beforeEach, describe, expect, test } from 'vitest';
import { usageClaims } from '../../../adapters/dynamodb/usage-claims.ts';
import { instantFromMillis } from '../../../core/time/instant.ts';
import { fingerprintHex, fingerprintOf } from '../../../core/usage/identity.ts';
import { decodeUsageBatch } from '../../../core/usage/usage-batch.ts';
import { type VoidDeps, voidEvents } from '../../../core/usage/void-events.ts';
import { memoryTables, NOW_MILLIS, PROJECT, TABLES } from '../../support/usage-fixtures.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Born 2026-11-21T03:00:00.000Z. */
const V7 = `${NOW_MILLIS.toString(16).padStart(12, '0').slice(0, 8)}-${NOW_MILLIS.toString(16).padStart(12, '0').slice(8)}-7000-8000-000000000001`;

let deps: VoidDeps;
let sent: string[];
let nowMillis: number;
let database: ReturnType<typeof memoryTables>;

beforeEach(() => {
  sent = [];
  nowMillis = NOW_MILLIS;
  database = memoryTables();
  deps = {
    claims: usageClaims(database.client(), TABLES.claims),
    queue: { send: async (messages) => void sent.push(...messages) },
    clock: { now: () => instantFromMillis(nowMillis) },
    headers: new Map(),
  };
});

const target = (id: string, source = '') => ({ id, customer: 'ada', source, reason: 'wrong' });
const run = (...targets: ReturnType<typeof target>[]) =>
  voidEvents({ project: PROJECT, targets, by: 'key1', batchId: 'b-1' }, deps);
const claim = (id: string, millis: number, source = '') =>
  usageClaims(database.client(), TABLES.claims).claim(
    PROJECT,
    fingerprintHex(fingerprintOf(PROJECT, { customer: 'ada', source, id })),
    millis,
  );

describe('voiding by id', () => {
  test('finds the partition of an id that carries its time without looking anything up', async () => {
    const claims = { ...deps.claims, findClaim: () => Promise.reject(new Error('looked up')) };
    deps = { ...deps, claims };
    expect(await run(target(V7))).toEqual({ accepted: 1, rejected: [] });
    expect(sent.map(decodeUsageBatch)).toEqual([
      {
        ...{ project: PROJECT, batchId: 'b-1', rejected: 0, meterRevision: 0, receivedAtMillis: NOW_MILLIS },
        events: [],
        voids: [
          { index: 0, partition: '0.2026112103', customer: 'ada', source: '', id: V7, reason: 'wrong', by: 'key1' },
        ],
      },
    ]);
  });

  test('finds any other id by its claim, and refuses one that has none; it never makes a claim', async () => {
    await claim('order-1', NOW_MILLIS - 2 * HOUR);
    await claim(V7, NOW_MILLIS - 5 * HOUR, 'backfill:old');
    const before = database.items(TABLES.claims).length;
    const result = await run(
      target('order-1'),
      target('order-2'),
      target('order-1', 'web'),
      target(V7, 'backfill:old'),
    );
    expect(result.accepted).toBe(2);
    expect(result.rejected.map(({ index, code }) => [index, code])).toEqual([
      [1, 'event_not_found'],
      [2, 'event_not_found'],
    ]);
    expect(result.rejected[0]?.detail).toContain('GET /v1/events');
    const [batch] = sent.map(decodeUsageBatch);
    expect(batch?.voids?.map(({ index, partition }) => [index, partition])).toEqual([
      [0, '0.2026112101'],
      [3, '0.2026112022'],
    ]);
    // two headers were pinned, nothing was claimed
    expect(database.items(TABLES.claims).length - before).toBe(2);
  });

  test.each([
    ['the last instant at which the log takes changes', 0, 1],
    ['a millisecond later', 1, 0],
  ])('at %s', async (_when, more, accepted) => {
    // the born hour ends at 04:00; 64 days later
    nowMillis = NOW_MILLIS + HOUR + 64 * DAY + more;
    const result = await run(target(V7));
    expect(result.accepted).toBe(accepted);
    if (accepted === 0) expect(result.rejected).toMatchObject([{ code: 'void_too_late' }]);
  });

  test('refuses an id from the future: no event of it can have been accepted', async () => {
    nowMillis = NOW_MILLIS - 5 * 60_000;
    expect((await run(target(V7))).accepted).toBe(1);
    nowMillis -= 1;
    expect((await run(target(V7))).rejected).toMatchObject([{ code: 'event_not_found' }]);
  });

  test('is not answered before the queue has the voids', async () => {
    deps = { ...deps, queue: { send: () => Promise.reject(new Error('queue is down')) } };
    await expect(run(target(V7))).rejects.toThrow('queue is down');
  });
});
