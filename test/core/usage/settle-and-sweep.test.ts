import { beforeEach, describe, expect, test } from 'vitest';
import { parkingLot } from '../../../adapters/dynamodb/parking-lot.ts';
import { usageLog } from '../../../adapters/dynamodb/usage-log.ts';
import { usageRegistry } from '../../../adapters/dynamodb/usage-registry.ts';
import { usageViews } from '../../../adapters/dynamodb/usage-views.ts';
import { instantFromMillis, parseInstant } from '../../../core/time/instant.ts';
import type { FoldDeps } from '../../../core/usage/fold-partitions.ts';
import { hourKey } from '../../../core/usage/log-partition.ts';
import { PartitionState } from '../../../core/usage/partition-state.ts';
import { planChunk } from '../../../core/usage/plan-chunk.ts';
import type { UsageRegistry } from '../../../core/usage/ports.ts';
import { settleUsage } from '../../../core/usage/settle-usage.ts';
import { foldOnHints, sweepUsage } from '../../../core/usage/sweep-usage.ts';
import {
  clockAt,
  logged,
  METERS,
  memoryTables,
  NOW_MILLIS,
  PLACE,
  PROJECT,
  share,
  TABLES,
} from '../../support/usage-fixtures.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const POLICY = { flushEvents: 5, maxViewAgeMillis: 15 * MINUTE };

let nowMillis: number;
let deps: FoldDeps & { registry: UsageRegistry };
let states: Map<string, PartitionState>;
let listed: string[];

beforeEach(() => {
  nowMillis = NOW_MILLIS;
  states = new Map();
  listed = [];
  const client = memoryTables().client();
  const registry = usageRegistry(client, TABLES.views);
  deps = {
    log: usageLog(client, TABLES.log),
    views: usageViews(client, TABLES.views),
    parking: parkingLot(client, TABLES.views),
    meters: { revision: async () => METERS, newest: async () => METERS },
    clock: { now: () => clockAt(nowMillis).now() },
    seen: new Set(),
    registry: {
      ...registry,
      partitionsOf: (project, day, fromHour) => {
        listed.push(`${day} from ${fromHour}`);
        return registry.partitionsOf(project, day, fromHour);
      },
    },
  };
});

/** Appends `count` events to a partition and registers it for the hour of `atMillis`. */
/** `count` new events of so many customers, in one chunk. */
async function append(partition: string, count: number, atMillis = nowMillis, customers = 1): Promise<void> {
  const place = { project: PROJECT, partition };
  const state = states.get(partition) ?? new PartitionState();
  states.set(partition, state);
  const events = Array.from({ length: count }, (_, i) =>
    logged({ id: `${state.total + i}`, customer: `ada-${i % customers}` }),
  );
  const chunk = planChunk(state, [share(`b-${state.head}`, events)], atMillis);
  if (chunk === null) throw new Error('nothing to append');
  await deps.registry.register(place, hourKey(atMillis), 2_000_000_000);
  await deps.log.putChunk(place, chunk);
  state.apply(chunk);
}
const settle = (since: string, change: { cursor?: string | null; stopAt?: number } = {}) =>
  settleUsage(
    {
      project: PROJECT,
      since: parseInstant(since),
      cursor: change.cursor ?? null,
      stopAt: instantFromMillis(change.stopAt ?? nowMillis + HOUR),
    },
    deps,
  );
const headOf = async (partition: string) => (await deps.views.readCursor({ project: PROJECT, partition })).sequence;

describe('settling', () => {
  test('folds every partition appended to since, up to and including this hour, to its head', async () => {
    await append('0.2026112001', 2, NOW_MILLIS - 24 * HOUR);
    await append('0.2026112001', 1, NOW_MILLIS - 23 * HOUR);
    await append('0.2026112103', 3);
    expect(await settle('2026-11-20T03:00:00Z')).toEqual({ done: true, cursor: null, partitions: 2, foldedEvents: 6 });
    expect([await headOf('0.2026112001'), await headOf('0.2026112103')]).toEqual([2, 1]);
  });

  test('folds nothing the second time', async () => {
    await append('0.2026112103', 3);
    await settle('2026-11-20T03:00:00Z');
    expect(await settle('2026-11-20T03:00:00Z')).toMatchObject({ done: true, foldedEvents: 0 });
  });

  test('looks at the hour before too: events may be 5 minutes ahead of the period they belong to', async () => {
    // registered at 23:58 for usage of 00:02, which is in the period that begins at midnight
    await append('0.2026112023', 1, Date.parse('2026-11-20T23:58:00Z'));
    expect(await settle('2026-11-21T00:00:00Z')).toMatchObject({ done: true, foldedEvents: 1 });
  });

  test('begins with the hour that `since` lies in, and the one before, and no other', async () => {
    await append('0.2026112023', 1, Date.parse('2026-11-20T23:59:59Z'));
    await append('0.2026112100', 1, Date.parse('2026-11-21T00:00:00Z'));
    expect(await settle('2026-11-21T01:59:59Z')).toMatchObject({ partitions: 1 });
    expect(listed).toEqual(['20261121 from 2026112100']);
  });

  test('hands back a cursor when its time is up, and goes on from there', async () => {
    for (let day = 0; day < 12; day++) {
      await append(`0.202611${String(9 + day).padStart(2, '0')}03`, 1, NOW_MILLIS - (12 - day) * 24 * HOUR);
    }
    let cursor: string | null = null;
    let calls = 0;
    let partitions = 0;
    do {
      const step: Awaited<ReturnType<typeof settleUsage>> = await settle('2026-11-09T03:00:00Z', {
        cursor,
        stopAt: nowMillis,
      });
      cursor = step.cursor;
      calls += 1;
      partitions += step.partitions;
      expect(step.done).toBe(cursor === null);
    } while (cursor !== null && calls < 20);
    // 13 days from the 9th to the 21st, seven in each call
    expect([calls, partitions]).toEqual([2, 12]);
    expect(new Set(listed).size).toBe(listed.length);
  });

  test('fails when a partition cannot be folded, so that nothing is rated without it', async () => {
    await append('0.2026112103', 1);
    deps = { ...deps, meters: { ...deps.meters, revision: () => Promise.reject(new Error('down')) } };
    await expect(settle('2026-11-21T03:00:00Z')).rejects.toThrow('down');
  });
});

describe('a hint from the stream', () => {
  test('folds a partition that was never folded, then waits for enough events or enough age', async () => {
    await append('0.2026112103', 2);
    expect(await foldOnHints([{ place: PLACE, total: 2 }], POLICY, deps)).toMatchObject({ foldedEvents: 2 });
    await append('0.2026112103', 4);
    nowMillis += 15 * MINUTE - 1;
    expect(await foldOnHints([{ place: PLACE, total: 6 }], POLICY, deps)).toMatchObject({ foldedEvents: 0 });
    nowMillis += 1;
    expect(await foldOnHints([{ place: PLACE, total: 6 }], POLICY, deps)).toMatchObject({ foldedEvents: 4 });
    await append('0.2026112103', 19);
    expect(await foldOnHints([{ place: PLACE, total: 25 }], POLICY, deps)).toMatchObject({ foldedEvents: 0 });
    await append('0.2026112103', 1);
    expect(await foldOnHints([{ place: PLACE, total: 26 }], POLICY, deps)).toMatchObject({ foldedEvents: 20 });
  });

  test('waits for more events where the last fold wrote many customers, and never longer than a view may be old', async () => {
    await append('0.2026112103', 30, nowMillis, 10);
    expect(await foldOnHints([{ place: PLACE, total: 30 }], POLICY, deps)).toMatchObject({ foldedEvents: 30 });
    await append('0.2026112103', 199, nowMillis, 10);
    expect(await foldOnHints([{ place: PLACE, total: 229 }], POLICY, deps)).toMatchObject({ foldedEvents: 0 });
    nowMillis += 15 * MINUTE;
    expect(await foldOnHints([{ place: PLACE, total: 229 }], POLICY, deps)).toMatchObject({ foldedEvents: 199 });
    await append('0.2026112103', 200, nowMillis, 10);
    expect(await foldOnHints([{ place: PLACE, total: 429 }], POLICY, deps)).toMatchObject({ foldedEvents: 200 });
  });

  test('that comes late or twice does nothing', async () => {
    await append('0.2026112103', 2);
    await foldOnHints([{ place: PLACE, total: 2 }], POLICY, deps);
    nowMillis += HOUR;
    expect(await foldOnHints([{ place: PLACE, total: 2 }], POLICY, deps)).toMatchObject({ foldedEvents: 0 });
    expect(await foldOnHints([{ place: PLACE, total: 1 }], POLICY, deps)).toMatchObject({ foldedEvents: 0 });
  });
});

describe('the sweep', () => {
  test('finds what no hint announced, within three append hours', async () => {
    await append('0.2026112102', 1, NOW_MILLIS - HOUR);
    await append('0.2026112101', 1, NOW_MILLIS - 2 * HOUR);
    await append('0.2026112100', 1, NOW_MILLIS - 3 * HOUR);
    expect(await sweepUsage({ project: PROJECT, scope: 'recent', policy: POLICY }, deps)).toMatchObject({
      partitions: 2,
      foldedEvents: 2,
    });
    expect(listed).toEqual(['20261121 from 2026112101']);
  });

  test('once a day finds everything of three days', async () => {
    await append('0.2026112100', 1, NOW_MILLIS - 3 * HOUR);
    await append('0.2026111900', 1, Date.parse('2026-11-19T00:00:00Z'));
    await append('0.2026111823', 1, Date.parse('2026-11-18T23:59:59Z'));
    expect(await sweepUsage({ project: PROJECT, scope: 'daily', policy: POLICY }, deps)).toMatchObject({
      partitions: 2,
      foldedEvents: 2,
    });
    expect(listed).toHaveLength(3);
  });

  test('leaves alone what is younger than views may be, and tells the lag of what is older', async () => {
    await append('0.2026112103', 1);
    await sweepUsage({ project: PROJECT, scope: 'recent', policy: POLICY }, deps);
    await append('0.2026112103', 1);
    nowMillis += 15 * MINUTE - 1;
    expect(await sweepUsage({ project: PROJECT, scope: 'recent', policy: POLICY }, deps)).toMatchObject({
      partitions: 1,
      foldedEvents: 0,
      lagMillis: 0,
    });
    nowMillis += 1;
    expect(await sweepUsage({ project: PROJECT, scope: 'recent', policy: POLICY }, deps)).toMatchObject({
      foldedEvents: 1,
      lagMillis: 15 * MINUTE,
    });
  });
});
