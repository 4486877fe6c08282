import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { usageViews } from '../../../adapters/dynamodb/usage-views.ts';
import { AGGREGATIONS, type Aggregation, type MeterRevision } from '../../../core/catalog/meter.ts';
import { Decimal } from '../../../core/money/decimal.ts';
import { type Instant, instantFromMillis, parseInstant } from '../../../core/time/instant.ts';
import type { LoggedEvent } from '../../../core/usage/chunk.ts';
import { foldEvents } from '../../../core/usage/fold.ts';
import { type DayFold, foldView, type PartitionFold, VIEW_LIMITS } from '../../../core/usage/fold-view.ts';
import { fingerprintHex, fingerprintOf } from '../../../core/usage/identity.ts';
import { quantityOf } from '../../../core/usage/quantity-of.ts';
import { readUsage } from '../../../core/usage/read-usage.ts';
import { logged, memoryTables, PROJECT, TABLES } from '../../support/usage-fixtures.ts';

/** A meter of every aggregation over the same events, kept apart by region. */
const METERS: MeterRevision = {
  revision: 1,
  meters: AGGREGATIONS.map((aggregation) => ({
    key: aggregation,
    eventType: 'call',
    aggregation,
    ...(aggregation !== 'count' && { value: aggregation === 'unique_count' ? 'user' : 'n' }),
    dimensions: ['region'],
  })),
};
const REVISIONS = new Map([[1, METERS]]);
const DAY = Date.parse('2026-11-21T00:00:00Z');
const QUARTER = 900_000;
const LENGTH = 2 * 96;

interface Happened {
  readonly event: LoggedEvent;
  readonly partition: string;
}

/** Times around the edges of quarter hours, of two days. */
const micros = fc
  .tuple(fc.nat(LENGTH - 1), fc.constantFrom(0, 1, 450_000_000, 899_999_999))
  .map(([quarter, into]) => (DAY + quarter * QUARTER) * 1000 + into);
const happened: fc.Arbitrary<Happened> = fc
  .record({
    id: fc.uuid(),
    occurredAtMicros: micros,
    n: fc.constantFrom('1', '-1', '2.5', '0.000000000001', '99999999999999999999999999', '3'),
    user: fc.constantFrom('ada', 'bob', 'Ada', ' ', '日本', '1.50', '1.5'),
    region: fc.constantFrom('eu', 'us', ''),
    partition: fc.constantFrom('0.2026112100', '0.2026112101'),
  })
  .map(({ id, occurredAtMicros, n, user, region, partition }) => ({
    event: logged({ id, occurredAtMicros, properties: { n, user, region } }),
    partition,
  }));

/** Everything again by the simplest means: one list of events, looked at from the beginning. */
function naive(aggregation: Aggregation, events: readonly LoggedEvent[], from: number, to: number): string {
  const own = events.filter(({ occurredAtMicros: at }) => at >= from && at < to);
  const values = own.map(({ properties }) => Decimal.parse(properties.n ?? ''));
  const sum = values.reduce((total, value) => total.plus(value), Decimal.ZERO);
  const sorted = values.toSorted((a, b) => a.compare(b));
  switch (aggregation) {
    case 'count':
      return String(own.length);
    case 'max':
      return (sorted.at(-1) ?? Decimal.ZERO).toString();
    case 'min':
      return (sorted[0] ?? Decimal.ZERO).toString();
    case 'latest': {
      const identity = (event: LoggedEvent) => fingerprintHex(fingerprintOf(PROJECT, event));
      const last = own.toSorted(
        (a, b) => a.occurredAtMicros - b.occurredAtMicros || (identity(a) < identity(b) ? -1 : 1),
      );
      return Decimal.parse(last.at(-1)?.properties.n ?? '0').toString();
    }
    case 'unique_count':
      return String(new Set(own.map(({ properties }) => properties.user)).size);
    case 'average':
      return twelvePlaces(sum, own.length);
    case 'time_weighted_sum': {
      const held = own.map(({ occurredAtMicros }, index) =>
        (values[index] ?? Decimal.ZERO).times(Decimal.of(BigInt(to - occurredAtMicros))),
      );
      return twelvePlaces(
        held.reduce((total, value) => total.plus(value), Decimal.ZERO),
        to - from,
      );
    }
    default:
      return sum.toString();
  }
}

/** `sum / by` to 12 places, halves away from zero: by hand, on whole numbers of the 24th place. */
function twelvePlaces(sum: Decimal, by: number): string {
  if (by === 0) return '0';
  const over = sum.rescaled(24);
  const under = BigInt(by) * 10n ** 12n;
  const size = over < 0n ? -over : over;
  const rounded = (2n * size + under) / (2n * under);
  return Decimal.of(over < 0n ? -rounded : rounded, 12).toString();
}

/** Folds the events in turns, each turn a chunk of its partition; a turn may be folded twice. */
async function folded(turns: readonly (readonly Happened[])[], limits = VIEW_LIMITS) {
  const views = usageViews(memoryTables().client(), TABLES.views);
  for (const [index, turn] of turns.entries()) {
    for (let times = index % 2 === 0 ? 2 : 1; times > 0; times -= 1) {
      const byDay = new Map<string, { key: DayFold['key']; partitions: PartitionFold[] }>();
      for (const [partition, own] of Map.groupBy(turn, (one) => one.partition)) {
        const { days } = foldEvents(
          PROJECT,
          own.map(({ event }) => event),
          REVISIONS,
        );
        for (const { day, readings } of days) {
          const fold = byDay.get(day) ?? { key: { project: PROJECT, customer: 'ada', day, part: '' }, partitions: [] };
          fold.partitions.push({ partition, upTo: index + 1, chunks: [{ sequence: index + 1, readings }] });
          byDay.set(day, fold);
        }
      }
      for (const fold of byDay.values()) expect(await foldView(fold, views, limits)).toEqual([]);
    }
  }
  return views;
}

const at = (quarter: number): Instant => instantFromMillis(DAY + quarter * QUARTER);

describe('usage that goes on from before', () => {
  const GOING_ON = ['sum', 'latest', 'time_weighted_sum'] as const;
  const ends = fc.uniqueArray(fc.nat(LENGTH), { minLength: 3, maxLength: 3 });

  test('is what a naive recount gives, wherever the level began and the span was cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(happened, { maxLength: 12 }), { maxLength: 4 }),
        ends.map((list) => list.toSorted((a, b) => a - b)),
        fc.boolean(),
        async (turns, [begin = 0, from = 0, to = 0], isForEver) => {
          const views = await folded(turns);
          const events = turns.flat().map(({ event }) => event);
          const since = isForEver ? null : at(begin);
          const carried = GOING_ON.map((aggregation) => ({ meter: aggregation, aggregation, since }));
          const over = { start: at(begin), end: at(to) };
          const { slices } = await readUsage(
            { project: PROJECT, customer: 'ada', from: at(from), to: at(to), carried, over },
            { views },
          );
          const micros = (quarter: number) => (DAY + quarter * QUARTER) * 1000;
          const since0 = isForEver ? 0 : micros(begin);
          for (const aggregation of GOING_ON) {
            const own = slices.filter(({ meter }) => meter === aggregation);
            const expected =
              aggregation === 'time_weighted_sum'
                ? weighted(events, [since0, micros(from), micros(to)], micros(to) - micros(begin))
                : naive(aggregation, events, since0, micros(to));
            expect(quantityOf(aggregation, own)).toBe(expected);
          }
          // what does not go on is still that of the span alone
          const counted = slices.filter(({ meter }) => meter === 'count');
          expect(quantityOf('count', counted)).toBe(naive('count', events, micros(from), micros(to)));
        },
      ),
      { numRuns: 60 },
    );
  });

  /** Each change times how long of the span it held. */
  function weighted(events: readonly LoggedEvent[], [since, from, to]: readonly [number, number, number], by: number) {
    const held = events
      .filter(({ occurredAtMicros: at }) => at >= since && at < to)
      .map(({ occurredAtMicros: at, properties }) =>
        Decimal.parse(properties.n ?? '').times(Decimal.of(BigInt(to - Math.max(at, from)))),
      );
    return twelvePlaces(
      held.reduce((total, value) => total.plus(value), Decimal.ZERO),
      by,
    );
  }

  async function usage(days: readonly (readonly [string, string])[]) {
    const views = await folded(
      days.map(([time, n]) => [
        {
          event: logged({ id: time, occurredAtMicros: Date.parse(time) * 1000, properties: { n, region: 'eu' } }),
          partition: '0.2026112100',
        },
      ]),
    );
    return async (from: string, to: string) => {
      const carried = GOING_ON.map((aggregation) => ({ meter: aggregation, aggregation, since: null }));
      const span = { from: parseInstant(from), to: parseInstant(to) };
      return readUsage({ project: PROJECT, customer: 'ada', ...span, carried }, { views });
    };
  }

  test('is kept for years without an event, with the level it began with', async () => {
    const read = await usage([
      ['2024-02-01T00:00:00Z', '10'],
      ['2024-09-01T00:00:00Z', '-4'],
    ]);
    const { slices } = await read('2026-11-01T00:00:00Z', '2026-12-01T00:00:00Z');
    expect(slices).toEqual([
      {
        meter: 'latest',
        dimensions: { region: 'eu' },
        quantity: '-4',
        latestAt: 1_725_148_800_000_000,
        latestBy: expect.any(String),
      },
      { meter: 'sum', dimensions: { region: 'eu' }, quantity: '6', carried: '6' },
      {
        meter: 'time_weighted_sum',
        dimensions: { region: 'eu' },
        quantity: '6',
        // 6 x 30 days of 86,400,000,000 microseconds
        timed: { integral: '15552000000000', overMicros: 2_592_000_000_000, level: '6' },
        carried: '6',
      },
    ]);
  });

  test('names what was before in one position, which changes with any of it', async () => {
    const first = [['2024-02-01T00:00:00Z', '10']] as const;
    const before = await (await usage(first))('2026-11-01T00:00:00Z', '2026-12-01T00:00:00Z');
    const read = await usage([...first, ['2024-02-01T00:00:01Z', '1']]);
    const after = await read('2026-11-01T00:00:00Z', '2026-12-01T00:00:00Z');
    const position = { key: 'before/2026-11-01T00:00:00.000Z', version: 1, cursors: {}, sha256: expect.any(String) };
    expect([before.views, after.views]).toEqual([[position], [position]]);
    expect(after.views[0]?.sha256).not.toBe(before.views[0]?.sha256);
  });

  test('is gone once it has come to nothing, and nothing is read of a customer who was never there', async () => {
    const read = await usage([
      ['2026-10-01T00:00:00Z', '10'],
      ['2026-10-31T00:00:00Z', '-10'],
    ]);
    const { slices } = await read('2026-11-01T00:00:00Z', '2026-12-01T00:00:00Z');
    expect(slices.map(({ meter }) => meter)).toEqual(['latest']);
    const nobody = await (await usage([]))('2026-11-01T00:00:00Z', '2026-12-01T00:00:00Z');
    expect(nobody).toMatchObject({ slices: [], views: [] });
  });
});

describe('usage read from the views', () => {
  test('is what a naive recount of the events gives, for every aggregation, order, grouping and span', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(happened, { maxLength: 12 }), { maxLength: 5 }),
        fc.uniqueArray(fc.nat(LENGTH), { minLength: 2, maxLength: 2 }).map((ends) => ends.toSorted((a, b) => a - b)),
        fc.constantFrom(VIEW_LIMITS, { ...VIEW_LIMITS, splitBytes: 60, maxBytes: 100_000 }),
        async (turns, [from = 0, to = 0], limits) => {
          const views = await folded(turns, limits);
          const events = turns.flat().map(({ event }) => event);
          const { slices } = await readUsage(
            { project: PROJECT, customer: 'ada', from: at(from), to: at(to) },
            { views },
          );
          const bounds = [(DAY + from * QUARTER) * 1000, (DAY + to * QUARTER) * 1000] as const;
          for (const aggregation of AGGREGATIONS) {
            const own = slices.filter(({ meter }) => meter === aggregation);
            expect(quantityOf(aggregation, own)).toBe(naive(aggregation, events, ...bounds));
            for (const region of ['eu', 'us', '']) {
              const here = events.filter(({ properties }) => properties.region === region);
              const slice = own.filter(({ dimensions }) => dimensions.region === region);
              expect(slice.length).toBeLessThanOrEqual(1);
              expect(quantityOf(aggregation, slice)).toBe(naive(aggregation, here, ...bounds));
            }
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  const span = { project: PROJECT, customer: 'ada', from: parseInstant('2026-11-21T00:00:00Z') };
  const event = (time: string, properties: Record<string, string>) => ({
    event: logged({
      id: `${time} ${JSON.stringify(properties)}`,
      occurredAtMicros: Date.parse(time) * 1000,
      properties,
    }),
    partition: '0.2026112100',
  });
  async function quantity(meter: Aggregation, to: string, ...list: readonly Happened[]) {
    const { slices } = await readUsage({ ...span, to: parseInstant(to) }, { views: await folded([list]) });
    return quantityOf(
      meter,
      slices.filter((slice) => slice.meter === meter),
    );
  }

  test.each([
    // one GB from midnight on, for one of one, two and four hours
    ['time_weighted_sum', '2026-11-21T01:00:00Z', [['2026-11-21T00:00:00Z', '1']], '1'],
    ['time_weighted_sum', '2026-11-21T02:00:00Z', [['2026-11-21T01:00:00Z', '1']], '0.5'],
    // 12 x 1 h + 4 x 0.5 h - 12 x 0.25 h = 12 + 2 - 3 = 11 over 1 h
    [
      'time_weighted_sum',
      '2026-11-21T01:00:00Z',
      [
        ['2026-11-21T00:00:00Z', '12'],
        ['2026-11-21T00:30:00Z', '4'],
        ['2026-11-21T00:45:00Z', '-12'],
      ],
      '11',
    ],
    // the last instant of the span counts as good as nothing, the next one nothing: 3600 x 0.001 s / 3600 s
    ['time_weighted_sum', '2026-11-21T01:00:00Z', [['2026-11-21T00:59:59.999Z', '3600']], '0.001'],
    ['time_weighted_sum', '2026-11-21T01:00:00Z', [['2026-11-21T01:00:00Z', '3600']], '0'],
    // (1 + 2 + 2) / 3
    [
      'average',
      '2026-11-21T01:00:00Z',
      [
        ['2026-11-21T00:00:00Z', '1'],
        ['2026-11-21T00:15:00Z', '2'],
        ['2026-11-21T00:30:00Z', '2'],
      ],
      '1.666666666667',
    ],
    [
      'average',
      '2026-11-21T01:00:00Z',
      [
        ['2026-11-21T00:00:00Z', '-1'],
        ['2026-11-21T00:15:00Z', '-2'],
        ['2026-11-21T00:30:00Z', '-2'],
      ],
      '-1.666666666667',
    ],
    // 0.000000000001 / 2 is half of the last place: away from zero
    [
      'average',
      '2026-11-21T01:00:00Z',
      [
        ['2026-11-21T00:00:00Z', '0.000000000001'],
        ['2026-11-21T00:15:00Z', '0'],
      ],
      '0.000000000001',
    ],
    ['average', '2026-11-21T01:00:00Z', [], '0'],
  ] as const)('%s up to %s of %j is %s', async (meter, to, list, expected) => {
    expect(await quantity(meter, to, ...list.map(([time, n]) => event(time, { n })))).toBe(expected);
  });

  test('holds more different values than one item does, in parts by their members', async () => {
    const list = Array.from({ length: 1_500 }, (_, index) =>
      event('2026-11-21T00:00:00Z', { n: '1', user: `user ${index % 1_000}`, region: 'eu' }),
    ).map((one, index) => ({ ...one, event: { ...one.event, id: `e${index}` } }));
    const views = await folded([list.slice(0, 700), list.slice(700)], {
      ...VIEW_LIMITS,
      splitBytes: 500,
      maxBytes: 2_000,
    });
    const stored = await views.readViews(PROJECT, 'ada', '20261121', '20261121');
    const depths = new Set(stored.map(({ key }) => key.part).filter((part) => part.startsWith('unique_count')));
    expect(new Set([...depths].map((part) => part.split('~').length))).toEqual(new Set([1, 2, 3, 4]));
    const { slices } = await readUsage({ ...span, to: parseInstant('2026-11-21T01:00:00Z') }, { views });
    expect(slices.find(({ meter }) => meter === 'unique_count')?.quantity).toBe('1000');
    expect(slices.find(({ meter }) => meter === 'count')?.quantity).toBe('1500');
  });

  test('tells values apart by their very text, and counts one that two regions have once', async () => {
    const user = (time: string, user: string, region: string) => event(time, { n: '1', user, region });
    const list = [
      user('2026-11-21T00:00:00Z', 'ada', 'eu'),
      user('2026-11-21T00:14:59.999Z', 'ada', 'eu'),
      user('2026-11-21T00:15:00Z', 'ada', 'us'),
      user('2026-11-21T00:30:00Z', 'Ada', 'us'),
      user('2026-11-21T00:45:00Z', '1.50', 'us'),
      user('2026-11-21T00:59:00Z', '1.5', 'us'),
    ];
    expect(await quantity('unique_count', '2026-11-21T01:00:00Z', ...list)).toBe('4');
    expect(await quantity('unique_count', '2026-11-21T00:30:00Z', ...list)).toBe('1');
  });
});
