import { beforeEach, describe, expect, test } from 'vitest';
import { parkingLot } from '../../../adapters/dynamodb/parking-lot.ts';
import { usageLog } from '../../../adapters/dynamodb/usage-log.ts';
import { usageRegistry } from '../../../adapters/dynamodb/usage-registry.ts';
import { type AppendDeps, appendUsage } from '../../../core/usage/append-usage.ts';
import { decodeChunkBody, type StoredChunk } from '../../../core/usage/chunk.ts';
import { PartitionCache } from '../../../core/usage/partition-state.ts';
import { replayParked } from '../../../core/usage/replay-parked.ts';
import { decodeUsageBatch, encodeUsageBatches, type PlacedEvent } from '../../../core/usage/usage-batch.ts';
import {
  clockAt,
  logged,
  memoryTables,
  NOW_MILLIS,
  PARTITION,
  PLACE,
  PROJECT,
  TABLES,
} from '../../support/usage-fixtures.ts';

const DAY = 86_400_000;
const HOUR = 3_600_000;
/** The last moment at which the partition takes chunks: 64 days after its hour, which ends at 04:00. */
const DEADLINE = NOW_MILLIS + HOUR + 64 * DAY;

let database: ReturnType<typeof memoryTables>;
let nowMillis: number;
let deps: AppendDeps;

function worker(change: Partial<AppendDeps> = {}): AppendDeps {
  const client = database.client();
  return {
    log: usageLog(client, TABLES.log),
    registry: usageRegistry(client, TABLES.views),
    parking: parkingLot(client, TABLES.views),
    clock: { now: () => clockAt(nowMillis).now() },
    cache: new PartitionCache(),
    registered: new Set(),
    pause: async () => {},
    ...change,
  };
}

beforeEach(() => {
  database = memoryTables();
  nowMillis = NOW_MILLIS;
  deps = worker();
});

function message(batchId: string, ids: readonly string[], partition = PARTITION): { messageId: string; body: string } {
  const events: PlacedEvent[] = ids.map((id, index) => {
    const { meterRevision: _revision, ...event } = logged({ id, index });
    return { ...event, partition };
  });
  const batch = { project: PROJECT, batchId, rejected: 0, meterRevision: 1, receivedAtMillis: NOW_MILLIS, events };
  return { messageId: `m-${batchId}`, body: encodeUsageBatches(batch)[0] ?? '' };
}
async function chunks(partition = PARTITION): Promise<StoredChunk[]> {
  const found: StoredChunk[] = [];
  for await (const page of deps.log.readChunks({ project: PROJECT, partition }, 0)) found.push(...page);
  return found;
}
const idsIn = async (partition = PARTITION) =>
  (await chunks(partition)).map(({ body }) => decodeChunkBody(body).events.map(({ id }) => id));

describe('appending', () => {
  test('puts the events of many messages into one chunk per partition', async () => {
    const result = await appendUsage(
      [message('b-1', ['a', 'b']), message('b-2', ['b', 'c']), message('b-3', ['a'], '0.2026112102')],
      deps,
    );
    expect(result.failed).toEqual([]);
    expect(await idsIn()).toEqual([['a', 'b', 'c']]);
    expect(await idsIn('0.2026112102')).toEqual([['a']]);
  });

  test('finds the receipt of a message that comes again, in any worker, and writes nothing', async () => {
    await appendUsage([message('b-1', ['a'])], deps);
    await appendUsage([message('b-1', ['a'])], deps);
    await appendUsage([message('b-1', ['a'])], worker());
    expect(await chunks()).toHaveLength(1);
  });

  test('takes up what another worker appended in between, and loses nothing of its own', async () => {
    const other = worker();
    await appendUsage([message('b-1', ['a'])], deps);
    await appendUsage([message('b-2', ['a', 'b'])], other);
    await appendUsage([message('b-3', ['b', 'c'])], deps);
    expect(await idsIn()).toEqual([['a'], ['b'], ['c']]);
  });

  test('writes the registry before the chunk, once per partition and hour', async () => {
    const order: string[] = [];
    const base = deps;
    deps = worker({
      registry: {
        ...base.registry,
        register: async (place, hour, expires) => {
          order.push(`register ${hour} ${expires}`);
          await base.registry.register(place, hour, expires);
        },
      },
      log: {
        ...base.log,
        putChunk: async (place, chunk) => {
          order.push(`put ${chunk.sequence}`);
          return base.log.putChunk(place, chunk);
        },
      },
    });
    await appendUsage([message('b-1', ['a'])], deps);
    await appendUsage([message('b-2', ['b'])], deps);
    nowMillis += HOUR;
    await appendUsage([message('b-3', ['c'])], deps);
    // 130 days after 2026-11-21T03:00Z is second 1806462000, an hour later 1806465600
    expect(order).toEqual([
      'register 2026112103 1806462000',
      'put 1',
      'put 2',
      'register 2026112104 1806465600',
      'put 3',
    ]);
    expect(await deps.registry.partitionsOf(PROJECT, '20261121')).toEqual([PARTITION]);
  });

  test('gives a message back when a put stays refused, and does not take the refusal for its own success', async () => {
    const pauses: number[] = [];
    let puts = 0;
    deps = worker({
      log: {
        ...deps.log,
        putChunk: async () => {
          puts += 1;
          return 'refused';
        },
      },
      pause: async (attempt) => void pauses.push(attempt),
    });
    const { failed } = await appendUsage([message('b-1', ['a'])], deps);
    expect(failed.map(({ messageId, error }) => [messageId, String(error)])).toEqual([
      ['m-b-1', 'Error: Partition 0.2026112103 is contended: 12 puts were refused.'],
    ]);
    expect(puts).toBe(12);
    expect(pauses).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });

  test('gives back what it does not know the outcome of, remembers nothing of it, and counts it once', async () => {
    const base = deps.log;
    let isLost = true;
    deps = worker({
      log: {
        ...base,
        putChunk: async (place, chunk) => {
          const answer = await base.putChunk(place, chunk);
          if (!isLost) return answer;
          isLost = false;
          throw new Error('the answer was lost');
        },
      },
    });
    const sent = [message('b-1', ['a']), message('b-2', ['b'])];
    expect((await appendUsage(sent, deps)).failed.map(({ messageId }) => messageId)).toEqual(['m-b-1', 'm-b-2']);
    expect((await appendUsage(sent, deps)).failed).toEqual([]);
    expect(await idsIn()).toEqual([['a', 'b']]);
  });

  test('reports a message alone when only one of its partitions failed, and its neighbours are done', async () => {
    const base = deps.log;
    deps = worker({
      log: {
        ...base,
        putChunk: (place, chunk) =>
          place.partition === PARTITION ? base.putChunk(place, chunk) : Promise.reject(new Error('no')),
      },
    });
    const { failed } = await appendUsage([message('b-1', ['a']), message('b-2', ['b'], '0.2026112102')], deps);
    expect(failed.map(({ messageId }) => messageId)).toEqual(['m-b-2']);
    expect(await idsIn()).toEqual([['a']]);
  });

  test('reports a message that nobody can read alone', async () => {
    const { failed } = await appendUsage(
      [message('b-1', ['a']), { messageId: 'm-bad', body: 'poison' }, message('b-2', ['b'])],
      deps,
    );
    expect(failed.map(({ messageId }) => messageId)).toEqual(['m-bad']);
    expect(await idsIn()).toEqual([['a', 'b']]);
  });
});

describe('appending voids', () => {
  const voiding = (batchId: string, ids: readonly string[], partition = PARTITION) => {
    const voids = ids.map((id, index) => ({
      ...{ index, partition, customer: 'ada', source: '', id, reason: 'sent twice', by: 'key1' },
    }));
    const batch = { project: PROJECT, batchId, rejected: 0, meterRevision: 1, receivedAtMillis: NOW_MILLIS };
    return { messageId: `m-${batchId}`, body: encodeUsageBatches({ ...batch, events: [], voids })[0] ?? '' };
  };
  const bodies = async () => (await chunks()).map(({ body }) => decodeChunkBody(body));

  test('puts them beside the events of their partition; what another worker voided is known after a reload', async () => {
    const other = worker();
    await appendUsage([message('b-1', ['a', 'b'])], deps);
    await appendUsage([voiding('v-1', ['a', 'c'])], other);
    await appendUsage([message('b-2', ['c', 'd'])], deps);
    const [, second, third] = await bodies();
    expect(second?.voids).toMatchObject([
      { id: 'a', isUndoing: true, by: 'key1', reason: 'sent twice', requestedAtMillis: NOW_MILLIS },
      { id: 'c', isUndoing: false },
    ]);
    expect([third?.events.map(({ id }) => id), third?.dead]).toEqual([['c', 'd'], new Set([0])]);
  });

  test('settles a message of voids once, however often it comes and to whomever', async () => {
    await appendUsage([message('b-1', ['a']), voiding('v-1', ['a'])], deps);
    await appendUsage([voiding('v-1', ['a'])], deps);
    await appendUsage([voiding('v-1', ['a'])], worker());
    await appendUsage([voiding('v-2', ['a'])], worker());
    expect((await bodies()).flatMap(({ receipts }) => receipts)).toMatchObject([
      { batchId: 'b-1', carried: 1, stored: 1 },
      { batchId: 'v-1', carried: 1, stored: 1 },
      { batchId: 'v-2', carried: 1, stored: 0, duplicates: 1 },
    ]);
  });

  test('parks them whole after the append deadline', async () => {
    nowMillis = DEADLINE + 1;
    await appendUsage([voiding('v-1', ['a', 'b'])], deps);
    const [parked] = await deps.parking.list(PROJECT);
    expect(parked).toMatchObject({ name: 'append:0.2026112103:v-1', reason: 'append_deadline', events: 2 });
    expect(decodeUsageBatch(parked?.body ?? '').voids?.map(({ id }) => id)).toEqual(['a', 'b']);
  });
});

describe('the append deadline', () => {
  test('is the last millisecond at which a chunk is written; after it the events are parked by name', async () => {
    nowMillis = DEADLINE;
    expect((await appendUsage([message('b-1', ['a'])], deps)).failed).toEqual([]);
    nowMillis = DEADLINE + 1;
    expect((await appendUsage([message('b-2', ['b', 'c'])], deps)).failed).toEqual([]);
    expect(await idsIn()).toEqual([['a']]);
    const parked = await deps.parking.list(PROJECT);
    expect(parked).toEqual([
      {
        name: 'append:0.2026112103:b-2',
        reason: 'append_deadline',
        detail: 'The log partition 0.2026112103 no longer takes events; these came after its append deadline.',
        body: expect.any(String),
        events: 2,
        parkedAtMillis: DEADLINE + 1,
      },
    ]);
    expect(decodeUsageBatch(parked[0]?.body ?? '').events.map(({ id }) => id)).toEqual(['b', 'c']);
  });

  test('does not park a message that was settled before, alone or beside one that was not', async () => {
    await appendUsage([message('b-1', ['a'])], deps);
    nowMillis = DEADLINE + 1;
    await appendUsage([message('b-1', ['a'])], worker());
    expect(await deps.parking.list(PROJECT)).toEqual([]);
    await appendUsage([message('b-1', ['a']), message('b-2', ['b'])], worker());
    expect((await deps.parking.list(PROJECT)).map(({ name }) => name)).toEqual(['append:0.2026112103:b-2']);
  });

  test('parks a message that came twice once', async () => {
    nowMillis = DEADLINE + 1;
    await appendUsage([message('b-1', ['a']), message('b-1', ['a'])], deps);
    expect(await deps.parking.list(PROJECT)).toHaveLength(1);
  });
});

describe('replaying', () => {
  const sent: string[] = [];
  const queue = { send: async (messages: readonly string[]) => void sent.push(...messages) };
  beforeEach(() => void sent.splice(0));
  const parkedAs = (reason: 'undeliverable' | 'unreadable' | 'append_deadline' | 'unfoldable' | 'view_full') => ({
    name: 'n',
    reason,
    detail: 'd',
    body: 'one\ntwo',
    events: 2,
    parkedAtMillis: 1,
  });

  test.each(['undeliverable', 'unreadable'] as const)(
    'sends what was %s to the queue and takes it out of the lot',
    async (reason) => {
      await deps.parking.park(PROJECT, parkedAs(reason));
      expect(await replayParked(PROJECT, parkedAs(reason), { parking: deps.parking, queue })).toBe('replayed');
      expect(sent).toEqual(['one', 'two']);
      expect(await deps.parking.list(PROJECT)).toEqual([]);
    },
  );

  test.each(['unfoldable', 'view_full', 'append_deadline'] as const)(
    'leaves what is %s where it is',
    async (reason) => {
      await deps.parking.park(PROJECT, parkedAs(reason));
      expect(await replayParked(PROJECT, parkedAs(reason), { parking: deps.parking, queue })).toBe('not_replayable');
      expect(sent).toEqual([]);
      expect(await deps.parking.list(PROJECT)).toHaveLength(1);
    },
  );

  test('never loses events that are parked again, under the same name, before the replay has tidied up', async () => {
    nowMillis = DEADLINE + 1;
    await appendUsage([message('b-1', ['a'])], deps);
    const [parked] = await deps.parking.list(PROJECT);
    if (parked === undefined) throw new Error('nothing parked');
    const atOnce = {
      send: async (messages: readonly string[]) => {
        await appendUsage(
          messages.map((body, i) => ({ messageId: `r-${i}`, body })),
          deps,
        );
      },
    };
    await replayParked(PROJECT, parked, { parking: deps.parking, queue: atOnce });
    expect(await deps.parking.list(PROJECT)).toHaveLength(1);
  });
});

test('the place of a chunk is the project and partition of its key', async () => {
  await appendUsage([message('b-1', ['a'])], deps);
  expect(database.items(TABLES.log).map((item) => item.pk?.S)).toEqual([`${PLACE.project}#${PLACE.partition}`]);
});
