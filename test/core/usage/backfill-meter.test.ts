import { describe, expect, test } from 'vitest';
import type { Meter, MeterRevision } from '../../../core/catalog/meter.ts';
import type { CustomerId, JobId } from '../../../core/ids.ts';
import { instantFromMillis, parseInstant } from '../../../core/time/instant.ts';
import { type BackfillMeterDeps, backfillMeter, FOLDER_LIFE_MILLIS } from '../../../core/usage/backfill-meter.ts';
import type { LoggedEvent } from '../../../core/usage/chunk.ts';
import { VIEW_LIMITS } from '../../../core/usage/fold-view.ts';
import { readUsage } from '../../../core/usage/read-usage.ts';
import type { UsageJob } from '../../../core/usage/usage-job.ts';
import { Random } from '../../faults/random.ts';
import { RecountWorld, reconciledDays } from '../../support/recount-world.ts';
import { logged, METERS, NOW_MILLIS, PARTITION, PROJECT } from '../../support/usage-fixtures.ts';

const QUARTER = 900_000;
const CUSTOMERS = ['ada', 'bob'];
const PARTITIONS = ['0.2026112102', PARTITION];
const FROM_MILLIS = NOW_MILLIS - 16 * QUARTER;
/** Looks back four hours, from 23:00 of the day before. */
const SPEND: Meter = {
  key: 'spend',
  eventType: 'call',
  aggregation: 'sum',
  value: 'tokens',
  dimensions: ['model'],
  backfill: { from: instantFromMillis(FROM_MILLIS), until: instantFromMillis(NOW_MILLIS + QUARTER) },
};
const WITH_SPEND: MeterRevision = { revision: 2, meters: [...METERS.meters, SPEND] };
const NO_PRICES = { list: async () => ({ items: [], cursor: null }) };

/** Appends events that were accepted under a revision, and keeps them for the truth. */
async function appendSome(at: RecountWorld, kept: LoggedEvent[], revisions: readonly number[]): Promise<void> {
  for (let i = 0; i < 4; i++) {
    const events = Array.from({ length: 1 + at.random.below(3) }, (_, n) =>
      logged({
        id: `order-${kept.length + n}`,
        customer: at.random.pick(CUSTOMERS),
        occurredAtMicros: (NOW_MILLIS - at.random.below(20) * QUARTER) * 1000,
        properties: { region: 'eu', model: at.random.pick(['small', 'large']), tokens: at.random.pick(['1', '2.5']) },
        meterRevision: at.random.pick(revisions),
      }),
    );
    kept.push(...events);
    await at.append(at.random.pick(PARTITIONS), events);
  }
}

const JOB: UsageJob = {
  ...{ id: 'job_test' as JobId, project: PROJECT, kind: 'backfill', by: 'key_1', status: 'queued', error: null },
  input: { meter: 'spend', from: '20261120', to: '20261121' },
  ...{ createdAt: instantFromMillis(NOW_MILLIS), updatedAt: instantFromMillis(NOW_MILLIS), finishedAt: null },
  ...{ progress: { done: 0, total: 4, unit: 'days' }, cursor: null, report: {} },
};

function deps(at: RecountWorld): BackfillMeterDeps {
  const customers = { list: async () => ({ items: CUSTOMERS as CustomerId[], cursor: null }) };
  const disputes = { openDays: async () => [], settle: async () => {} };
  return { ...at.worker(), disputes, customers, plans: NO_PRICES, lists: NO_PRICES };
}

/** Does steps until the job waits or is done. */
async function untilItWaits(at: RecountWorld, job: UsageJob, stopMillis: number): Promise<UsageJob> {
  for (let current = job; ; ) {
    const step = await backfillMeter(current, instantFromMillis(stopMillis), deps(at));
    current = { ...current, cursor: step.cursor, progress: step.progress, report: step.report };
    if (step.done || step.waitSeconds !== undefined) return current;
  }
}

async function totals(at: RecountWorld): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const span = { from: parseInstant('2026-11-20T00:00:00Z'), to: parseInstant('2026-11-22T00:00:00Z') };
  for (const customer of CUSTOMERS) {
    const { slices } = await readUsage({ project: PROJECT, customer, ...span }, at.deps);
    for (const { meter, dimensions, quantity } of slices)
      if (meter === 'spend') found[`${customer} ${dimensions.model}`] = quantity;
  }
  return found;
}

/** As if the meter had been there from its first instant on. In tenths, so that it is added up by other means. */
function truth(events: readonly LoggedEvent[]): Record<string, string> {
  const tenths: Record<string, number> = {};
  for (const { customer, properties, occurredAtMicros, meterRevision } of events) {
    if (meterRevision === 1 && occurredAtMicros < FROM_MILLIS * 1000) continue;
    const name = `${customer} ${properties.model}`;
    tenths[name] = (tenths[name] ?? 0) + (properties.tokens === '2.5' ? 25 : 10);
  }
  return Object.fromEntries(Object.entries(tenths).map(([name, sum]) => [name, String(sum / 10)]));
}

async function schedule(seed: number, work: typeof untilItWaits = untilItWaits) {
  // In half of the schedules every day is split, by meter and then by dimension.
  const limits = seed % 2 === 0 ? VIEW_LIMITS : { ...VIEW_LIMITS, splitBytes: 150 };
  const at = new RecountWorld(new Random(seed), [METERS], limits);
  const events: LoggedEvent[] = [];
  let job = JOB;
  const go = async () => {
    job = await work(at, job, at.world.millis + (at.random.chance(0.5) ? 0 : 60_000));
  };
  await at.run(appendSome(at, events, [1]), at.foldSome(2));
  // Folders that began without the meter, while others know it already.
  const stale = [at.foldSome(1), at.foldSome(1)];
  at.revise(WITH_SPEND);
  await at.run(...stale, at.foldSome(2), appendSome(at, events, [1, 2]), go());
  at.world.millis += FOLDER_LIFE_MILLIS;
  await at.run(go(), at.foldSome(3), at.foldSome(2), appendSome(at, events, [1, 2]));
  at.world.millis += FOLDER_LIFE_MILLIS;
  await at.run(go(), at.foldSome(3), appendSome(at, events, [1, 2]));
  await at.run(at.fold());
  const results = { found: {} as Record<string, string>, wrong: [] as unknown[] };
  const looking = async () => {
    results.found = await totals(at);
    const days = ['20261120', '20261121'].flatMap((day) => CUSTOMERS.map((customer) => ({ customer, day })));
    results.wrong.push(...(await reconciledDays(days, at.deps)).findings);
  };
  await at.run(looking());
  return { ...results, expected: truth(events), job };
}

const SCHEDULES_MILLIS = 60_000;

describe('a new meter counted over past events', () => {
  test(
    'ends as if it had been there from its first instant on, whatever comes in and is folded meanwhile',
    async () => {
      for (let seed = 1; seed <= 40; seed++) {
        const { found, expected, wrong, job } = await schedule(seed);
        expect(found, `seed ${seed}`).toEqual(expected);
        expect(wrong, `seed ${seed}`).toEqual([]);
        expect(job.progress).toEqual({ done: 4, total: 4, unit: 'days' });
        expect(job.report).toMatchObject({ daysRefused: 0 });
      }
    },
    SCHEDULES_MILLIS,
  );

  test(
    'would miss events without the job',
    async () => {
      let isMissed = false;
      for (let seed = 1; seed <= 10 && !isMissed; seed++) {
        const { found, expected } = await schedule(seed, async (_at, job) => job);
        isMissed = JSON.stringify(found) !== JSON.stringify(expected);
      }
      expect(isMissed).toBe(true);
    },
    SCHEDULES_MILLIS,
  );
});
