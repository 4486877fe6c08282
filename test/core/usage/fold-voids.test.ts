import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { parkingLot } from '../../../adapters/dynamodb/parking-lot.ts';
import { usageLog } from '../../../adapters/dynamodb/usage-log.ts';
import { usageViews } from '../../../adapters/dynamodb/usage-views.ts';
import type { Meter } from '../../../core/catalog/meter.ts';
import { instantFromMillis, parseInstant } from '../../../core/time/instant.ts';
import type { LoggedEvent } from '../../../core/usage/chunk.ts';
import { type FoldDeps, foldPartition } from '../../../core/usage/fold-partitions.ts';
import { VIEW_LIMITS } from '../../../core/usage/fold-view.ts';
import { PartitionState } from '../../../core/usage/partition-state.ts';
import { type PartitionShare, planChunk } from '../../../core/usage/plan-chunk.ts';
import { readUsage } from '../../../core/usage/read-usage.ts';
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
  voidShare,
} from '../../support/usage-fixtures.ts';

const MICROS = NOW_MILLIS * 1000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const PAYMENTS: Meter = {
  ...{ key: 'payments', eventType: 'call', aggregation: 'transactions', value: 'tokens', dimensions: [] },
};
const ALL = [...METERS.meters, PAYMENTS];
const NEWER: readonly Meter[] = [
  { key: 'people', eventType: 'call', aggregation: 'unique_count', value: 'region', dimensions: [] },
  { key: 'mean', eventType: 'call', aggregation: 'average', value: 'tokens', dimensions: [] },
  { key: 'held', eventType: 'call', aggregation: 'time_weighted_sum', value: 'tokens', dimensions: ['region'] },
];

interface Bench {
  readonly deps: FoldDeps;
  readonly state: PartitionState;
  readonly database: ReturnType<typeof memoryTables>;
}

function bench(change: Partial<FoldDeps> = {}, meters: readonly Meter[] = ALL): Bench {
  const database = memoryTables();
  const client = database.client();
  const deps: FoldDeps = {
    log: usageLog(client, TABLES.log),
    views: usageViews(client, TABLES.views),
    parking: parkingLot(client, TABLES.views),
    meters: { revision: async () => ({ revision: 1, meters }), newest: async () => ({ revision: 1, meters }) },
    clock: clockAt(NOW_MILLIS),
    seen: new Set(),
    ...change,
  };
  return { deps, state: new PartitionState(), database };
}

let here: Bench;
beforeEach(() => {
  here = bench();
});

async function append({ deps, state }: Bench, shares: readonly PartitionShare[], atMillis = NOW_MILLIS) {
  const chunk = planChunk(state, shares, atMillis);
  if (chunk === null) throw new Error('nothing to append');
  await deps.log.putChunk(PLACE, chunk);
  state.apply(chunk);
}

async function usage({ deps }: Bench, customer = 'ada'): Promise<Record<string, string>> {
  const span = { from: parseInstant('2026-11-01T00:00:00Z'), to: parseInstant('2026-12-01T00:00:00Z') };
  const { slices } = await readUsage({ project: PROJECT, customer, ...span }, deps);
  return Object.fromEntries(slices.map(({ meter, quantity }) => [meter, quantity]));
}
const tokens = (id: string, value: string, change: Partial<LoggedEvent> = {}) =>
  logged({ id, properties: { tokens: value }, ...change });

describe('folding a void', () => {
  test('takes the event out of every aggregation, whether it was folded before or is folded with it', async () => {
    const a = tokens('a', '2.5', { occurredAtMicros: MICROS });
    const b = tokens('b', '10', { occurredAtMicros: MICROS + 1 });
    for (const isFoldedBefore of [true, false]) {
      const one = bench();
      await append(one, [share('b-1', [a, b])]);
      if (isFoldedBefore) {
        await foldPartition(PLACE, one.deps);
        expect(await usage(one)).toEqual({
          ...{ calls: '2', tokens: '12.5', peak: '10', low: '2.5', level: '10', payments: '12.5' },
        });
      }
      await append(one, [voidShare('v-1', ['b'])]);
      await foldPartition(PLACE, one.deps);
      expect(await usage(one)).toEqual({
        ...{ calls: '1', tokens: '2.5', peak: '2.5', low: '2.5', level: '2.5', payments: '2.5' },
      });
    }
  });

  test('of the last event leaves nothing behind', async () => {
    await append(here, [share('b-1', [tokens('a', '5')])]);
    await append(here, [voidShare('v-1', ['a'])]);
    await foldPartition(PLACE, here.deps);
    expect(await usage(here)).toEqual({});
  });

  test('that came first keeps the event from ever counting', async () => {
    await append(here, [voidShare('v-1', ['a'])]);
    await foldPartition(PLACE, here.deps);
    await append(here, [share('b-1', [tokens('a', '5'), tokens('b', '7')])]);
    await foldPartition(PLACE, here.deps);
    expect(await usage(here)).toMatchObject({ calls: '1', tokens: '7', peak: '7' });
  });

  test('changes nothing when it is folded again: after a crash before the cursor, or by two folders at once', async () => {
    await append(here, [share('b-1', [tokens('a', '5'), tokens('b', '7')])]);
    await foldPartition(PLACE, here.deps);
    await append(here, [voidShare('v-1', ['b'])]);
    // The folder dies before the partition's cursor moves.
    const views = { ...here.deps.views, advanceCursor: async () => Promise.reject(new Error('died')) };
    await expect(foldPartition(PLACE, { ...here.deps, views })).rejects.toThrow('died');
    expect(await usage(here)).toMatchObject({ calls: '1', tokens: '5', peak: '5' });
    await append(here, [share('b-2', [tokens('c', '1')])]);
    await Promise.all([foldPartition(PLACE, here.deps), foldPartition(PLACE, here.deps)]);
    expect(await usage(here)).toMatchObject({ calls: '2', tokens: '6', peak: '5', low: '1' });
  });

  test('leaves the contributions of other partitions alone', async () => {
    const other = { project: PROJECT, partition: '0.2026112102' };
    const elsewhere = planChunk(new PartitionState(), [share('o-1', [tokens('z', '9')])], NOW_MILLIS);
    if (elsewhere === null) throw new Error('nothing to append');
    await here.deps.log.putChunk(other, elsewhere);
    await foldPartition(other, here.deps);
    await append(here, [share('b-1', [tokens('a', '20'), tokens('b', '3')])]);
    await foldPartition(PLACE, here.deps);
    expect(await usage(here)).toMatchObject({ peak: '20', low: '3' });
    await append(here, [voidShare('v-1', ['a', 'b'])]);
    await foldPartition(PLACE, here.deps);
    expect(await usage(here)).toMatchObject({ calls: '1', peak: '9', low: '9', level: '9' });
  });

  test('of an event that no meter counts has nothing to undo; the event stays parked', async () => {
    await append(here, [share('b-1', [logged({ id: 'a', type: 'unknown' })])]);
    await foldPartition(PLACE, here.deps);
    await append(here, [voidShare('v-1', ['a'])]);
    await foldPartition(PLACE, here.deps);
    expect(await usage(here)).toEqual({});
    expect((await here.deps.parking.list(PROJECT)).map(({ name }) => name)).toEqual([`fold:${PLACE.partition}:1:0`]);
    expect((await here.deps.views.readCursor(PLACE)).sequence).toBe(2);
  });

  test('marks the day as late when it comes after the day may have been billed, and not before', async () => {
    const late = () => here.database.items(TABLES.views).filter(({ sk }) => sk?.S?.startsWith('late#'));
    await append(here, [share('b-1', [tokens('a', '5'), tokens('b', '7')])]);
    await append(here, [voidShare('v-1', ['a'])], NOW_MILLIS + HOUR);
    await foldPartition(PLACE, here.deps);
    expect(late()).toEqual([]);
    // 2026-11-21 ends at 24:00; from 01:00 on it may have been billed
    await append(here, [voidShare('v-2', ['b'])], NOW_MILLIS + 22 * HOUR + 1);
    await foldPartition(PLACE, here.deps);
    expect(late().map(({ sk }) => sk?.S)).toEqual(['late#20261121']);
  });

  test('reads the partition again only when there is something to undo', async () => {
    const starts: number[] = [];
    const { log } = here.deps;
    const readChunks: typeof log.readChunks = (place, sequence) => {
      starts.push(sequence);
      return log.readChunks(place, sequence);
    };
    const deps = { ...here.deps, log: { ...log, readChunks } };
    await append(here, [voidShare('v-1', ['never-sent']), share('b-1', [tokens('a', '5')])]);
    await foldPartition(PLACE, deps);
    expect(starts).toEqual([0]);
    await append(here, [voidShare('v-2', ['a'])]);
    await foldPartition(PLACE, deps);
    expect(starts).toEqual([0, 1, 0]);
  });
});

describe('a full view and a void', () => {
  /** Room for a handful of transactions and no more. */
  const limits = { ...VIEW_LIMITS, splitBytes: 150, maxBytes: 230 };
  const amounts = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) =>
      tokens(`e-${from + i}`, `${1.000001 * (from + i + 1)}`.slice(0, 8), {
        occurredAtMicros: MICROS + 7919 * (from + i),
      }),
    );
  const parked = async () => (await here.deps.parking.list(PROJECT)).map(({ name, detail }) => ({ name, detail }));

  beforeEach(() => {
    here = bench({ viewLimits: limits }, [PAYMENTS]);
  });

  test('parks the void of what the view counted before it was full: it counts on, and somebody is told', async () => {
    await append(here, [share('b-1', amounts(0, 5))]);
    await foldPartition(PLACE, here.deps);
    const before = await usage(here);
    await append(here, [share('b-2', amounts(5, 60))]);
    await foldPartition(PLACE, here.deps);
    expect(await usage(here)).toEqual(before);
    expect(await parked()).toHaveLength(55);
    await append(here, [voidShare('v-1', ['e-0', 'e-7'])]);
    await foldPartition(PLACE, here.deps);
    expect(await usage(here)).toEqual(before);
    const voids = (await parked()).filter(({ name }) => name.includes(':void:'));
    // e-7 was never counted, so there is nothing to take out
    expect(voids).toHaveLength(1);
    expect(voids[0]?.name).toMatch(/^full:0\.2026112103:3:void:[0-9a-f]{32}$/);
    expect(voids[0]?.detail).toMatch(/this event was voided and is still counted by payments\.$/);
  });

  test('is the same void however often it is folded', async () => {
    await append(here, [share('b-1', amounts(0, 5))]);
    await foldPartition(PLACE, here.deps);
    await append(here, [share('b-2', amounts(5, 60))]);
    await append(here, [voidShare('v-1', ['e-0', 'e-7'])]);
    const views = { ...here.deps.views, advanceCursor: async () => Promise.reject(new Error('died')) };
    await expect(foldPartition(PLACE, { ...here.deps, views })).rejects.toThrow('died');
    const first = await parked();
    await foldPartition(PLACE, here.deps);
    expect(await parked()).toEqual(first);
    expect(first.filter(({ name }) => name.includes(':void:'))).toHaveLength(1);
  });
});

describe('what is left after voids', () => {
  const anEvent = fc.record({
    value: fc.constantFrom('1', '2.5', '-3', '0', '99999999999999999999', '0.000000000001'),
    region: fc.constantFrom('eu', 'us'),
    customer: fc.constantFrom('ada', 'ada', 'bob'),
    minutes: fc.integer({ min: 0, max: 3000 }),
  });
  const aStep = fc.oneof(
    fc.record({ kind: fc.constant('events' as const), ids: fc.array(fc.nat(19), { minLength: 1, maxLength: 6 }) }),
    fc.record({ kind: fc.constant('voids' as const), ids: fc.array(fc.nat(19), { minLength: 1, maxLength: 3 }) }),
    fc.record({ kind: fc.constant('fold' as const), ids: fc.constant([]) }),
  );

  test.each([
    ['in whole views', undefined],
    ['in views that are split', { ...VIEW_LIMITS, splitBytes: 200, maxBytes: 340 * 1024 }],
  ])('is exactly what the other events alone would have given, %s', async (_what, viewLimits) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anEvent, { minLength: 20, maxLength: 20 }),
        fc.array(aStep, { minLength: 2, maxLength: 12 }),
        async (drawn, steps) => {
          const events = drawn.map(({ value, region, customer, minutes }, i) =>
            logged({
              ...{ id: `e-${i}`, customer, occurredAtMicros: MICROS - minutes * 60_000_000 },
              properties: { tokens: value, region },
            }),
          );
          const limits = viewLimits === undefined ? {} : { viewLimits };
          const meters = [...ALL, ...NEWER];
          const [voiding, plain] = [bench(limits, meters), bench(limits, meters)];
          const sent = new Set<number>();
          const voided = new Set<string>();
          for (const [i, { kind, ids }] of steps.entries()) {
            const chosen = ids.flatMap((id) => events[id] ?? []);
            if (kind === 'events') {
              for (const id of ids) sent.add(id);
              await append(voiding, [share(`b-${i}`, chosen)]);
            } else if (kind === 'voids') {
              // The share of a void names ada's events; bob's ids are then of events that never were.
              for (const { id, customer } of chosen) if (customer === 'ada') voided.add(id);
              await append(voiding, [
                voidShare(
                  `v-${i}`,
                  chosen.map(({ id }) => id),
                ),
              ]);
            } else await foldPartition(PLACE, voiding.deps);
          }
          await foldPartition(PLACE, voiding.deps);
          const live = [...sent].flatMap((id) => events[id] ?? []).filter(({ id }) => !voided.has(id));
          if (live.length > 0) await append(plain, [share('b', live)]);
          await foldPartition(PLACE, plain.deps);
          for (const customer of ['ada', 'bob'])
            expect(await slices(voiding, customer)).toEqual(await slices(plain, customer));
        },
      ),
      { numRuns: 60 },
    );
  });

  async function slices({ deps }: Bench, customer: string) {
    const span = { from: instantFromMillis(NOW_MILLIS - 4 * DAY), to: instantFromMillis(NOW_MILLIS + DAY) };
    const { slices: found } = await readUsage({ project: PROJECT, customer, ...span }, deps);
    return found;
  }
});
