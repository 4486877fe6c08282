import { gunzipSync, gzipSync } from 'node:zlib';
import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import { beforeEach, describe, expect, test } from 'vitest';
import { archiveProgress } from '../../../adapters/dynamodb/archive-progress.ts';
import { parkingLot } from '../../../adapters/dynamodb/parking-lot.ts';
import { usageClaims } from '../../../adapters/dynamodb/usage-claims.ts';
import { usageLog } from '../../../adapters/dynamodb/usage-log.ts';
import { usageViews } from '../../../adapters/dynamodb/usage-views.ts';
import { instantFromMillis } from '../../../core/time/instant.ts';
import { readArchiveObject } from '../../../core/usage/archive-object.ts';
import { type ArchiveDeps, archivePosition, archiveUsage } from '../../../core/usage/archive-usage.ts';
import type { LoggedEvent } from '../../../core/usage/chunk.ts';
import { foldPartition } from '../../../core/usage/fold-partitions.ts';
import { DEFAULT_HEADER } from '../../../core/usage/log-partition.ts';
import { PartitionState } from '../../../core/usage/partition-state.ts';
import { planChunk } from '../../../core/usage/plan-chunk.ts';
import { type RestoreDeps, restoreUsage } from '../../../core/usage/restore-usage.ts';
import { DAY_MILLIS, HOUR_MILLIS } from '../../../core/usage/retention.ts';
import { decodeView } from '../../../core/usage/usage-view.ts';
import { memoryArchive } from '../../support/memory-archive.ts';
import { logged, METERS, memoryTables, NOW_MILLIS, PROJECT, share, TABLES } from '../../support/usage-fixtures.ts';

/** The hour 2026-11-21T03 ends at 04:00; 64 days and one hour later its partitions may be archived. */
const CLOSED = NOW_MILLIS + HOUR_MILLIS + 64 * DAY_MILLIS + HOUR_MILLIS;
const HERE = '0.2026112103';

let database: ReturnType<typeof memoryTables>;
let archive: ReturnType<typeof memoryArchive>;
let states: Map<string, PartitionState>;
let now: number;
/** Every look at the clock costs this much time. */
let tick: number;

beforeEach(() => {
  database = memoryTables();
  archive = memoryArchive();
  states = new Map();
  now = NOW_MILLIS;
  tick = 0;
});

function ticked(): number {
  now += tick;
  return now;
}

function deps(): ArchiveDeps {
  const client = database.client();
  return {
    log: usageLog(client, TABLES.log),
    views: usageViews(client, TABLES.views),
    parking: parkingLot(client, TABLES.views),
    meters: { revision: async () => METERS, newest: async () => METERS },
    clock: { now: () => instantFromMillis(ticked()) },
    seen: new Set(),
    headers: usageClaims(client, TABLES.claims),
    progress: archiveProgress(client, TABLES.views),
    archive,
  };
}

async function append(events: readonly Partial<LoggedEvent>[], partition = HERE, atMillis = NOW_MILLIS): Promise<void> {
  const state = states.get(partition) ?? new PartitionState();
  states.set(partition, state);
  const chunk = planChunk(state, [share(`b-${partition}-${state.head}`, events.map(logged))], atMillis);
  if (chunk === null) throw new Error('nothing to append');
  await deps().log.putChunk({ project: PROJECT, partition }, chunk);
  state.apply(chunk);
}
const pin = (millis = NOW_MILLIS, shards = 1) =>
  usageClaims(database.client(), TABLES.claims).pinHeader(PROJECT, millis, { ...DEFAULT_HEADER, shards });

/** One invocation, an hour long unless the clock ticks. */
async function walk() {
  const from = await archivePosition(PROJECT, deps());
  return archiveUsage({ project: PROJECT, from, stopAt: instantFromMillis(now + HOUR_MILLIS) }, deps());
}
const names = () => [...archive.objects.keys()].map((name) => name.slice(PROJECT.length + 1));

describe('archiving the log', () => {
  test('writes a partition once its append deadline and an hour have passed, and not before', async () => {
    await pin();
    await append([{ id: 'a' }, { id: 'b' }]);
    now = CLOSED - 1;
    expect(await walk()).toMatchObject({ stored: 0, overdueMillis: 0 });
    now = CLOSED;
    expect(await walk()).toMatchObject({ stored: 1, events: 2, lost: [] });
    expect(names()).toEqual([HERE]);
    // Again, from an older position: it is there already, and the same.
    await deps().progress.write(PROJECT, { hourMillis: NOW_MILLIS, partitionsDone: 0 });
    expect(await walk()).toMatchObject({ stored: 0, events: 0 });
  });

  test('holds the chunks as they lie in the log, the counts and the meters, under a checksum of its content', async () => {
    await pin();
    await append([{ id: 'a' }, { id: 'b', customer: 'bob' }]);
    await append([{ id: 'a', type: 'other' }]);
    now = CLOSED;
    await walk();
    const [object] = archive.objects.values();
    if (object === undefined) throw new Error('nothing was archived');
    expect([object.chunks, object.events]).toEqual([2, 2]);
    const read = readArchiveObject(object.place, object.bytes, object.sha256);
    const inLog = [];
    for await (const page of deps().log.readChunks(object.place, 0)) inLog.push(...page);
    expect(read.chunks.map(plain)).toEqual(inLog.map(plain));
    expect(read.revisions).toEqual([METERS]);
    const other = { ...object.place, partition: '0.2026112104' };
    for (const attempt of [
      () => readArchiveObject(object.place, object.bytes, 'other'),
      () => readArchiveObject(other, object.bytes, object.sha256),
      () => readArchiveObject(object.place, object.bytes.slice(0, -30), object.sha256),
      () => readArchiveObject(object.place, gzipSync(`${gunzipSync(object.bytes)}`.slice(0, 400)), object.sha256),
    ])
      expect(attempt).toThrow(expect.objectContaining({ code: 'archive_damaged' }));
  });

  test('folds what is not in the views first, and refuses a partition of which the views know more', async () => {
    await pin();
    await append([{ id: 'a' }]);
    now = CLOSED;
    await walk();
    expect((await deps().views.readCursor({ project: PROJECT, partition: HERE })).sequence).toBe(1);
    await pin(NOW_MILLIS + HOUR_MILLIS);
    await append([{ id: 'b' }], '0.2026112104');
    await deps().views.advanceCursor(
      { project: PROJECT, partition: '0.2026112104' },
      { sequence: 2, total: 2, foldedAtMillis: 1, days: 1 },
    );
    now = CLOSED + HOUR_MILLIS;
    await expect(walk()).rejects.toMatchObject({ code: 'archive_gap' });
    expect(names()).toEqual([HERE]);
  });

  test('skips nothing though nobody came for days, and says how long the next hour has waited', async () => {
    for (const hour of [0, 1, 30]) {
      await pin(NOW_MILLIS + hour * HOUR_MILLIS);
      await append([{ id: `e${hour}` }], ['0.2026112103', '0.2026112104', '', '0.2026112209'][Math.min(hour, 3)]);
    }
    now = CLOSED + 10 * DAY_MILLIS;
    const { overdueMillis } = await walk();
    expect(names()).toEqual(['0.2026112103', '0.2026112104', '0.2026112209']);
    expect(overdueMillis).toBe(0);
  });

  test('stops when its time is up and goes on in the middle of an hour', async () => {
    await pin(NOW_MILLIS, 3);
    for (const shard of [0, 1, 2]) await append([{ id: `s${shard}` }], `${shard}.2026112103`);
    await deps().progress.write(PROJECT, { hourMillis: NOW_MILLIS, partitionsDone: 0 });
    now = CLOSED + 5 * DAY_MILLIS;
    // Each partition costs some looks at the clock, and each look fifteen minutes.
    tick = 15 * 60_000;
    const first = await walk();
    expect(first.stored).toBeGreaterThan(0);
    expect(first.stored).toBeLessThan(3);
    expect(first.overdueMillis).toBeGreaterThanOrEqual(5 * DAY_MILLIS);
    expect(await deps().progress.read(PROJECT)).toEqual({ hourMillis: NOW_MILLIS, partitionsDone: first.stored });
    tick = 0;
    expect((await walk()).stored).toBe(3 - first.stored);
    expect(names()).toEqual(['0.2026112103', '1.2026112103', '2.2026112103']);
  });

  test('goes past an hour that fails only once it is archived', async () => {
    await pin();
    await pin(NOW_MILLIS + HOUR_MILLIS);
    await append([{ id: 'a' }]);
    await append([{ id: 'b' }], '0.2026112104');
    now = CLOSED + HOUR_MILLIS;
    const { putOnce } = archive;
    archive.putOnce = async () => ({ sha256: 'of something else' });
    await expect(walk()).rejects.toMatchObject({ code: 'archive_differs' });
    expect(await deps().progress.read(PROJECT)).toEqual({ hourMillis: NOW_MILLIS, partitionsDone: 0 });
    archive.putOnce = putOnce;
    expect((await walk()).stored).toBe(2);
  });

  test('tells the partitions that expired before anybody came, and goes on', async () => {
    await pin();
    await append([{ id: 'a' }]);
    await foldPartition({ project: PROJECT, partition: HERE }, deps());
    await deps().progress.write(PROJECT, { hourMillis: NOW_MILLIS, partitionsDone: 0 });
    await emptied(TABLES.log);
    now = NOW_MILLIS + HOUR_MILLIS + 80 * DAY_MILLIS + 1000;
    expect(await walk()).toMatchObject({ stored: 0, lost: [HERE] });
  });
});

/** What a TTL does. */
async function emptied(table: string): Promise<void> {
  for (const { pk, sk } of database.items(table))
    await database
      .client()
      .send(new DeleteItemCommand({ TableName: table, Key: { pk: pk ?? { S: '' }, sk: sk ?? { S: '' } } }));
}

const plain = (chunk: object) =>
  Object.fromEntries(
    Object.entries(chunk).map(([name, value]) => [
      name,
      value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
    ]),
  );

describe('restoring from the archive alone', () => {
  /** Every view of the table, without versions: how often an item was written says nothing about usage. */
  const viewsOf = (from: ReturnType<typeof memoryTables>) =>
    from
      .items(TABLES.views)
      .filter(({ sk }) => sk?.S?.startsWith('day#'))
      .map(({ pk, sk, e }) => [pk?.S, sk?.S, decodeView(e?.B ?? new Uint8Array())] as const)
      .sort(([a, b], [c, d]) => (`${a}${b}` < `${c}${d}` ? -1 : 1));

  function restoring(into: ReturnType<typeof memoryTables>): RestoreDeps {
    const client = into.client();
    return {
      archive,
      views: usageViews(client, TABLES.views),
      parking: parkingLot(client, TABLES.views),
      clock: { now: () => instantFromMillis(now) },
      seen: new Set(),
      hasUsage: async () => into.items(TABLES.views).some(({ pk }) => pk?.S === `${PROJECT}#seen`),
    };
  }

  async function archived(): Promise<void> {
    for (let hour = 0; hour < 4; hour++) {
      const bornMillis = NOW_MILLIS + hour * HOUR_MILLIS;
      const partition = `0.20261121${String(3 + hour).padStart(2, '0')}`;
      await pin(bornMillis);
      for (let chunk = 0; chunk < 3; chunk++)
        await append(
          ['ada', 'bob'].map((customer) => ({
            id: `${customer}-${hour}-${chunk}`,
            customer,
            occurredAtMicros: (bornMillis + chunk * 900_000) * 1000,
            properties: { region: 'eu', model: 'small', tokens: `${hour}.${chunk + 1}` },
          })),
          partition,
          bornMillis,
        );
      await foldPartition({ project: PROJECT, partition }, deps());
    }
    now = CLOSED + 4 * HOUR_MILLIS;
    expect((await walk()).stored).toBe(4);
  }

  test('gives the views that were there, and again, and after an interruption', async () => {
    await archived();
    const before = viewsOf(database);
    expect(before).toHaveLength(2);
    const into = memoryTables();
    const seen: number[] = [];
    const report = await restoreUsage(
      { project: PROJECT, onStart: (count) => seen.push(count), onPartition: () => seen.push(1) },
      restoring(into),
    );
    expect(report).toEqual({ partitions: 4, restored: 4, events: 24 });
    expect(seen).toEqual([4, 1, 1, 1, 1]);
    expect(viewsOf(into)).toEqual(before);
    expect(await restoreUsage({ project: PROJECT }, restoring(into))).toEqual({
      partitions: 4,
      restored: 0,
      events: 0,
    });
    const halfway = memoryTables();
    const isFull = () => {
      throw new Error('killed');
    };
    await expect(restoreUsage({ project: PROJECT, onPartition: isFull }, restoring(halfway))).rejects.toThrow('killed');
    expect(await restoreUsage({ project: PROJECT }, restoring(halfway))).toMatchObject({ restored: 3, events: 18 });
    expect(viewsOf(halfway)).toEqual(before);
  });

  test('leaves the table it came from as it is', async () => {
    await archived();
    const before = JSON.stringify(database.items(TABLES.views));
    expect(await restoreUsage({ project: PROJECT }, restoring(database))).toMatchObject({ restored: 0 });
    expect(JSON.stringify(database.items(TABLES.views))).toBe(before);
  });

  test('refuses a table that has counted more than is archived, and one whose usage has another origin', async () => {
    await archived();
    const ahead = memoryTables();
    const place = { project: PROJECT, partition: HERE };
    await restoring(ahead).views.advanceCursor(place, { sequence: 4, total: 9, foldedAtMillis: 1, days: 1 });
    await expect(restoreUsage({ project: PROJECT }, restoring(ahead))).rejects.toMatchObject({
      code: 'restore_refused',
    });
    const foreign = memoryTables();
    await restoring(foreign).views.markSeen(PROJECT, 'ada');
    await expect(restoreUsage({ project: PROJECT }, restoring(foreign))).rejects.toMatchObject({
      code: 'restore_refused',
    });
    expect([viewsOf(ahead), viewsOf(foreign)]).toEqual([[], []]);
  });

  test('counts nothing from an object that is not what was stored', async () => {
    await archived();
    const object = archive.objects.get(`${PROJECT}/0.2026112104`);
    if (object === undefined) throw new Error('not archived');
    archive.objects.set(`${PROJECT}/0.2026112104`, { ...object, sha256: '0'.repeat(64) });
    const into = memoryTables();
    await expect(restoreUsage({ project: PROJECT }, restoring(into))).rejects.toMatchObject({
      code: 'archive_damaged',
    });
    // What came before it is counted, and after a repair the rest is.
    archive.objects.set(`${PROJECT}/0.2026112104`, object);
    expect(await restoreUsage({ project: PROJECT }, restoring(into))).toMatchObject({ restored: 3 });
    expect(viewsOf(into)).toEqual(viewsOf(database));
  });
});
