import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AGGREGATIONS, type Aggregation } from '../../../core/catalog/meter.ts';
import { memberOf } from '../../../core/usage/unique-members.ts';
import {
  addReadings,
  EMPTY_VIEW,
  type Reading,
  replacePartition,
  takeOut,
  type UsageView,
} from '../../../core/usage/usage-view.ts';
import { addsUp } from '../../../core/usage/view-cell.ts';

/** One meter for every aggregation, so that readings of all of them lie in one view. */
function reading(aggregation: Aggregation, change: Partial<Reading> = {}): Reading {
  return {
    meter: `of-${aggregation}`,
    aggregation,
    names: ['region'],
    dimensionKey: '["eu"]',
    quarter: 12,
    value: '1',
    occurredAtMicros: 12 * 900_000_000 + 5,
    fingerprint: 'aa',
    ...change,
    ...(aggregation === 'unique_count' && { value: memberOf(change.value ?? '1') }),
  };
}

const readings = fc
  .record({
    aggregation: fc.constantFrom(...AGGREGATIONS),
    dimensionKey: fc.constantFrom('["eu"]', '["us"]'),
    quarter: fc.constantFrom(0, 12, 95),
    // few values, so that totals often come to nothing and equal readings are common
    value: fc.constantFrom('1', '-1', '2.5', '0'),
    offset: fc.constantFrom(0, 1, 899_999_999),
    fingerprint: fc.constantFrom('aa', 'bb', 'cc'),
  })
  .map(({ aggregation, quarter, offset, ...rest }) =>
    reading(aggregation, { ...rest, quarter, occurredAtMicros: quarter * 900_000_000 + offset }),
  );
const events = fc.array(
  fc.record({ reading: readings, partition: fc.constantFrom('p', 'q'), isVoided: fc.boolean(), turn: fc.nat(2) }),
  { maxLength: 30 },
);

const PARTITIONS = ['p', 'q'] as const;

function folded(list: readonly { reading: Reading; partition: string }[], before: UsageView = EMPTY_VIEW): UsageView {
  return PARTITIONS.reduce((view, partition) => {
    const own = list.filter((event) => event.partition === partition).map(({ reading }) => reading);
    return addReadings(view, partition, 1, own);
  }, before);
}

describe('taking readings out of a view', () => {
  test('leaves it as if they had never been added, in whatever order and grouping', () => {
    fc.assert(
      fc.property(events, (list) => {
        const left = list.filter(({ isVoided }) => !isVoided);
        const voided = list.filter(({ isVoided }) => isVoided);
        // in three turns, so that what is taken out was sometimes added before and sometimes after other readings
        let view = EMPTY_VIEW;
        for (const turn of [0, 1, 2]) {
          view = folded(
            list.filter((event) => event.turn === turn),
            view,
          );
          view = takeOut(
            view,
            voided.filter((event) => event.turn === turn && addsUp(event.reading.aggregation)).map((e) => e.reading),
          );
        }
        for (const partition of PARTITIONS) {
          const own = left.filter((event) => event.partition === partition).map((event) => event.reading);
          view = replacePartition(view, partition, own);
        }
        expect(view).toEqual(folded(left));
      }),
      { numRuns: 500 },
    );
  });

  test('leaves no meter behind that nothing is left of', () => {
    const all = AGGREGATIONS.map((aggregation) => reading(aggregation));
    const view = addReadings(EMPTY_VIEW, 'p', 4, all);
    const adding = all.filter(({ aggregation }) => addsUp(aggregation));
    expect(replacePartition(takeOut(view, adding), 'p', [])).toEqual({ ...EMPTY_VIEW, cursors: { p: 4 } });
  });

  test('replaces what one partition contributed and nothing of the others', () => {
    const one = addReadings(EMPTY_VIEW, 'p', 1, [reading('max', { value: '9' }), reading('latest', { value: '9' })]);
    const both = addReadings(one, 'q', 1, [reading('max', { value: '7' }), reading('latest', { value: '7' })]);
    const after = replacePartition(both, 'p', [reading('max', { value: '3' }), reading('sum', { value: '100' })]);
    expect(after.meters).toEqual({
      'of-max': {
        aggregation: 'max',
        names: ['region'],
        dimensions: { '["eu"]': { 12: { p: ['3', 0, ''], q: ['7', 0, ''] } } },
      },
      'of-latest': {
        aggregation: 'latest',
        names: ['region'],
        dimensions: { '["eu"]': { 12: { q: ['7', 12 * 900_000_000 + 5, 'aa'] } } },
      },
    });
  });

  test('changes nothing of the view that it was given', () => {
    const view = addReadings(
      EMPTY_VIEW,
      'p',
      1,
      AGGREGATIONS.map((aggregation) => reading(aggregation)),
    );
    const before = structuredClone(view);
    takeOut(view, [reading('sum'), reading('transactions')]);
    replacePartition(view, 'p', [reading('max', { value: '5' })]);
    expect(view).toEqual(before);
  });

  test('refuses to take out what chose: a maximum does not know the one below it', () => {
    const view = addReadings(EMPTY_VIEW, 'p', 1, [reading('max')]);
    expect(() => takeOut(view, [reading('max')])).toThrow(expect.objectContaining({ code: 'view_damaged' }));
  });

  test('refuses an amount that the view does not hold', () => {
    const view = addReadings(EMPTY_VIEW, 'p', 1, [reading('transactions')]);
    expect(() => takeOut(view, [reading('transactions', { value: '2' })])).toThrow(
      expect.objectContaining({ code: 'view_damaged' }),
    );
  });
});
