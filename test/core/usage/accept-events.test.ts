import { beforeEach, describe, expect, test } from 'vitest';
import { usageClaims } from '../../../adapters/dynamodb/usage-claims.ts';
import { type AcceptDeps, acceptEvents } from '../../../core/usage/accept-events.ts';
import type { PartitionHeader } from '../../../core/usage/log-partition.ts';
import { decodeUsageBatch } from '../../../core/usage/usage-batch.ts';
import { clockAt, METERS, memoryTables, NOW_MILLIS, PROJECT, TABLES } from '../../support/usage-fixtures.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** 2026-11-21T03:00:00.000Z and an hour before. */
const BORN_NOW = '01a1fc0b-e380-7000-8000-000000000000';
const BORN_BEFORE = '01a1fbd4-f500-7000-8000-000000000000';

let sent: string[];
let nowMillis: number;
let deps: AcceptDeps;
let database: ReturnType<typeof memoryTables>;

beforeEach(() => {
  sent = [];
  nowMillis = NOW_MILLIS;
  database = memoryTables();
  deps = worker();
});

function worker(): AcceptDeps {
  return {
    claims: usageClaims(database.client(), TABLES.claims),
    queue: { send: async (messages) => void sent.push(...messages) },
    clock: { now: () => clockAt(nowMillis).now() },
    headers: new Map(),
  };
}
const event = (change: Record<string, unknown> = {}) => ({
  id: BORN_NOW,
  type: 'call',
  customer: 'ada',
  properties: { tokens: '1' },
  ...change,
});
const accept = (...events: unknown[]) =>
  acceptEvents(
    { project: PROJECT, events, batchId: 'b-1', meters: METERS, openBackfills: new Set(['backfill:x']) },
    deps,
  );
const placed = () => sent.flatMap((message) => decodeUsageBatch(message).events);

describe('accepting events', () => {
  test('places each by the hour it was born in, with the time it was given or born at', async () => {
    const time = '2026-11-21T01:02:03.004005Z';
    await accept(event(), event({ id: BORN_BEFORE }), event({ id: 'order-1', time }), event({ id: 'order-2' }));
    expect(placed().map(({ index, partition, occurredAtMicros }) => [index, partition, occurredAtMicros])).toEqual([
      [0, '0.2026112103', 1_795_230_000_000_000],
      [1, '0.2026112102', 1_795_226_400_000_000],
      [2, '0.2026112103', 1_795_222_923_004_005],
      [3, '0.2026112103', 1_795_230_000_000_000],
    ]);
  });

  test('gives a foreign id the hour and time of its first sight, for every later sender', async () => {
    await accept(event({ id: 'order-1' }));
    nowMillis += 5 * HOUR;
    deps = worker();
    await accept(event({ id: 'order-1' }));
    expect(placed().map(({ partition, occurredAtMicros }) => [partition, occurredAtMicros])).toEqual([
      ['0.2026112103', 1_795_230_000_000_000],
      ['0.2026112103', 1_795_230_000_000_000],
    ]);
  });

  test('claims the same id anew for another customer, source or project', async () => {
    await accept(
      event({ id: 'order-1' }),
      event({ id: 'order-1', customer: 'bob' }),
      event({ id: 'order-1', source: 'web' }),
    );
    expect(database.items(TABLES.claims).filter((item) => item.pk?.S?.includes('#claim#'))).toHaveLength(3);
  });

  test('lets every id of a backfill take the claim lane', async () => {
    await accept(event({ source: 'backfill:x', time: '2023-11-16T18:15:46Z' }));
    expect(database.items(TABLES.claims).filter((item) => item.pk?.S?.includes('#claim#'))).toHaveLength(1);
    expect(placed()[0]).toMatchObject({ partition: '0.2026112103', occurredAtMicros: 1_700_158_546_000_000 });
  });

  test('refuses a foreign id whose claim is older than the window, and says nothing else about the event', async () => {
    await accept(event({ id: 'order-1', properties: {} }));
    nowMillis += 35 * DAY + HOUR + 1;
    sent = [];
    const result = await accept(event({ id: 'order-1', properties: {} }), event({ id: 'order-2', properties: {} }));
    expect(result.accepted).toBe(1);
    expect(result.rejected.map(({ index, code }) => [index, code])).toEqual([[0, 'id_too_old']]);
    expect(result.warnings.map(({ index }) => index)).toEqual(new Array(result.warnings.length).fill(1));
    expect(result.warnings).not.toEqual([]);
  });

  test('keeps to the placement that was pinned for the hour, whoever comes with another', async () => {
    const pinned: PartitionHeader = { shards: 4, widthMinutes: 15, spread: {} };
    await deps.claims.pinHeader(PROJECT, NOW_MILLIS, pinned);
    await accept(event());
    // 943263163 mod 4 = 3, and minute 0 of the hour
    expect(placed()[0]?.partition).toBe('3.202611210300');
  });

  test('asks for the placement of an hour once in the life of a worker', async () => {
    await accept(event());
    const before = database.items(TABLES.claims).length;
    await accept(event(), event({ id: BORN_BEFORE }));
    expect(database.items(TABLES.claims)).toHaveLength(before + 1);
    expect([...deps.headers.keys()]).toEqual(['prj_demo/2026112103', 'prj_demo/2026112102']);
  });

  test('names refused events by index, in order, and tells the queue how many there were', async () => {
    const result = await accept(event(), { id: 'x' }, event({ id: BORN_BEFORE }), null, event({ type: 'other' }));
    expect(result.accepted).toBe(2);
    expect(result.rejected.map(({ index, code }) => [index, code])).toEqual([
      [1, 'customer_missing'],
      [3, 'event_not_an_object'],
      [4, 'event_type_unknown'],
    ]);
    expect(sent.map((message) => decodeUsageBatch(message).rejected)).toEqual([3]);
    expect(placed().map(({ index }) => index)).toEqual([0, 2]);
  });

  test('claims the rows of a backfill a hundred at a time, and each keeps its first time whoever sends it again', async () => {
    const row = (i: number) => event({ id: `row-${i}`, source: 'backfill:x', time: '2026-01-01T00:00:00Z' });
    const calls: number[] = [];
    const { claimTogether } = deps.claims;
    deps = {
      ...deps,
      claims: {
        ...deps.claims,
        claimTogether: (project, identities, millis) => {
          calls.push(identities.length);
          return claimTogether(project, identities, millis);
        },
      },
    };
    await accept(...Array.from({ length: 250 }, (_, i) => row(i)), row(0));
    expect(calls.toSorted()).toEqual([100, 100, 50]);
    expect(new Set(placed().map(({ partition }) => partition))).toEqual(new Set(['0.2026112103']));
    sent = [];
    nowMillis += 5 * HOUR;
    // sent again among new ones, in another order
    await accept(row(300), row(7), row(0), row(301), row(249));
    expect(placed().map(({ id, partition }) => [id, partition])).toEqual([
      ['row-300', '0.2026112108'],
      ['row-7', '0.2026112103'],
      ['row-0', '0.2026112103'],
      ['row-301', '0.2026112108'],
      ['row-249', '0.2026112103'],
    ]);
  });

  test('claims one by one what a contended call left open', async () => {
    deps = { ...deps, claims: { ...deps.claims, claimTogether: async (_project, ids) => ids.map(() => undefined) } };
    expect((await accept(event({ id: 'row-1', source: 'backfill:x' }))).accepted).toBe(1);
    expect(database.items(TABLES.claims).filter((item) => item.m !== undefined)).toHaveLength(1);
  });

  test('sends nothing when nothing is left', async () => {
    expect(await accept(null)).toMatchObject({ accepted: 0 });
    expect(sent).toEqual([]);
  });

  test('fails as a whole when the queue or a claim fails, and may be sent again as it is', async () => {
    deps = { ...deps, queue: { send: () => Promise.reject(new Error('queue down')) } };
    await expect(accept(event())).rejects.toThrow('queue down');
    deps = { ...worker(), claims: { ...deps.claims, claim: () => Promise.reject(new Error('claims down')) } };
    await expect(accept(event({ id: 'order-1' }))).rejects.toThrow('claims down');
    expect(sent).toEqual([]);
    deps = worker();
    expect((await accept(event(), event({ id: 'order-1' }))).accepted).toBe(2);
  });
});
