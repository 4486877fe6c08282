import { describe, expect, test } from 'vitest';
import type { Meter, MeterRevision } from '../../../core/catalog/meter.ts';
import { foldEvents, quarterOf } from '../../../core/usage/fold.ts';
import { CALLS, logged, METERS, NOW_MILLIS, PROJECT, TOKENS } from '../../support/usage-fixtures.ts';

const micros = (text: string) => Date.parse(text) * 1000;
const fold = (events: Parameters<typeof foldEvents>[1], ...meters: readonly Meter[]) =>
  foldEvents(
    PROJECT,
    events,
    new Map<number, MeterRevision>([[1, meters.length > 0 ? { revision: 1, meters } : METERS]]),
  );

describe('the quarter hour of a time', () => {
  test.each([
    ['2026-11-21T00:00:00.000Z', 0, 0],
    ['2026-11-21T00:14:59.999Z', 999, 0],
    ['2026-11-21T00:15:00.000Z', 0, 1],
    ['2026-11-21T03:00:00.000Z', 0, 12],
    ['2026-11-21T23:44:59.999Z', 999, 94],
    ['2026-11-21T23:45:00.000Z', 0, 95],
    ['2026-11-21T23:59:59.999Z', 999, 95],
    ['2026-11-22T00:00:00.000Z', 0, 0],
    // clocks change in Europe and in America on these days; UTC does not
    ['2026-03-29T01:00:00.000Z', 0, 4],
    ['2026-11-01T06:00:00.000Z', 0, 24],
    ['1970-01-01T00:00:00.000Z', 0, 0],
  ])('of %s and %d microseconds is %d', (text, rest, quarter) => {
    expect(quarterOf(micros(text) + rest)).toBe(quarter);
  });
});

describe('folding events', () => {
  test('gives one reading for each meter that counts the event, with its identity for ties', () => {
    const { days, unfoldable } = fold([logged()]);
    expect(unfoldable).toEqual([]);
    expect(days).toHaveLength(1);
    expect(days[0]).toMatchObject({ customer: 'ada', day: '20261121' });
    expect(
      days[0]?.readings.map(({ meter, aggregation, value, dimensionKey }) => [meter, aggregation, value, dimensionKey]),
    ).toEqual([
      ['calls', 'count', '1', '["eu"]'],
      ['tokens', 'sum', '1.5', '["small"]'],
      ['peak', 'max', '1.5', '[]'],
      ['low', 'min', '1.5', '[]'],
      ['level', 'latest', '1.5', '[]'],
    ]);
    expect(days[0]?.readings[0]).toEqual({
      meter: 'calls',
      aggregation: 'count',
      names: ['region'],
      dimensionKey: '["eu"]',
      quarter: 12,
      value: '1',
      occurredAtMicros: NOW_MILLIS * 1000,
      fingerprint: 'ada28100164af45345ad8adeb648255b',
    });
  });

  test('keeps customers and UTC days apart; midnight belongs to the later day', () => {
    const { days } = fold([
      logged({ occurredAtMicros: micros('2026-11-21T23:59:59.999Z') + 999 }),
      logged({ occurredAtMicros: micros('2026-11-22T00:00:00.000Z') }),
      logged({ customer: 'bob' }),
      logged({ customer: 'bob' }),
    ]);
    expect(days.map(({ customer, day, readings }) => [customer, day, readings.length])).toEqual([
      ['ada', '20261121', 5],
      ['ada', '20261122', 5],
      ['bob', '20261121', 10],
    ]);
  });

  test('counts a dimension that the event lacks under the empty value', () => {
    const { days } = fold([logged({ properties: { tokens: '2' } })]);
    expect(days[0]?.readings.map(({ dimensionKey }) => dimensionKey)).toEqual(['[""]', '[""]', '[]', '[]', '[]']);
  });

  test('does not take what every object inherits for a dimension, a value or a match', () => {
    const odd: Meter = { ...CALLS, key: 'odd', dimensions: ['constructor', '__proto__'] };
    const { days } = fold([logged()], odd, { ...TOKENS, value: 'toString' }, { ...CALLS, filter: { valueOf: ['x'] } });
    expect(days[0]?.readings.map(({ meter, dimensionKey }) => [meter, dimensionKey])).toEqual([['odd', '["",""]']]);
  });

  test('keeps dimension values apart that only look alike when joined', () => {
    const two: Meter = { ...CALLS, dimensions: ['a', 'b'] };
    const keys = [
      { a: 'x', b: 'y' },
      { a: 'x","y', b: '' },
      { a: '', b: 'x","y' },
    ].map((properties) => fold([logged({ properties })], two).days[0]?.readings[0]?.dimensionKey);
    expect(keys).toEqual(['["x","y"]', '["x\\",\\"y",""]', '["","x\\",\\"y"]']);
  });

  test.each([
    [{ region: 'eu' }, 1],
    [{ region: 'de' }, 1],
    [{ region: 'us' }, 0],
    [{}, 0],
  ])('counts %j under a filter of region eu or de %d times', (properties, count) => {
    const { days } = fold([logged({ properties })], { ...CALLS, filter: { region: ['eu', 'de'] } });
    expect(days.flatMap(({ readings }) => readings)).toHaveLength(count);
  });

  test('lets an event without the property pass a filter that lists the empty value', () => {
    const { days } = fold([logged({ properties: {} })], { ...CALLS, filter: { region: ['', 'eu'] } });
    expect(days).toHaveLength(1);
  });

  test('uses the revision that each event was accepted under, whatever the meters are now', () => {
    const revisions = new Map<number, MeterRevision>([
      [1, { revision: 1, meters: [CALLS] }],
      [2, { revision: 2, meters: [CALLS, TOKENS] }],
    ]);
    const { days } = foldEvents(PROJECT, [logged(), logged({ id: 'order-2', meterRevision: 2 })], revisions);
    expect(days[0]?.readings.map(({ meter }) => meter)).toEqual(['calls', 'calls', 'tokens']);
  });

  test('sets aside, with a reason, an event whose revision is missing or that nothing counts', () => {
    const { days, unfoldable } = fold([logged({ meterRevision: 9 }), logged({ type: 'other' }), logged()], CALLS);
    expect(days[0]?.readings).toHaveLength(1);
    expect(unfoldable.map(({ detail }) => detail)).toEqual([
      'Meter revision 9 does not exist.',
      'No meter of revision 1 counts events of type other with these properties.',
    ]);
  });
});
