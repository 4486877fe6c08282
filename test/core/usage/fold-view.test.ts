import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { usageViews } from '../../../adapters/dynamodb/usage-views.ts';
import { parseInstant } from '../../../core/time/instant.ts';
import { foldView, type SequencedReadings, VIEW_LIMITS } from '../../../core/usage/fold-view.ts';
import { readUsage } from '../../../core/usage/read-usage.ts';
import type { Reading } from '../../../core/usage/usage-view.ts';
import { Random } from '../../faults/random.ts';
import { memoryTables, PROJECT, TABLES } from '../../support/usage-fixtures.ts';

const DAY = { project: PROJECT, customer: 'ada', day: '20261121', part: '' };
const span = {
  project: PROJECT,
  customer: 'ada',
  from: parseInstant('2026-11-21T00:00:00Z'),
  to: parseInstant('2026-11-22T00:00:00Z'),
};

/** 64 hex digits that do not compress, the same for the same number. */
function noise(seed: number): string {
  let state = (seed + 1) * 2_654_435_761;
  let text = '';
  while (text.length < 64) {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) >>> 0;
    text += state.toString(16).padStart(8, '0');
  }
  return text.slice(0, 64);
}

function reading(change: Partial<Reading> = {}): Reading {
  return {
    meter: 'calls',
    aggregation: 'count',
    names: ['user'],
    dimensionKey: '["u"]',
    quarter: 12,
    value: '1',
    occurredAtMicros: 1,
    fingerprint: 'aa',
    ...change,
  };
}
/** Readings of `count` users, one each. */
const users = (from: number, count: number, change: Partial<Reading> = {}) =>
  Array.from({ length: count }, (_, i) => reading({ dimensionKey: JSON.stringify([noise(from + i)]), ...change }));

function world() {
  const views = usageViews(memoryTables().client(), TABLES.views);
  let sequence = 0;
  return {
    views,
    fold: (chunks: readonly SequencedReadings[], partition = 'p') =>
      foldView({ key: DAY, partitions: [{ partition, upTo: chunks.at(-1)?.sequence ?? 0, chunks }] }, views),
    /** One chunk after the other. */
    async add(readings: readonly Reading[]) {
      sequence += 1;
      return foldView(
        { key: DAY, partitions: [{ partition: 'p', upTo: sequence, chunks: [{ sequence, readings }] }] },
        views,
      );
    },
    async totals() {
      const { slices } = await readUsage(span, { views });
      return Object.fromEntries(
        slices.map(({ meter, dimensions, quantity }) => [`${meter} ${dimensions.user}`, quantity]),
      );
    },
    async parts() {
      const stored = await views.readViews(PROJECT, 'ada', '20261121', '20261121');
      return stored.map(({ key, view }) => ({ part: key.part, split: view.split, meters: Object.keys(view.meters) }));
    },
  };
}

describe('folding a day', () => {
  test('stays one item while it is small', async () => {
    const { add, parts, totals } = world();
    expect(await add([reading(), reading({ meter: 'tokens', aggregation: 'sum', value: '2.5' })])).toEqual([]);
    await add([reading()]);
    expect(await parts()).toEqual([{ part: '', split: null, meters: ['calls', 'tokens'] }]);
    expect(await totals()).toEqual({ 'calls u': '2', 'tokens u': '2.5' });
  });

  test('adds a chunk once, however often and in whatever company it comes', async () => {
    const { fold, totals } = world();
    const chunk = (sequence: number) => ({ sequence, readings: [reading()] });
    await fold([chunk(1)]);
    await fold([chunk(1)]);
    await fold([chunk(1), chunk(2)]);
    await fold([chunk(2), chunk(3)]);
    await fold([chunk(1)], 'q');
    expect(await totals()).toEqual({ 'calls u': '4' });
  });

  test('splits by meter when it grows, and the parts say what the whole said', async () => {
    const { add, parts, totals } = world();
    await add(users(0, 130));
    await add([...users(0, 130), ...users(1000, 130, { meter: 'tokens', aggregation: 'sum', value: '0.5' })]);
    await add([...users(2000, 30, { meter: 'late' }), reading({ meter: 'late' })]);
    expect((await parts()).map(({ part, split }) => [part, split])).toEqual([
      ['', 'by_meter'],
      ['calls', null],
      ['late', null],
      ['tokens', null],
    ]);
    const found = await totals();
    expect(Object.keys(found)).toHaveLength(130 + 130 + 30 + 1);
    expect(found[`calls ${noise(0)}`]).toBe('2');
    expect(found[`tokens ${noise(1059)}`]).toBe('0.5');
    expect(found['late u']).toBe('1');
  });

  test('splits a meter by its dimension values when that is not enough', async () => {
    const { add, parts, totals } = world();
    for (let round = 0; round < 6; round++) await add(users(round * 100, 150));
    const found = await parts();
    expect(found.map(({ part, split }) => [part, split]).slice(0, 2)).toEqual([
      ['', 'by_meter'],
      ['calls', 'by_dimension'],
    ]);
    expect(found.slice(2).map(({ part }) => part)).toEqual(
      '0123456789abcdef'.split('').map((slice) => `calls~${slice}`),
    );
    // 0 to 99 came once, 100 to 149 twice (rounds overlap by 50), and so on up to 649
    const quantities = await totals();
    expect(Object.keys(quantities)).toHaveLength(650);
    expect([0, 99, 100, 149, 150, 649].map((i) => quantities[`calls ${noise(i)}`])).toEqual([
      '1',
      '1',
      '2',
      '2',
      '1',
      '1',
    ]);
  });

  test('adds a chunk once across a split, also when its parts were reached only in part before', async () => {
    const { add, fold, totals } = world();
    for (let round = 0; round < 6; round++) await add(users(round * 100, 100));
    const before = await totals();
    // all six chunks once more, as a folder brings them that died before it moved its cursor
    const again = Array.from({ length: 6 }, (_, round) => ({ sequence: round + 1, readings: users(round * 100, 100) }));
    await fold(again);
    await fold([...again, { sequence: 7, readings: [reading()] }]);
    expect(await totals()).toEqual({ ...before, 'calls u': '1' });
  });

  test('splits a day of more meters than one transaction can move', async () => {
    const { add, parts, totals } = world();
    const meters = (from: number, count: number) =>
      Array.from({ length: count }, (_, i) => i + from).flatMap((m) =>
        users(m, 3, { meter: `meter-${String(m).padStart(3, '0')}` }),
      );
    await add(meters(0, 150));
    await add(meters(0, 200));
    await add(meters(0, 200));
    const found = await totals();
    expect(Object.keys(found)).toHaveLength(600);
    expect(found[`meter-000 ${noise(0)}`]).toBe('3');
    expect(found[`meter-149 ${noise(149)}`]).toBe('3');
    expect(found[`meter-199 ${noise(199)}`]).toBe('2');
    // The second transaction moved what the first had no room for, before anything was folded into its parts.
    expect((await parts())[0]).toEqual({ part: '', split: 'by_meter', meters: [] });
  });

  test('takes a void out of a meter that the split had no room for', async () => {
    const { add, parts, totals, views } = world();
    const all = Array.from({ length: 150 }, (_, m) =>
      ['10', '7'].flatMap((value) =>
        users(m, 3, { meter: `meter-${String(m).padStart(3, '0')}`, aggregation: 'max', value, fingerprint: noise(m) }),
      ),
    ).flat();
    await add(all);
    // A second folder makes the split, and dies before it folds what it had read.
    const chunk = { sequence: 2, readings: users(500, 150, { meter: 'calls' }) };
    const fold = (through: typeof views, partition: object) =>
      foldView({ key: DAY, partitions: [{ partition: 'p', upTo: 2, chunks: [chunk], ...partition }] }, through);
    const dying = { ...views, writeView: async () => Promise.reject(new Error('died')) };
    await expect(fold(dying, {})).rejects.toThrow('died');
    const isVoided = ({ meter, value }: Reading) => meter === 'meter-149' && value === '10';
    const undone = all.filter(isVoided).map((one) => ({ ...one, countedAt: 1, undoneAt: 3 }));
    const left = all.filter((one) => !isVoided(one));
    await fold(views, { upTo: 3, chunks: [chunk, { sequence: 3, readings: [], undone }], left });
    const found = await totals();
    expect((await parts())[0]).toEqual({ part: '', split: 'by_meter', meters: [] });
    expect([found[`meter-148 ${noise(148)}`], found[`meter-149 ${noise(149)}`]]).toEqual(['10', '7']);
    expect(Object.keys(found)).toHaveLength(600);
  });

  test('does not add a chunk again to a part that the split left behind', async () => {
    const { add, fold, totals } = world();
    const all = Array.from({ length: 150 }, (_, m) =>
      users(m, 3, { meter: `meter-${String(m).padStart(3, '0')}` }),
    ).flat();
    await add(all);
    await add(users(0, 1, { meter: 'other' }));
    await fold([
      { sequence: 1, readings: all },
      { sequence: 3, readings: all },
    ]);
    const found = await totals();
    expect(found[`meter-000 ${noise(0)}`]).toBe('2');
    expect(found[`meter-149 ${noise(149)}`]).toBe('2');
  });

  test('takes a first chunk that is too large for one item, by splitting before the first write', async () => {
    const { add, totals } = world();
    expect(await add(users(0, 12_000))).toEqual([]);
    expect(Object.keys(await totals())).toHaveLength(12_000);
  });

  test('gives back exactly the readings of a slice that is full, and keeps the others', async () => {
    const { views, fold, totals } = world();
    // one dimension value, spread over so many partitions of a latest that its slice passes the limit
    const crowded = Array.from({ length: 96 }, (_, quarter) =>
      reading({ meter: 'level', aggregation: 'latest', quarter, value: '1', fingerprint: noise(quarter) }),
    );
    let rejected: readonly Reading[] = [];
    let partitions = 0;
    while (rejected.length === 0 && partitions < 400) {
      partitions += 1;
      const readings = [...crowded.map((one, i) => ({ ...one, fingerprint: noise(partitions * 100 + i) })), reading()];
      rejected = await fold([{ sequence: 1, readings }], `0.${partitions}`);
    }
    expect(rejected).toHaveLength(96);
    expect(new Set(rejected.map(({ meter }) => meter))).toEqual(new Set(['level']));
    expect((await totals())['calls u']).toBe(String(partitions));
    const slice = (await views.readViews(PROJECT, 'ada', '20261121', '20261121')).find(({ key }) =>
      key.part.startsWith('level~'),
    );
    expect(Object.keys(slice?.view.cursors ?? {})).not.toContain(`0.${partitions}`);
  }, 60_000);

  test('takes so many combinations of dimension values of a meter, however small they are, and gives the rest back', async () => {
    const { views, fold, totals } = world();
    // Of sixteen slices, each with room for 2,000: far below and far above.
    const few = Array.from({ length: 24_000 }, (_, i) => reading({ dimensionKey: `["${i}"]` }));
    expect(await fold([{ sequence: 1, readings: few }])).toEqual([]);
    const many = Array.from({ length: 16_000 }, (_, i) => reading({ dimensionKey: `["x${i}"]`, meter: 'calls' }));
    const rejected = await fold([{ sequence: 1, readings: [...many, reading({ meter: 'other' })] }], 'q');
    expect(rejected.length).toBeGreaterThan(0);
    expect(new Set(rejected.map(({ meter }) => meter))).toEqual(new Set(['calls']));
    const found = await totals();
    expect(found['other u']).toBe('1');
    expect(Object.keys(found).length + rejected.length).toBe(24_000 + 16_000 + 1);
    for (const { view } of await views.readViews(PROJECT, 'ada', '20261121', '20261121'))
      for (const { dimensions } of Object.values(view.meters))
        expect(Object.keys(dimensions).length).toBeLessThanOrEqual(2_000);
  });

  test('a partition of which something did not fit is never counted in part, and the next one is counted again', async () => {
    const { views, totals } = world();
    const key = { ...DAY, part: 'calls~0' };
    const chunk = (sequence: number) => ({ sequence, readings: users(sequence * 10, 10) });
    const fold = (partition: string, chunks: readonly SequencedReadings[]) =>
      foldView({ key, partitions: [{ partition, upTo: chunks.at(-1)?.sequence ?? 0, chunks }] }, views, {
        ...VIEW_LIMITS,
        splitBytes: 1,
        // ten users of 64 digits that do not compress fit, twenty do not
        maxBytes: 700,
      });
    expect(await fold('p', [chunk(1), chunk(2)])).toHaveLength(20);
    expect(await fold('p', [chunk(1)])).toHaveLength(10);
    expect(await fold('p', [chunk(2), chunk(3)])).toHaveLength(20);
    expect(await totals()).toEqual({});
    expect(await fold('q', [chunk(1)])).toEqual([]);
    expect(await fold('q', [chunk(1), chunk(2)])).toHaveLength(10);
    expect(await fold('q', [chunk(1)])).toEqual([]);
    expect(Object.keys(await totals())).toHaveLength(10);
  });

  test('gives the same totals split and unsplit, by two folders at once', async () => {
    let split = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            user: fc.nat(400),
            count: fc.integer({ min: 1, max: 120 }),
            meter: fc.constantFrom('calls', 'tokens', 'peak'),
            quarter: fc.nat(3),
            value: fc.constantFrom('1', '0.25', '-3', '7'),
          }),
          { minLength: 3, maxLength: 12 },
        ),
        async (chunks) => {
          const { fold, totals, parts } = world();
          const aggregations = { calls: 'count', tokens: 'sum', peak: 'max' } as const;
          const sequenced = chunks.map(({ user, count, meter, quarter, value }, i) => ({
            sequence: i + 1,
            readings: users(user, count, {
              meter,
              aggregation: aggregations[meter],
              quarter,
              value: meter === 'calls' ? '1' : value,
              fingerprint: noise(i),
            }),
          }));
          for (let upTo = 1; upTo <= sequenced.length; upTo += 2) {
            await Promise.all([fold(sequenced.slice(0, upTo)), fold(sequenced.slice(0, upTo + 1))]);
          }
          await fold(sequenced);
          // quarters of a cent as whole numbers: 0.25 is 1
          const expected = new Map<string, { sum: number; max: number }>();
          for (const { readings } of sequenced) {
            for (const { meter, dimensionKey, value } of readings) {
              const name = `${meter} ${JSON.parse(dimensionKey)[0]}`;
              const known = expected.get(name) ?? { sum: 0, max: Number.NEGATIVE_INFINITY };
              const quarters = Number(value) * 4;
              expected.set(name, { sum: known.sum + quarters, max: Math.max(known.max, quarters) });
            }
          }
          const found = await totals();
          expect(Object.keys(found).sort()).toEqual([...expected.keys()].sort());
          for (const [name, { sum, max }] of expected) {
            expect([name, Number(found[name]) * 4]).toEqual([name, name.startsWith('peak') ? max : sum]);
          }
          if ((await parts()).length > 1) split += 1;
        },
      ),
      { numRuns: 40 },
    );
    expect(split).toBeGreaterThan(5);
    expect(split).toBeLessThan(40);
  }, 120_000);

  test('counts every chunk once while calls and answers are lost and folders die in the middle of a split', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 1_000_000 }), async (seed) => {
        const random = new Random(seed);
        const database = memoryTables();
        const faults = () =>
          random.chance(0.12) ? random.pick(['lost_before', 'lost_after', 'repeat'] as const) : 'none';
        const chunks = Array.from({ length: 8 }, (_, i) => ({
          sequence: i + 1,
          readings: users(i * 60, 120, { meter: random.pick(['calls', 'tokens']) }),
        }));
        const foldSome = async (upTo: number) => {
          const views = usageViews(database.client(faults), TABLES.views);
          await foldView(
            { key: DAY, partitions: [{ partition: 'p', upTo, chunks: chunks.slice(0, upTo) }] },
            views,
          ).catch(() => undefined);
        };
        for (let round = 0; round < 12; round++)
          await Promise.all([foldSome(1 + random.below(8)), foldSome(1 + random.below(8))]);
        const views = usageViews(database.client(), TABLES.views);
        await foldView({ key: DAY, partitions: [{ partition: 'p', upTo: 8, chunks }] }, views);
        const expected = new Map<string, number>();
        for (const { readings } of chunks) {
          for (const { meter, dimensionKey } of readings) {
            const name = `${meter} ${JSON.parse(dimensionKey)[0]}`;
            expected.set(name, (expected.get(name) ?? 0) + 1);
          }
        }
        const { slices } = await readUsage(span, { views });
        expect(
          Object.fromEntries(
            slices.map(({ meter, dimensions, quantity }) => [`${meter} ${dimensions.user}`, Number(quantity)]),
          ),
        ).toEqual(Object.fromEntries(expected));
      }),
      { numRuns: 60 },
    );
  }, 120_000);
});
