import { beforeEach, describe, expect, test } from 'vitest';
import { parkingLot } from '../../../adapters/dynamodb/parking-lot.ts';
import { usageLog } from '../../../adapters/dynamodb/usage-log.ts';
import { usageRegistry } from '../../../adapters/dynamodb/usage-registry.ts';
import type { JobId } from '../../../core/ids.ts';
import { instantFromMillis, parseInstant } from '../../../core/time/instant.ts';
import { appendUsage } from '../../../core/usage/append-usage.ts';
import type { LoggedEvent } from '../../../core/usage/chunk.ts';
import { partitionEvents } from '../../../core/usage/partition-events.ts';
import { PartitionCache } from '../../../core/usage/partition-state.ts';
import { encodeUsageBatches, type UsageBatch } from '../../../core/usage/usage-batch.ts';
import type { UsageJob } from '../../../core/usage/usage-job.ts';
import { type VoidByFilterDeps, type VoidReport, voidByFilter } from '../../../core/usage/void-by-filter.ts';
import { startVoidJob, type VoidFilter } from '../../../core/usage/void-job.ts';
import { Random } from '../../faults/random.ts';
import { logged, METERS, memoryTables, NOW_MILLIS, PROJECT, TABLES } from '../../support/usage-fixtures.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const PARTITIONS = ['0.2026112001', '0.2026112023', '0.2026112101', '0.2026112102', '0.2026112103'];

let database: ReturnType<typeof memoryTables>;
let queued: string[];
let nowMillis: number;
let deps: VoidByFilterDeps;
/** Decides at each call of the queue and the clock whether the step dies here. */
let dies: () => boolean;

beforeEach(() => {
  database = memoryTables();
  queued = [];
  nowMillis = NOW_MILLIS;
  dies = () => false;
  deps = {
    log: usageLog(database.client(), TABLES.log),
    registry: usageRegistry(database.client(), TABLES.views),
    meters: { revision: async () => METERS },
    queue: {
      send: async (messages) => {
        for (const message of messages) {
          if (dies()) throw new Error('died before the queue had it');
          queued.push(message);
          if (dies()) throw new Error('died after the queue had it');
        }
      },
    },
    clock: { now: () => instantFromMillis(nowMillis) },
  };
});

async function append(bodies: readonly string[], atMillis = nowMillis): Promise<void> {
  const client = database.client();
  const { failed } = await appendUsage(
    bodies.map((body, i) => ({ messageId: String(i), body })),
    {
      ...{ log: usageLog(client, TABLES.log), registry: usageRegistry(client, TABLES.views) },
      ...{ parking: parkingLot(client, TABLES.views), clock: { now: () => instantFromMillis(atMillis) } },
      ...{ cache: new PartitionCache(), registered: new Set(), pause: async () => {} },
    },
  );
  expect(failed).toEqual([]);
}
let batches = 0;
async function appendEvents(partition: string, events: readonly LoggedEvent[], atMillis = nowMillis): Promise<void> {
  batches += 1;
  const placed = events.map(({ meterRevision: _revision, ...event }) => ({ ...event, partition }));
  const batch: UsageBatch = {
    ...{ project: PROJECT, batchId: `b-${batches}`, rejected: 0, meterRevision: 1, receivedAtMillis: atMillis },
    events: placed,
  };
  await append(encodeUsageBatches(batch), atMillis);
}

const SPAN = { from: parseInstant('2026-11-20T00:00:00Z'), to: parseInstant('2026-11-21T03:00:00Z') };

async function newJob(filter: Partial<VoidFilter> = {}, mode: 'dry_run' | 'for_real' = 'for_real'): Promise<UsageJob> {
  const job = await startVoidJob(
    { project: PROJECT, filter: { ...SPAN, ...filter }, mode, reason: 'a loop', by: 'key1' },
    {
      jobs: { create: async () => 'stored', find: async () => undefined },
      jobQueue: { send: async () => {} },
      clock: deps.clock,
    },
  );
  return { ...job, id: 'job_void' as JobId };
}

/** Steps until the job is done, each with no time but for what it has begun; a step that dies leaves nothing behind. */
async function finish(job: UsageJob, between: () => Promise<void> = async () => {}): Promise<VoidReport> {
  let current = job;
  for (let steps = 0; steps < 1000; steps++) {
    try {
      const { done, cursor, progress, report } = await voidByFilter(current, instantFromMillis(nowMillis), deps);
      current = { ...current, cursor, progress, report };
      if (done) return report as unknown as VoidReport;
    } catch (error) {
      if (!String(error).includes('died')) throw error;
    }
    await between();
  }
  throw new Error('the job does not end');
}

/** Every event of the log as `id`, or `id/by` when it is voided. */
async function state(): Promise<string[]> {
  const found: string[] = [];
  for (const partition of PARTITIONS) {
    for await (const { event, voidedBy } of partitionEvents({ project: PROJECT, partition }, {}, deps))
      found.push(voidedBy === null ? event.id : `${event.id}/${voidedBy.by}`);
  }
  return found.sort();
}

const event = (id: string, time: string, change: Partial<LoggedEvent> = {}) =>
  logged({ id, occurredAtMicros: Date.parse(time) * 1000, ...change });

describe('a void job', () => {
  beforeEach(async () => {
    await appendEvents('0.2026112001', [
      event('a', '2026-11-20T00:00:00Z'),
      event('b', '2026-11-19T23:59:59.999Z'),
      event('c', '2026-11-20T10:00:00Z', { customer: 'bob' }),
    ]);
    await appendEvents('0.2026112101', [
      event('d', '2026-11-21T02:59:59.999Z', { properties: { tokens: '4', region: 'us' } }),
      event('e', '2026-11-21T03:00:00Z'),
      event('f', '2026-11-20T12:00:00Z', { type: 'other', source: 'web' }),
    ]);
  });

  test('in a dry run finds what matches, says what it comes to, and voids nothing', async () => {
    const report = await finish(await newJob({ customer: 'ada', type: 'call' }, 'dry_run'));
    expect(report).toEqual({
      ...{ matched: 2, sent: 0, voidedBefore: 0, tooLate: 0 },
      sample: [
        { id: 'a', customer: 'ada', source: '', type: 'call', time: '2026-11-20T00:00:00.000Z' },
        { id: 'd', customer: 'ada', source: '', type: 'call', time: '2026-11-21T02:59:59.999Z' },
      ],
      effect: {
        ...{ calls: { events: 2, quantity: '2' }, tokens: { events: 2, quantity: '5.5' } },
        ...{ peak: { events: 2, quantity: null }, low: { events: 2, quantity: null } },
        level: { events: 2, quantity: null },
      },
    });
    expect(queued).toEqual([]);
  });

  test.each<[Partial<VoidFilter>, string]>([
    [{}, 'acdf'],
    [{ customer: 'bob' }, 'c'],
    [{ type: 'other' }, 'f'],
    [{ source: 'web' }, 'f'],
    [{ source: '' }, 'acd'],
    [{ properties: { region: 'us' } }, 'd'],
    [{ properties: { region: 'us', tokens: '4.0' } }, ''],
    [{ properties: { constructor: 'x' } }, ''],
    [{ customer: 'ada', to: parseInstant('2026-11-20T00:00:00.001Z') }, 'a'],
  ])('voids what matches %j and nothing else', async (filter, ids) => {
    const report = await finish(await newJob(filter));
    await append(queued);
    expect((await state()).filter((name) => name.includes('/'))).toEqual([...ids].map((id) => `${id}/job_void`));
    expect([report.matched, report.sent]).toEqual([ids.length, ids.length]);
  });

  test('leaves alone what was voided before, and counts it apart', async () => {
    await finish(await newJob({ customer: 'bob' }));
    await append(queued.splice(0));
    const report = await finish({ ...(await newJob()), id: 'job_second' as JobId });
    await append(queued);
    expect(report).toMatchObject({ matched: 3, sent: 3, voidedBefore: 1 });
    expect(await state()).toEqual(['a/job_second', 'b', 'c/job_void', 'd/job_second', 'e', 'f/job_second']);
  });

  test('finds what was appended days after it happened', async () => {
    await appendEvents('0.2026112102', [event('late', '2026-11-20T05:00:00Z')], NOW_MILLIS + 3 * DAY);
    nowMillis += 4 * DAY;
    expect((await finish(await newJob({ customer: 'ada', type: 'call' }, 'dry_run'))).matched).toBe(3);
  });

  test('says of how many the log partition takes no voids any more', async () => {
    // 0.2026112001 ends at 02:00 on the 20th; 64 days later it closes, and 0.2026112101 stays open for a day
    nowMillis = Date.parse('2027-01-23T02:00:00.001Z');
    const report = await finish(await newJob());
    expect(report).toMatchObject({ matched: 4, sent: 2, tooLate: 2 });
  });

  test('refuses a span that is empty or has not begun', async () => {
    const refused = expect.objectContaining({ code: 'span_invalid' });
    await expect(newJob({ to: SPAN.from })).rejects.toEqual(refused);
    await expect(
      newJob({ from: parseInstant('2026-11-22T00:00:00Z'), to: parseInstant('2026-11-23T00:00:00Z') }),
    ).rejects.toEqual(refused);
  });
});

describe('a void job that is killed anywhere and begun again', () => {
  test('voids every match exactly once, and its report is the one of a job that was never disturbed', async () => {
    for (let seed = 1; seed <= 25; seed++) {
      const random = new Random(seed);
      database = memoryTables();
      deps = {
        ...deps,
        log: usageLog(database.client(), TABLES.log),
        registry: usageRegistry(database.client(), TABLES.views),
      };
      queued = [];
      const ids: string[] = [];
      for (let i = 0; i < 12; i++) {
        const events = Array.from({ length: 1 + random.below(random.chance(0.2) ? 150 : 4) }, (_, n) =>
          event(`e-${i}-${n}`, '2026-11-20T10:00:00Z', { customer: random.pick(['ada', 'bob']) }),
        );
        ids.push(...events.filter(({ customer }) => customer === 'ada').map(({ id }) => id));
        await appendEvents(random.pick(PARTITIONS), events, NOW_MILLIS - random.below(2) * 20 * HOUR);
      }
      const undisturbed = await finish(await newJob({ customer: 'ada' }, 'dry_run'));
      dies = () => random.chance(0.15);
      const report = await finish(await newJob({ customer: 'ada' }), async () => {
        // Some of what was sent is appended while the job goes on; some comes twice.
        await append(random.some(queued, 0.5));
      });
      dies = () => false;
      await append(queued);
      expect(report).toEqual({ ...undisturbed, sent: undisturbed.matched });
      expect((await state()).filter((name) => name.endsWith('/job_void'))).toEqual(
        ids.map((id) => `${id}/job_void`).sort(),
      );
    }
  }, 60_000);
});
