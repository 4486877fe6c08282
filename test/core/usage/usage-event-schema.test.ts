import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import type { Meter } from '../../../core/catalog/meter.ts';
import { isRejection, readUsageEvent } from '../../../core/usage/read-usage-event.ts';
import { usageEventSchema } from '../../../core/usage/usage-event-schema.ts';

/** Counts every type, has every backfill open, and lives so late that no time lies ahead: only the form is left to judge. */
const COUNT: Meter = { key: 'all', eventType: 'any', aggregation: 'count', dimensions: [] };
const context = {
  nowMillis: Date.UTC(2199, 11, 31, 23, 59, 59),
  metersByType: { get: (type: string) => [{ ...COUNT, eventType: type }] } as unknown as ReadonlyMap<
    string,
    readonly Meter[]
  >,
  openBackfills: { has: () => true } as unknown as ReadonlySet<string>,
};
/** Refusals that are not about form: an arbitrary text may happen to be an id with a time of its own, or lie beyond 2199. */
const NOT_FORM = new Set(['id_too_old', 'id_in_future', 'time_in_future']);

function verdicts(raw: unknown): { reader: boolean; schema: boolean } | null {
  const result = readUsageEvent(raw, 0, context);
  if (isRejection(result) && NOT_FORM.has(result.code)) return null;
  return { reader: !isRejection(result), schema: usageEventSchema.safeParse(raw).success };
}

const oddText = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: 'grapheme', maxLength: 20 }) },
  fc.string({ unit: 'binary', maxLength: 5 }),
  fc.constantFrom(
    '',
    '\u0000',
    'a\nb',
    '\ud800',
    '\ufffe',
    'x\uffff',
    '__proto__',
    'constructor',
    'backfill:a',
    '\u0085',
  ),
  fc
    .tuple(fc.constantFrom('x', '🚀', 'é', '"', '\u2028'), fc.constantFrom(63, 64, 65, 254, 255, 256, 999, 1000, 1001))
    .map(([sign, count]) => sign.repeat(count)),
);
const two = (max: number) => fc.integer({ min: 0, max }).map((n) => String(n).padStart(2, '0'));
const time = fc
  .record({
    year: fc
      .oneof(fc.integer({ min: 1968, max: 2150 }), fc.integer({ min: 0, max: 2198 }))
      .map((n) => String(n).padStart(4, '0')),
    month: two(13),
    day: two(32),
    separator: fc.constantFrom('T', 't', ' ', '_'),
    hour: two(24),
    minute: two(60),
    second: two(60),
    fraction: fc.constantFrom('', '.', '.5', '.123456', '.123456789', '.1234567890', ',5'),
    zone: fc.constantFrom('Z', 'z', '', '+00:00', '-00:00', '+05:30', '-12:00', '+23:59', '+24:00', '+0530', '+05:60'),
  })
  .map((t) => `${t.year}-${t.month}-${t.day}${t.separator}${t.hour}:${t.minute}:${t.second}${t.fraction}${t.zone}`);
const goodTime = fc
  .date({ min: new Date(0), max: new Date(7_000_000_000_000), noInvalidDate: true })
  .map((at) => at.toISOString());
const anything = fc.oneof(
  oddText,
  time,
  fc.double(),
  fc.integer(),
  fc.boolean(),
  fc.constantFrom(null, undefined, [], {}, [1], { a: 1 }),
);
const properties = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.array(fc.tuple(oddText, anything), { maxLength: 6 }).map((entries) => Object.fromEntries(entries)),
  },
  fc.constantFrom(49, 50, 51).map((count) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`p${i}`, i]))),
  fc
    .constantFrom('{"__proto__":"p"}', '{"__proto__":[1]}', '{"__proto__":null}', '{"constructor":{}}')
    .map((text) => JSON.parse(text)),
  anything,
);
const event = fc.record(
  {
    id: fc.oneof({ weight: 9, arbitrary: fc.constant('order-1') }, anything),
    type: fc.oneof({ weight: 9, arbitrary: fc.constant('call') }, anything),
    customer: fc.oneof({ weight: 9, arbitrary: fc.constant('ada') }, anything),
    source: fc.oneof({ weight: 9, arbitrary: fc.constant('web') }, anything),
    time: fc.oneof({ weight: 9, arbitrary: goodTime }, time, anything),
    properties,
  },
  { requiredKeys: ['id', 'type', 'customer'] },
);
const extended = fc.tuple(event, fc.constantFrom('extra', '__proto__', 'Id'), anything).map(([good, field, value]) => ({
  ...good,
  ...JSON.parse(JSON.stringify({ [field]: value ?? null })),
}));

describe('the hand-written reader and the documented schema', () => {
  test('accept and refuse the same events', () => {
    let accepted = 0;
    let refused = 0;
    fc.assert(
      fc.property(fc.oneof({ weight: 20, arbitrary: event }, extended, anything), (raw) => {
        const found = verdicts(raw);
        if (found === null) return;
        if (found.reader) accepted += 1;
        else refused += 1;
        expect(found.reader).toBe(found.schema);
      }),
      { numRuns: 4000 },
    );
    // a property that only ever saw one side would prove nothing
    expect(Math.min(accepted, refused)).toBeGreaterThan(200);
  });

  test('agree on times, good and bad', () => {
    let accepted = 0;
    fc.assert(
      fc.property(time, (text) => {
        const found = verdicts({ id: 'order-1', type: 'call', customer: 'ada', time: text });
        if (found === null) return;
        if (found.reader) accepted += 1;
        expect(found.reader).toBe(found.schema);
      }),
      { numRuns: 4000 },
    );
    expect(accepted).toBeGreaterThan(200);
  });

  test('agree on properties, good and bad', () => {
    let accepted = 0;
    fc.assert(
      fc.property(properties, (value) => {
        const found = verdicts({ id: 'order-1', type: 'call', customer: 'ada', properties: value });
        if (found?.reader === true) accepted += 1;
        expect(found?.reader).toBe(found?.schema);
      }),
      { numRuns: 3000 },
    );
    expect(accepted).toBeGreaterThan(200);
  });

  test('the schema becomes a JSON schema that tells every limit', () => {
    const json = z.toJSONSchema(usageEventSchema, { io: 'input' });
    expect(json).toMatchObject({
      type: 'object',
      additionalProperties: false,
      required: ['id', 'type', 'customer'],
      properties: {
        id: { type: 'string', pattern: '^[^\\p{Cc}\\p{Cs}\\uFFFE\\uFFFF]{1,255}$' },
        properties: {
          anyOf: [
            {
              type: 'object',
              maxProperties: 50,
              propertyNames: { pattern: '^[^\\p{Cc}\\p{Cs}\\uFFFE\\uFFFF]{1,64}$' },
            },
            { type: 'null' },
          ],
        },
      },
    });
  });
});
