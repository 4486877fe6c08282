import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Aggregation } from '../../../core/catalog/meter.ts';
import {
  addReadings,
  decodeView,
  EMPTY_VIEW,
  encodeView,
  type Reading,
  type UsageView,
} from '../../../core/usage/usage-view.ts';
import { decimalOf, strongest } from '../../../core/usage/view-cell.ts';

function reading(change: Partial<Reading> = {}): Reading {
  return {
    meter: 'tokens',
    aggregation: 'sum',
    names: ['model'],
    dimensionKey: '["small"]',
    quarter: 12,
    value: '1.5',
    occurredAtMicros: 1_000,
    fingerprint: 'aa',
    ...change,
  };
}

/** What each cell comes down to, as one exact text. */
function totals(view: UsageView): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [meter, { aggregation, dimensions }] of Object.entries(view.meters)) {
    for (const [key, cells] of Object.entries(dimensions)) {
      for (const [quarter, cell] of Object.entries(cells)) {
        found[`${meter} ${key} ${quarter}`] =
          typeof cell === 'string' ? cell : decimalOf(strongest(aggregation, cell)[0]).toString();
      }
    }
  }
  return found;
}
const cellOf = (aggregation: Aggregation, ...readings: readonly Partial<Reading>[]) =>
  totals(
    addReadings(
      EMPTY_VIEW,
      'p',
      1,
      readings.map((change) => reading({ meter: 'm', aggregation, dimensionKey: '[]', ...change })),
    ),
  )['m [] 12'];

describe('a cell', () => {
  test('sums exactly, far beyond what a float holds', () => {
    expect(cellOf('sum', { value: '0.1' }, { value: '0.2' })).toBe('0.3');
    expect(cellOf('sum', { value: '99999999999999999999999999' }, { value: '0.000000000001' })).toBe(
      '99999999999999999999999999.000000000001',
    );
    // two values of 26 digits make a total of 27, which is no longer a value but still a total
    expect(cellOf('sum', { value: '9'.repeat(26) }, { value: '1' }, { value: '1' })).toBe(
      '100000000000000000000000001',
    );
    expect(cellOf('sum', { value: '5' }, { value: '-7.5' })).toBe('-2.5');
    // a total of zero is no cell
    expect(cellOf('sum', { value: '1.50' }, { value: '-1.5' })).toBeUndefined();
  });

  test('counts', () => {
    expect(cellOf('count', { value: '1' }, { value: '1' }, { value: '1' })).toBe('3');
  });

  test('takes the largest and the smallest by value, not by text', () => {
    expect(cellOf('max', { value: '9' }, { value: '10' }, { value: '-11' })).toBe('10');
    expect(cellOf('min', { value: '9' }, { value: '10' }, { value: '-11' })).toBe('-11');
    expect(cellOf('max', { value: '-0.5' }, { value: '-0.25' })).toBe('-0.25');
  });

  test('takes the latest by time, then by identity', () => {
    expect(cellOf('latest', { value: '1', occurredAtMicros: 5 }, { value: '2', occurredAtMicros: 4 })).toBe('1');
    expect(cellOf('latest', { value: '1', fingerprint: 'ab' }, { value: '2', fingerprint: 'b0' })).toBe('2');
    expect(cellOf('latest', { value: '2', fingerprint: 'b0' }, { value: '1', fingerprint: 'ab' })).toBe('2');
  });

  test('keeps one contribution for each partition of max, min and latest, so that one can be taken back', () => {
    const one = addReadings(EMPTY_VIEW, '0.2026112103', 1, [reading({ aggregation: 'max', value: '7' })]);
    const both = addReadings(one, '0.2026112104', 1, [reading({ aggregation: 'max', value: '5', fingerprint: 'bb' })]);
    expect(both.meters.tokens?.dimensions['["small"]']?.['12']).toEqual({
      '0.2026112103': ['7', 0, ''],
      '0.2026112104': ['5', 0, ''],
    });
  });

  test('knows of a latest reading when it was and whose, of a maximum or minimum only the value', () => {
    const cellOf = (aggregation: 'latest' | 'min') =>
      addReadings(EMPTY_VIEW, 'p', 1, [reading({ aggregation, value: '7' })]).meters.tokens?.dimensions['["small"]'];
    expect(cellOf('latest')).toEqual({ '12': { p: ['7', 1000, 'aa'] } });
    expect(cellOf('min')).toEqual({ '12': { p: ['7', 0, ''] } });
  });
});

describe('a cell of transactions', () => {
  const amount = (value: string, occurredAtMicros: number) =>
    reading({ aggregation: 'transactions', value, occurredAtMicros });
  const cell = (view: UsageView) => view.meters.tokens?.dimensions['["small"]']?.['12'];

  test('keeps every single amount by time and value, equal ones as often as they came', () => {
    const view = addReadings(EMPTY_VIEW, 'p', 1, [
      amount('10', 7),
      amount('9.50', 7),
      amount('-1', 3),
      amount('9.5', 7),
    ]);
    expect(cell(view)).toEqual([
      ['-1', 3],
      ['9.5', 7],
      ['9.5', 7],
      ['10', 7],
    ]);
  });

  test('is the same in whatever order and from whatever partitions it was folded', () => {
    const one = addReadings(addReadings(EMPTY_VIEW, 'p', 1, [amount('2', 5)]), 'q', 1, [
      amount('1', 5),
      amount('3', 4),
    ]);
    const other = addReadings(addReadings(EMPTY_VIEW, 'q', 1, [amount('3', 4), amount('1', 5)]), 'p', 1, [
      amount('2', 5),
    ]);
    expect(encodeView({ ...one, cursors: {} })).toEqual(encodeView({ ...other, cursors: {} }));
  });

  test('is never changed by adding to it', () => {
    const before = addReadings(EMPTY_VIEW, 'p', 1, [amount('2', 5)]);
    const copy = structuredClone(before);
    addReadings(before, 'p', 2, [amount('1', 1)]);
    expect(before).toEqual(copy);
  });
});

describe('a view', () => {
  test('moves the cursor of its partition with its content, and no other', () => {
    const view = addReadings(addReadings(EMPTY_VIEW, 'p', 3, [reading()]), 'q', 1, [reading()]);
    expect(view.cursors).toEqual({ p: 3, q: 1 });
    expect(totals(view)).toEqual({ 'tokens ["small"] 12': '3' });
  });

  test('is never changed by adding to it', () => {
    const before = addReadings(EMPTY_VIEW, 'p', 1, [reading(), reading({ aggregation: 'max', meter: 'peak' })]);
    const copy = structuredClone(before);
    addReadings(before, 'p', 2, [
      reading(),
      reading({ quarter: 13 }),
      reading({ aggregation: 'max', meter: 'peak', value: '9' }),
    ]);
    expect(before).toEqual(copy);
    expect(EMPTY_VIEW).toEqual({ cursors: {}, meters: {}, split: null });
  });

  test('counts a meter called constructor like any other', () => {
    const view = addReadings(EMPTY_VIEW, 'p', 1, [
      reading({ meter: 'constructor' }),
      reading({ meter: 'constructor' }),
    ]);
    expect(totals(view)).toEqual({ 'constructor ["small"] 12': '3' });
  });

  test('refuses to count one meter in two ways', () => {
    const view = addReadings(EMPTY_VIEW, 'p', 1, [reading()]);
    expect(() => addReadings(view, 'p', 2, [reading({ aggregation: 'count' })])).toThrow(
      expect.objectContaining({ kind: 'invariant-broken', code: 'meter_changed' }),
    );
  });

  test('refuses to count one meter by two lists of dimensions', () => {
    const view = addReadings(EMPTY_VIEW, 'p', 1, [reading()]);
    const wider = reading({ names: ['model', 'region'], dimensionKey: '["small","eu"]' });
    expect(() => addReadings(view, 'p', 2, [wider])).toThrow(expect.objectContaining({ code: 'meter_changed' }));
  });

  test('comes out of storage as it went in', () => {
    const view = addReadings(EMPTY_VIEW, 'p', 3, [
      reading({ dimensionKey: '["Zoë 🚀"]' }),
      reading({ meter: 'peak', aggregation: 'max' }),
    ]);
    expect(decodeView(encodeView(view))).toEqual(view);
  });
});

describe('adding is commutative', () => {
  const METERS: readonly (readonly [string, Aggregation])[] = [
    ['calls', 'count'],
    ['tokens', 'sum'],
    ['peak', 'max'],
    ['low', 'min'],
    ['level', 'latest'],
  ];
  const value = fc.constantFrom(
    '0',
    '1',
    '-1',
    '2.5',
    '2.50',
    '0.000000000001',
    '99999999999999999999',
    '-3.75',
    '10',
    '9',
  );
  // one event of one partition, seen by all meters; its place in the list makes its identity
  const event = fc.record({
    partition: fc.constantFrom('p', 'q', 'r'),
    value,
    quarter: fc.constantFrom(0, 1, 95),
    dimensionKey: fc.constantFrom('["a"]', '["b"]', '[""]'),
    occurredAtMicros: fc.nat(3),
  });
  const readingsOf = (entry: Omit<Reading, 'meter' | 'aggregation' | 'names'>): Reading[] =>
    METERS.map(([meter, aggregation]) => ({
      ...entry,
      meter,
      aggregation,
      names: ['model'],
      value: aggregation === 'count' ? '1' : entry.value,
    }));

  test('over events: any order, any chunks and any folding of the partitions give the same totals', () => {
    fc.assert(
      fc.property(
        fc.array(event, { minLength: 1, maxLength: 25 }).chain((events) => {
          const identified = events.map((entry, i) => ({ ...entry, fingerprint: String(i).padStart(2, '0') }));
          return fc.tuple(
            fc.constant(identified),
            fc.shuffledSubarray(identified, { minLength: identified.length }),
            fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 25, maxLength: 25 }),
          );
        }),
        ([events, shuffled, sizes]) => {
          let together = EMPTY_VIEW;
          for (const partition of ['p', 'q', 'r']) {
            const own = events.filter((entry) => entry.partition === partition);
            if (own.length > 0) together = addReadings(together, partition, 1, own.flatMap(readingsOf));
          }
          let apart = EMPTY_VIEW;
          let from = 0;
          for (const [sequence, size] of sizes.entries()) {
            for (const partition of ['r', 'p', 'q']) {
              const own = shuffled.slice(from, from + size).filter((entry) => entry.partition === partition);
              if (own.length > 0) apart = addReadings(apart, partition, sequence + 1, own.flatMap(readingsOf));
            }
            from += size;
          }
          expect(totals(apart)).toEqual(totals(together));
          expect(apart.meters.level?.dimensions).toEqual(together.meters.level?.dimensions);
        },
      ),
      { numRuns: 500 },
    );
  });
});
