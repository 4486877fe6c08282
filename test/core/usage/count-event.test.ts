import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Meter } from '../../../core/catalog/meter.ts';
import { parseInstant } from '../../../core/time/instant.ts';
import type { LoggedEvent } from '../../../core/usage/chunk.ts';
import { countEvent } from '../../../core/usage/count-event.ts';
import { foldEvents } from '../../../core/usage/fold.ts';
import { isRejection, readUsageEvent } from '../../../core/usage/read-usage-event.ts';
import { logged, NOW_MILLIS, PROJECT } from '../../support/usage-fixtures.ts';

const base = { eventType: 'call', dimensions: [] } as const;
/** Midnight before the fixtures' now, 2026-11-21T03:00:00Z. */
const MIDNIGHT = parseInstant('2026-11-21T00:00:00Z');
const METERS: readonly Meter[] = [
  { ...base, key: 'plain', aggregation: 'sum', value: 'a' },
  { ...base, key: 'sum', aggregation: 'sum', value: { expression: 'a + 4 * b' } },
  { ...base, key: 'ratio', aggregation: 'max', value: { expression: 'round(a / b, 2)' } },
  { ...base, key: 'eu', aggregation: 'sum', value: { expression: 'greatest(a, 60)' }, filter: { region: ['eu'] } },
  {
    ...base,
    key: 'site',
    aggregation: 'count',
    dimensions: ['region', 'site'],
    dimensionExpressions: { site: "concat(region, '/', floor(b / 10))" },
  },
  {
    key: 'changed',
    aggregation: 'sum',
    eventType: 'call',
    value: { expression: 'a * 2' },
    dimensions: ['region'],
    effectiveAt: MIDNIGHT,
    earlier: [{ eventType: 'old', value: 'b', dimensions: [] }],
  },
];
/** The same, and others that count their values in their own ways. */
const ALL_METERS: readonly Meter[] = [
  ...METERS,
  { ...base, key: 'texts', aggregation: 'unique_count', value: 'a' },
  { ...base, key: 'pairs', aggregation: 'unique_count', value: { expression: "concat(a, '/', region)" } },
  { ...base, key: 'mean', aggregation: 'average', value: 'a' },
  { ...base, key: 'held', aggregation: 'time_weighted_sum', value: { expression: 'a / 2' } },
];
const REVISIONS = new Map([
  [1, { revision: 1, meters: METERS }],
  [2, { revision: 2, meters: ALL_METERS }],
]);

const read = (event: LoggedEvent, meters: readonly Meter[] = METERS) =>
  readUsageEvent(
    {
      id: event.id,
      type: event.type,
      customer: event.customer,
      properties: event.properties,
      time: new Date(event.occurredAtMicros / 1000).toISOString(),
    },
    0,
    { nowMillis: NOW_MILLIS, metersByType: new Map([[event.type, meters]]), openBackfills: new Set() },
  );
const readings = (event: LoggedEvent) => foldEvents(PROJECT, [event], REVISIONS).days.flatMap((day) => day.readings);
const counts = (event: LoggedEvent) => readings(event).map(({ meter, value }) => `${meter} ${value}`);

describe('what a unique count counts', () => {
  const meter: Meter = { ...base, key: 'users', aggregation: 'unique_count', value: 'user' };
  const pairs: Meter = { ...meter, value: { expression: "concat(user, '/', region)" } };
  const double: Meter = { ...meter, value: { expression: 'user * 2' } };

  test('is any text that is not empty', () => {
    expect(countEvent(meter, meter, { user: 'Ada 1.50' })).toEqual({ value: 'Ada 1.50', dimensionKey: '[]' });
    for (const properties of [{}, { user: '' }])
      expect(countEvent(meter, meter, properties)).toMatchObject({ code: 'value_missing', property: 'user' });
  });

  test('may be computed, from properties that are all there', () => {
    expect(countEvent(pairs, pairs, { user: 'ada', region: 'eu' })).toMatchObject({ value: 'ada/eu' });
    expect(countEvent(pairs, pairs, { user: 'ada' })).toMatchObject({ code: 'value_missing', property: 'region' });
    expect(countEvent(double, double, { user: '1.5' })).toMatchObject({ value: '3' });
    expect(countEvent(double, double, { user: 'ada' })).toMatchObject({ code: 'value_not_a_number' });
  });

  test('is asked for as a text at the door', () => {
    const event = logged({ properties: { region: 'eu' } });
    expect(read(event, [meter])).toMatchObject({
      code: 'value_missing',
      field: 'properties.user',
      expected: 'a text that is not empty for meter users (unique_count of user)',
    });
  });
});

describe('the door and the fold', () => {
  /** Meters that filter nothing out. */
  const ALWAYS = ['plain', 'sum', 'ratio', 'texts', 'pairs', 'mean', 'held'];
  const number = fc.constantFrom('0', '1', '-2.5', '9'.repeat(26), '0.000000000001', 'eu', '', '1e3', '07');
  const properties = fc.record(
    { a: number, b: number, region: fc.constantFrom('eu', 'us', 'x'.repeat(999)) },
    { requiredKeys: [] },
  );
  const time = fc.constantFrom(-4, -3, -1, 0).map((hours) => (NOW_MILLIS + hours * 3_600_000) * 1000);

  test('agree on every event: accepted is counted, refused would not be, and warnings name what is not', () => {
    fc.assert(
      fc.property(properties, time, fc.constantFrom('call', 'old'), (given, occurredAtMicros, type) => {
        const event = logged({ type, occurredAtMicros, properties: given, meterRevision: 2 });
        const verdict = read(event, ALL_METERS);
        const counted = new Set(readings(event).map(({ meter }) => meter));
        if (isRejection(verdict)) {
          expect(counted.size).toBe(0);
          return;
        }
        expect(counted.size).toBeGreaterThan(0);
        for (const { key } of ALL_METERS) {
          const isWarned = verdict.warnings.some(({ detail }) => detail.includes(`meter ${key} cannot count it`));
          // one that neither counts nor warns has filtered the event out, or counts another type at that time
          if (isWarned) expect(counted.has(key)).toBe(false);
          else if (ALWAYS.includes(key)) expect(counted.has(key)).toBe(type === 'call');
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('counting an event', () => {
  test('computes values and dimensions', () => {
    const event = logged({ properties: { a: '10', b: '25', region: 'eu' } });
    expect(readings(event).map(({ meter, value, dimensionKey }) => [meter, value, dimensionKey])).toEqual([
      ['plain', '10', '[]'],
      // 10 + 4 x 25
      ['sum', '110', '[]'],
      ['ratio', '0.4', '[]'],
      ['eu', '60', '[]'],
      ['site', '1', '["eu","eu/2"]'],
      ['changed', '20', '["eu"]'],
    ]);
  });

  test('goes by the definition in force when the event occurred, to the microsecond', () => {
    const midnight = Date.UTC(2026, 10, 21) * 1000;
    const at = (occurredAtMicros: number, type: string) =>
      counts(logged({ type, occurredAtMicros, properties: { a: '3', b: '5' } })).filter((count) =>
        count.startsWith('changed'),
      );
    expect(at(midnight, 'call')).toEqual(['changed 6']);
    expect(at(midnight - 1, 'call')).toEqual([]);
    expect(at(midnight - 1, 'old')).toEqual(['changed 5']);
    expect(at(midnight, 'old')).toEqual([]);
  });

  test('an event that nobody can compute with is refused with the property at fault', () => {
    const only = (key: string) => METERS.filter((meter) => meter.key === key);
    expect(read(logged({ properties: { a: '1' } }), only('sum'))).toMatchObject({
      code: 'value_missing',
      field: 'properties.b',
    });
    expect(read(logged({ properties: { a: '1', b: 'many' } }), only('sum'))).toMatchObject({
      code: 'value_not_a_number',
      field: 'properties.b',
      got: '"many"',
    });
    expect(read(logged({ properties: { a: '1', b: '0' } }), only('ratio'))).toMatchObject({
      code: 'value_not_computable',
      detail: expect.stringContaining('a division by zero'),
    });
  });
});
