import { beforeEach, describe, expect, test } from 'vitest';
import { parkingLot } from '../../../adapters/dynamodb/parking-lot.ts';
import { usageLog } from '../../../adapters/dynamodb/usage-log.ts';
import { usageViews } from '../../../adapters/dynamodb/usage-views.ts';
import type { MeterRevision } from '../../../core/catalog/meter.ts';
import { invariantBroken } from '../../../core/errors.ts';
import { parseInstant } from '../../../core/time/instant.ts';
import type { LoggedEvent } from '../../../core/usage/chunk.ts';
import { type FoldDeps, foldPartition } from '../../../core/usage/fold-partitions.ts';
import { VIEW_LIMITS } from '../../../core/usage/fold-view.ts';
import { PartitionState } from '../../../core/usage/partition-state.ts';
import { planChunk } from '../../../core/usage/plan-chunk.ts';
import { readUsage } from '../../../core/usage/read-usage.ts';
import {
  CALLS,
  clockAt,
  logged,
  memoryTables,
  NOW_MILLIS,
  PLACE,
  PROJECT,
  share,
  TABLES,
} from '../../support/usage-fixtures.ts';

const MICROS = NOW_MILLIS * 1000;
const DAY = 86_400_000;
const HOUR = 3_600_000;

let deps: FoldDeps;
let database: ReturnType<typeof memoryTables>;
let revisions: Map<number, MeterRevision>;
let revisionReads: number;
let state: PartitionState;

beforeEach(() => {
  database = memoryTables();
  const client = database.client();
  revisions = new Map([[1, { revision: 1, meters: [CALLS] }]]);
  revisionReads = 0;
  state = new PartitionState();
  deps = {
    log: usageLog(client, TABLES.log),
    views: usageViews(client, TABLES.views),
    parking: parkingLot(client, TABLES.views),
    meters: {
      newest: async () => ({ revision: 0, meters: [] }),
      revision: async (_project, revision) => {
        revisionReads += 1;
        const found = revisions.get(revision);
        if (found === undefined) throw invariantBroken('meter_revision_missing', 'not stored');
        return found;
      },
    },
    clock: clockAt(NOW_MILLIS),
    seen: new Set(),
  };
});

async function append(events: readonly LoggedEvent[], atMillis = NOW_MILLIS): Promise<void> {
  const chunk = planChunk(state, [share(`b-${state.head}`, events)], atMillis);
  if (chunk === null) throw new Error('nothing to append');
  await deps.log.putChunk(PLACE, chunk);
  state.apply(chunk);
}
async function calls(customer = 'ada'): Promise<string[]> {
  const span = { from: parseInstant('2026-11-01T00:00:00Z'), to: parseInstant('2026-12-01T00:00:00Z') };
  const { slices } = await readUsage({ project: PROJECT, customer, ...span }, deps);
  return slices.map(({ quantity }) => quantity);
}
const itemsOf = (kind: string) => database.items(TABLES.views).filter((item) => item.pk?.S?.split('#')[1] === kind);

describe('folding a partition', () => {
  test('counts everything above its cursor once and moves the cursor to the head', async () => {
    await append([logged({ id: 'a' }), logged({ id: 'b', customer: 'bob' })]);
    await append([logged({ id: 'c' })]);
    expect(await foldPartition(PLACE, deps)).toBe(3);
    expect(await deps.views.readCursor(PLACE)).toEqual({
      ...{ sequence: 2, total: 3, foldedAtMillis: NOW_MILLIS },
      days: 2,
    });
    expect(await foldPartition(PLACE, deps)).toBe(0);
    await append([logged({ id: 'd' })]);
    expect(await foldPartition(PLACE, deps)).toBe(1);
    expect([await calls(), await calls('bob')]).toEqual([['3'], ['1']]);
  });

  test('moves the cursor past chunks that hold receipts only', async () => {
    await append([logged()]);
    await append([logged()]);
    expect(await foldPartition(PLACE, deps)).toBe(1);
    expect((await deps.views.readCursor(PLACE)).sequence).toBe(2);
  });

  test('remembers each customer as seen', async () => {
    await append([logged({ id: 'a' }), logged({ id: 'b', customer: 'bob' })]);
    await foldPartition(PLACE, deps);
    expect(itemsOf('seen').map((item) => item.sk?.S)).toEqual(expect.arrayContaining(['ada', 'bob']));
  });

  test('marks a day as late only when its usage came more than an hour after its end', async () => {
    // 2026-11-20 ends at midnight, three hours before now
    const yesterday = MICROS - 4 * HOUR * 1000;
    await append([logged({ id: 'a', occurredAtMicros: yesterday })], NOW_MILLIS - 2 * HOUR);
    await append([logged({ id: 'b', occurredAtMicros: MICROS })]);
    await foldPartition(PLACE, deps);
    expect(itemsOf('usage').filter((item) => item.sk?.S?.startsWith('late'))).toEqual([]);
    await append([logged({ id: 'c', occurredAtMicros: yesterday })], NOW_MILLIS - 2 * HOUR + 1);
    await foldPartition(PLACE, deps);
    expect(itemsOf('usage').flatMap((item) => (item.sk?.S?.startsWith('late') ? [item.day?.S] : []))).toEqual([
      '20261120',
    ]);
  });

  test('reads a meter revision once, however many chunks name it', async () => {
    for (const id of ['a', 'b', 'c', 'd']) await append([logged({ id })]);
    await foldPartition(PLACE, deps);
    expect(revisionReads).toBe(1);
  });

  test('sets aside what cannot be folded, by name, and goes on: a missing revision, an event that nothing counts', async () => {
    await append([logged({ id: 'a', meterRevision: 7 }), logged({ id: 'b', type: 'other' }), logged({ id: 'c' })]);
    expect(await foldPartition(PLACE, deps)).toBe(3);
    expect(await calls()).toEqual(['1']);
    const parked = await deps.parking.list(PROJECT);
    expect(parked.map(({ name, reason, events, detail }) => [name, reason, events, detail])).toEqual([
      ['fold:0.2026112103:1:0', 'unfoldable', 1, 'Meter revision 7 does not exist.'],
      [
        'fold:0.2026112103:1:1',
        'unfoldable',
        1,
        'No meter of revision 1 counts events of type other with these properties.',
      ],
    ]);
    expect(JSON.parse(parked[0]?.body ?? '')).toMatchObject({ id: 'a', customer: 'ada' });
  });

  test('stops when the meters cannot be read, and counts nothing twice when they can again', async () => {
    await append([logged()]);
    const broken = { ...deps, meters: { ...deps.meters, revision: () => Promise.reject(new Error('timeout')) } };
    await expect(foldPartition(PLACE, broken)).rejects.toThrow('timeout');
    expect(await foldPartition(PLACE, deps)).toBe(1);
    expect(await calls()).toEqual(['1']);
  });

  test('parks every event of a full day once, whichever customers share its chunk', async () => {
    const full: FoldDeps = { ...deps, viewLimits: { ...VIEW_LIMITS, splitBytes: 1, maxBytes: 1 } };
    await append([logged({ id: 'a' }), logged({ id: 'b' }), logged({ id: 'a', customer: 'bob' })]);
    await foldPartition(PLACE, full);
    const parked = await deps.parking.list(PROJECT);
    expect(parked.map(({ reason, body }) => [reason, JSON.parse(body).customer, JSON.parse(body).id])).toEqual(
      expect.arrayContaining([
        ['view_full', 'ada', 'a'],
        ['view_full', 'ada', 'b'],
        ['view_full', 'bob', 'a'],
      ]),
    );
    expect(parked).toHaveLength(3);
    expect(parked[0]?.detail).toContain('calls');
    expect(await deps.views.readCursor(PLACE)).toMatchObject({ sequence: 1 });
  });

  test('an event that a view has no room for is parked and never counted, though a folder died between the two', async () => {
    const full: FoldDeps = { ...deps, viewLimits: { ...VIEW_LIMITS, splitBytes: 1, maxBytes: 1 } };
    const dying = { ...full.parking, park: () => Promise.reject(new Error('died')) };
    await append([logged({ id: 'a' })]);
    await expect(foldPartition(PLACE, { ...full, parking: dying })).rejects.toThrow('died');
    expect(await deps.parking.list(PROJECT)).toEqual([]);
    // There would be room now; but the first folder may have parked it, so it stays out.
    await foldPartition(PLACE, deps);
    expect(await calls()).toEqual([]);
    expect((await deps.parking.list(PROJECT)).map(({ reason }) => reason)).toEqual(['view_full']);
  });

  test('folds more than one flush, and the cursor follows each', async () => {
    for (let chunk = 0; chunk < 13; chunk++) {
      await append(Array.from({ length: 9000 }, (_, i) => logged({ id: `${chunk}-${i}` })));
    }
    const moved: number[] = [];
    const { advanceCursor } = deps.views;
    const watched: FoldDeps = {
      ...deps,
      views: {
        ...deps.views,
        advanceCursor: (place, cursor) => {
          moved.push(cursor.sequence);
          return advanceCursor(place, cursor);
        },
      },
    };
    expect(await foldPartition(PLACE, watched)).toBe(117_000);
    // 108,000 events are the first chunks that make a flush of 100,000
    expect(moved).toEqual([12, 13]);
    await append([logged({ id: 'last', occurredAtMicros: MICROS - DAY * 1000 })]);
    await foldPartition(PLACE, watched);
    expect(moved).toEqual([12, 13, 14]);
    expect(await calls()).toEqual(['117001']);
  });
});
