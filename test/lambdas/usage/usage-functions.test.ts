import { Logger } from '@aws-lambda-powertools/logger';
import type { Metrics } from '@aws-lambda-powertools/metrics';
import type { DynamoDBRecord, DynamoDBStreamEvent, SQSEvent } from 'aws-lambda';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { parkingLot } from '../../../adapters/dynamodb/parking-lot.ts';
import { usageLog } from '../../../adapters/dynamodb/usage-log.ts';
import { usageRegistry } from '../../../adapters/dynamodb/usage-registry.ts';
import { usageViews } from '../../../adapters/dynamodb/usage-views.ts';
import type { ProductEvent } from '../../../core/events/product-event.ts';
import type { ProjectId } from '../../../core/ids.ts';
import { PartitionCache } from '../../../core/usage/partition-state.ts';
import { encodeUsageBatches } from '../../../core/usage/usage-batch.ts';
import { handle as appendUsage } from '../../../lambdas/usage/append-usage.ts';
import { handle as foldUsage } from '../../../lambdas/usage/fold-usage.ts';
import { handle as parkMessages } from '../../../lambdas/usage/park-messages.ts';
import { handle as publishUsage } from '../../../lambdas/usage/publish-usage.ts';
import { handle as sweepUsage } from '../../../lambdas/usage/sweep-usage.ts';
import {
  clockAt,
  logged,
  METERS,
  memoryTables,
  NOW_MILLIS,
  PARTITION,
  PROJECT,
  TABLES,
} from '../../support/usage-fixtures.ts';

const logger = new Logger({ logLevel: 'SILENT' });
const POLICY = { flushEvents: 5000, maxViewAgeMillis: 900_000 };
const SYSTEM = 'system' as const;

let database: ReturnType<typeof memoryTables>;
let millis: number;
let deps: ReturnType<typeof workers>;
let metrics: Metrics & { readonly values: [string, number][] };

function workers() {
  const client = database.client();
  const clock = { now: () => clockAt(millis).now() };
  return {
    log: usageLog(client, TABLES.log),
    views: usageViews(client, TABLES.views),
    registry: usageRegistry(client, TABLES.views),
    parking: parkingLot(client, TABLES.views),
    meters: { revision: async () => METERS, newest: async () => METERS },
    clock,
    seen: new Set<string>(),
    cache: new PartitionCache(),
    registered: new Set<string>(),
    pause: async () => {},
    policy: POLICY,
    resend: async () => ({ sent: 0, oldestMillis: 0 }),
    logger,
    metrics,
  };
}

beforeEach(() => {
  database = memoryTables();
  millis = NOW_MILLIS;
  const values: [string, number][] = [];
  metrics = {
    values,
    addMetric: (name: string, _unit: string, value: number) => void values.push([name, value]),
    publishStoredMetrics: () => {},
  } as unknown as typeof metrics;
  deps = workers();
});

function body(batchId: string, ids: readonly string[], partition = PARTITION, project: ProjectId = PROJECT): string {
  const events = ids.map((id, index) => {
    const { meterRevision: _revision, ...event } = logged({ id, index });
    return { ...event, partition };
  });
  const batch = { project, batchId, rejected: 0, meterRevision: 1, receivedAtMillis: NOW_MILLIS, events };
  return encodeUsageBatches(batch)[0] ?? '';
}
const messages = (...bodies: readonly string[]) =>
  ({ Records: bodies.map((text, i) => ({ messageId: `m-${i}`, body: text })) }) as unknown as SQSEvent;

/** The stream's record of each chunk in the log, as Lambda gets it: bytes as base64. */
function records(): DynamoDBRecord[] {
  return database.items(TABLES.log).map((item, i) => ({
    eventID: `e-${i}`,
    eventName: 'INSERT',
    dynamodb: {
      SequenceNumber: String(100 + i),
      NewImage: Object.fromEntries(
        Object.entries(item).map(([name, value]) => [
          name,
          value.B === undefined ? value : { B: Buffer.from(value.B).toString('base64') },
        ]),
      ) as NonNullable<DynamoDBRecord['dynamodb']>['NewImage'],
    },
  })) as DynamoDBRecord[];
}
const stream = (...list: readonly DynamoDBRecord[]) => ({ Records: list }) as unknown as DynamoDBStreamEvent;
const failuresOf = (answer: { batchItemFailures: readonly { itemIdentifier: string }[] }) =>
  answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
const cursorOf = async (partition = PARTITION) =>
  (await deps.views.readCursor({ project: PROJECT, partition })).sequence;

describe('append-usage', () => {
  test('reports a poison message in the middle of a batch alone; its neighbours are in the log', async () => {
    const warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const answer = await appendUsage(deps)(messages(body('b-1', ['a']), '{"poison', body('b-2', ['b'])));
    expect(failuresOf(answer)).toEqual(['m-1']);
    expect(warned).toHaveBeenCalledOnce();
    warned.mockRestore();
    expect(database.items(TABLES.log).map((item) => item.n?.N)).toEqual(['2']);
  });

  test('answers an empty list of failures when all is well, also for a batch of nothing', async () => {
    expect(await appendUsage(deps)(messages(body('b-1', ['a'])))).toEqual({ batchItemFailures: [] });
    expect(await appendUsage(deps)(messages())).toEqual({ batchItemFailures: [] });
  });
});

describe('fold-usage', () => {
  async function appended(...chunks: readonly (readonly [string, string])[]): Promise<void> {
    for (const [id, partition] of chunks) await appendUsage(workers())(messages(body(`b-${id}`, [id], partition)));
  }

  test('folds each partition once, to its head, however many records announce it', async () => {
    await appended(['a', PARTITION], ['b', PARTITION], ['c', PARTITION], ['d', '0.2026112102']);
    const reads: string[] = [];
    const { log } = deps;
    const watched = {
      ...deps,
      log: {
        ...log,
        readChunks: (...args: Parameters<typeof log.readChunks>) => {
          reads.push(args[0].partition);
          return log.readChunks(...args);
        },
      },
    };
    expect(await foldUsage(watched)(stream(...records()))).toEqual({ batchItemFailures: [] });
    expect(reads.sort()).toEqual(['0.2026112102', PARTITION]);
    expect([await cursorOf(), await cursorOf('0.2026112102')]).toEqual([3, 1]);
  });

  test('asks for each partition once also when its last chunks hold receipts only', async () => {
    await appended(['a', PARTITION]);
    for (const batch of ['x', 'y']) await appendUsage(workers())(messages(body(batch, ['a'])));
    let asked = 0;
    const { readCursor } = deps.views;
    const watched = {
      ...deps,
      views: {
        ...deps.views,
        readCursor: (place: Parameters<typeof readCursor>[0]) => {
          asked += 1;
          return readCursor(place);
        },
      },
    };
    await foldUsage(watched)(stream(...records()));
    expect(asked).toBe(1);
    expect(await cursorOf()).toBe(3);
  });

  test('counts nothing twice when records come again, out of order', async () => {
    await appended(['a', PARTITION], ['b', PARTITION]);
    const list = records();
    await foldUsage(deps)(stream(...list));
    await foldUsage(deps)(stream(...list.toReversed()));
    millis += 3_600_000;
    await foldUsage(deps)(stream(...list.slice(0, 1)));
    const stored = await deps.views.readView({ project: PROJECT, customer: 'ada', day: '20261121', part: '' });
    expect(stored.view.meters.calls?.dimensions['["eu"]']).toEqual({ '12': '2' });
  });

  test('reports a damaged record in the middle of a batch alone, and folds its neighbours', async () => {
    await appended(['a', PARTITION], ['b', '0.2026112102']);
    const [first, second] = records();
    if (first === undefined || second === undefined) throw new Error('no records');
    const damaged = { eventID: 'bad', eventName: 'INSERT', dynamodb: { SequenceNumber: '555' } } as DynamoDBRecord;
    expect(failuresOf(await foldUsage(deps)(stream(first, damaged, second)))).toEqual(['555']);
    expect([await cursorOf(), await cursorOf('0.2026112102')]).toEqual([1, 1]);
  });

  test('reports the record of a partition that could not be folded, to come again', async () => {
    await appended(['a', PARTITION]);
    const broken = { ...deps, meters: { ...deps.meters, revision: () => Promise.reject(new Error('down')) } };
    expect(failuresOf(await foldUsage(broken)(stream(...records())))).toEqual(['100']);
    expect(await cursorOf()).toBe(0);
  });
});

test('what folding sets aside rings, whoever folds, and nothing else does', async () => {
  const rings = () => metrics.values.filter(([name]) => name === 'ParkedMessages');
  const full = { viewLimits: { splitBytes: 1, maxBytes: 1, maxCombinations: 1 } };
  await appendUsage(workers())(messages(body('b-1', ['a', 'b'])));
  await foldUsage({ ...deps, ...full })(stream(...records()));
  expect(rings()).toEqual([['ParkedMessages', 2]]);
  await appendUsage(workers())(messages(body('b-2', ['c'], '0.2026112102')));
  await sweepUsage({ ...deps, ...full, projects: { list: async () => [{ id: PROJECT }] as never } })({});
  expect(rings().at(-1)).toEqual(['ParkedMessages', 1]);
  await appendUsage(workers())(messages(body('b-3', ['d'], '0.2026112104')));
  await foldUsage({ ...deps })(stream(...records()));
  expect(rings()).toHaveLength(2);
});

describe('publish-usage', () => {
  const bus = (taken: (event: ProductEvent) => boolean) => {
    const calls: ProductEvent[][] = [];
    return {
      calls,
      publish: async (events: readonly ProductEvent[]) => {
        calls.push([...events]);
        return events.map(taken);
      },
    };
  };

  test('tells of each chunk with events once, ten in a call, under an id that stays the same', async () => {
    for (let i = 0; i < 12; i++) await appendUsage(deps)(messages(body(`b-${i}`, [`id-${i}`])));
    await appendUsage(deps)(messages(body('again', ['id-0'])));
    const first = bus(() => true);
    expect(await publishUsage({ bus: first, logger })(stream(...records()))).toEqual({ batchItemFailures: [] });
    expect(first.calls.map((call) => call.length)).toEqual([10, 2]);
    expect(first.calls[0]?.[0]).toMatchObject({
      type: 'UsageRecorded',
      project: 'prj_demo',
      occurredAt: '2026-11-21T03:00:00.000Z',
      data: { partition: PARTITION, sequence: 1, events: 1, customers: ['ada'], customers_total: 1 },
    });
    const again = bus(() => true);
    await publishUsage({ bus: again, logger })(stream(...records()));
    expect(again.calls.flat().map(({ id }) => id)).toEqual(first.calls.flat().map(({ id }) => id));
    expect(new Set(first.calls.flat().map(({ id }) => id)).size).toBe(12);
  });

  test('reports what the bus refused and what nobody can read, each alone', async () => {
    for (let i = 0; i < 3; i++) await appendUsage(deps)(messages(body(`b-${i}`, [`id-${i}`])));
    const [one, two, three] = records();
    if (one === undefined || two === undefined || three === undefined) throw new Error('no records');
    const damaged = { eventID: 'bad', eventName: 'INSERT', dynamodb: { SequenceNumber: '555' } } as DynamoDBRecord;
    const refusing = bus((event) => (event as ProductEvent<'UsageRecorded'>).data.sequence !== 2);
    const answer = await publishUsage({ bus: refusing, logger })(stream(one, damaged, two, three));
    expect(failuresOf(answer).sort()).toEqual(['101', '555']);
  });
});

describe('park-messages', () => {
  test('moves dead letters into the lot: readable ones under their batch, others under their message id', async () => {
    const readable = body('b-1', ['a', 'b']);
    expect(await parkMessages({ ...deps, metrics })(messages(readable, 'poison'))).toEqual({ batchItemFailures: [] });
    expect(await deps.parking.list(PROJECT)).toEqual([
      {
        name: 'undeliverable:b-1',
        reason: 'undeliverable',
        detail: 'Append failed on every try; the log of append-usage says why. Replay it once the cause is gone.',
        body: readable,
        events: 2,
        parkedAtMillis: NOW_MILLIS,
      },
    ]);
    expect((await deps.parking.list(SYSTEM)).map(({ name, body: text }) => [name, text])).toEqual([
      ['unreadable:m-1', 'poison'],
    ]);
    expect(metrics.values).toEqual([['ParkedMessages', 2]]);
  });

  test('parks a message that comes twice once, and reports one that could not be parked alone', async () => {
    const failing = {
      ...deps,
      metrics,
      parking: {
        ...deps.parking,
        park: (...args: Parameters<typeof deps.parking.park>) =>
          args[1].name === 'undeliverable:b-2' ? Promise.reject(new Error('down')) : deps.parking.park(...args),
      },
    };
    const three = messages(body('b-1', ['a']), body('b-2', ['b']), body('b-1', ['a']));
    expect(failuresOf(await parkMessages(failing)(three))).toEqual(['m-1']);
    expect((await deps.parking.list(PROJECT)).map(({ name }) => name)).toEqual(['undeliverable:b-1']);
  });

  test('parks a message of any size that SQS takes, though an item takes less', async () => {
    const huge = 'x'.repeat(1_000_000);
    expect(await parkMessages({ ...deps, metrics })(messages(huge))).toEqual({ batchItemFailures: [] });
    const [parked] = await deps.parking.list(SYSTEM);
    expect(parked?.body.length).toBeGreaterThan(300_000);
    expect(parked?.detail).toContain('1000000');
  });
});

describe('sweep-usage', () => {
  const projects = (...ids: readonly string[]) => ({
    list: async () =>
      ids.map((id) => ({ id: id as ProjectId, name: id, mode: 'test' as const, createdAt: clockAt(0).now() })),
  });

  test('folds every project; one that fails does not stop the others, and the run says so', async () => {
    const other = 'prj_other' as ProjectId;
    await appendUsage(deps)(messages(body('b-1', ['a']), body('b-2', ['b'], PARTITION, other)));
    const failing = {
      ...deps,
      metrics,
      projects: projects('prj_demo', 'prj_other'),
      meters: {
        ...deps.meters,
        revision: (project: ProjectId) =>
          project === PROJECT ? Promise.reject(new Error('down')) : Promise.resolve(METERS),
      },
    };
    await expect(sweepUsage(failing)({})).rejects.toThrow('The sweep of 1 projects failed');
    expect((await deps.views.readCursor({ project: other, partition: PARTITION })).sequence).toBe(1);
    expect(await cursorOf()).toBe(0);
    expect(await sweepUsage({ ...failing, meters: deps.meters })({ scope: 'recent' })).toEqual({
      partitions: 2,
      foldedEvents: 1,
      failed: 0,
    });
    const run = ['FoldLagSeconds', 'UnsentConsumptionSeconds'];
    expect(metrics.values.map(([name]) => name)).toEqual([...run, ...run]);
  });
});
