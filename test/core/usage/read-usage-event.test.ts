import { describe, expect, test } from 'vitest';
import type { Meter } from '../../../core/catalog/meter.ts';
import { checkBirth } from '../../../core/usage/check-birth.ts';
import { isRejection, readUsageEvent } from '../../../core/usage/read-usage-event.ts';
import type { ReadEvent, Rejection } from '../../../core/usage/usage-event.ts';
import { CALLS, NOW_MILLIS, TOKENS } from '../../support/usage-fixtures.ts';

const LEVEL: Meter = { key: 'level', eventType: 'disk', aggregation: 'latest', value: 'gb', dimensions: [] };
const EU_ONLY: Meter = { ...CALLS, key: 'eu', eventType: 'eu', filter: { region: ['eu', 'de'], kind: ['a'] } };
const ODD: Meter = { key: 'odd', eventType: 'odd', aggregation: 'sum', value: 'toString', dimensions: ['constructor'] };

const context = {
  nowMillis: NOW_MILLIS,
  metersByType: new Map([
    ['call', [CALLS, TOKENS]],
    ['disk', [LEVEL]],
    ['eu', [EU_ONLY]],
    ['odd', [ODD]],
  ]),
  openBackfills: new Set(['backfill:march']),
};

const GOOD = {
  id: 'order-1',
  type: 'call',
  customer: 'ada',
  time: '2026-11-21T02:59:00Z',
  properties: { region: 'eu', tokens: '1.5' },
};

const MINUTE = 60_000;
const DAY = 86_400_000;
const isoAt = (millis: number) => new Date(millis).toISOString();

function read(change: Record<string, unknown>, index = 3): ReadEvent | Rejection {
  return readUsageEvent({ ...GOOD, ...change }, index, context);
}
function accepted(change: Record<string, unknown>): ReadEvent {
  const result = read(change);
  if (isRejection(result)) throw new Error(`refused: ${result.detail}`);
  return result;
}
function refused(change: Record<string, unknown>): Rejection {
  const result = read(change);
  if (!isRejection(result)) throw new Error('accepted');
  return result;
}
/** A UUIDv7 born at that millisecond. */
function uuidBornAt(millis: number): string {
  const hex = millis.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}

describe('an event that is accepted', () => {
  test('comes out with every field as it counts', () => {
    expect(read({ source: 'web' })).toEqual({
      event: {
        index: 3,
        id: 'order-1',
        type: 'call',
        customer: 'ada',
        source: 'web',
        properties: { region: 'eu', tokens: '1.5' },
      },
      occurredAtMicros: 1_795_229_940_000_000,
      bornMillis: null,
      warnings: [],
    });
  });

  test('brings its born time in its id', () => {
    expect(accepted({ id: uuidBornAt(NOW_MILLIS) }).bornMillis).toBe(1_795_230_000_000);
  });

  test.each([
    [5, '5'],
    [0.1, '0.1'],
    [-0, '0'],
    [1e-7, '0.0000001'],
    [1e21, '1000000000000000000000'],
    [123_456_789_012_345, '123456789012345'],
    [true, 'true'],
    [false, 'false'],
    ['', ''],
    ['9007199254740993', '9007199254740993'],
  ])('keeps a property %j as the text %j', (value, text) => {
    expect(accepted({ properties: { tokens: 1, note: value } }).event.properties.note).toBe(text);
  });

  test('loses properties that are null, and nothing else', () => {
    expect(accepted({ properties: { tokens: 1, region: null } }).event.properties).toEqual({ tokens: '1' });
  });

  test('keeps a property whose name is a part of every object', () => {
    const raw = JSON.parse('{"tokens":"1","__proto__":"p","constructor":"c"}');
    const { properties } = accepted({ properties: raw }).event;
    expect(Object.entries(properties)).toEqual([
      ['tokens', '1'],
      ['__proto__', 'p'],
      ['constructor', 'c'],
    ]);
    expect(JSON.stringify(properties)).toBe('{"tokens":"1","__proto__":"p","constructor":"c"}');
  });

  test.each([[{ time: undefined }], [{ time: null }]])('may come without a time, with a word about it', (change) => {
    const { occurredAtMicros, warnings } = accepted(change);
    expect(occurredAtMicros).toBeNull();
    expect(warnings).toEqual([
      {
        index: 3,
        code: 'time_derived',
        detail: 'Event 3 has no time; the time of its id, or of its first arrival, counts.',
      },
    ]);
  });

  test.each([
    [{ source: undefined }, ''],
    [{ source: '' }, ''],
    [{ source: null }, ''],
    [{ source: 'x'.repeat(255) }, 'x'.repeat(255)],
    [{ source: 'backfill:march' }, 'backfill:march'],
  ])('may have a source or none', (change, source) => {
    expect(accepted(change).event.source).toBe(source);
  });

  test.each([
    ['id', '🚀'.repeat(255)],
    ['customer', 'x'.repeat(255)],
    ['customer', 'é'.repeat(255)],
  ])('may have an %s of 255 characters', (field, text) => {
    expect(accepted({ [field]: text }).event).toMatchObject({ [field]: text });
  });

  test('may have 50 properties, names of 64 characters and values of 1,000, whatever the alphabet', () => {
    const fifty = Object.fromEntries(Array.from({ length: 48 }, (_, i) => [`p${i}`, i]));
    const properties = { ...fifty, tokens: 1, ['🔑'.repeat(64)]: '🚀'.repeat(1000) };
    expect(Object.keys(accepted({ properties }).event.properties)).toHaveLength(50);
  });

  test('is accepted with a warning that names the meter that cannot count it', () => {
    expect(accepted({ properties: { region: 'eu' } }).warnings).toEqual([
      {
        index: 3,
        code: 'meter_cannot_count',
        detail:
          'Event 3 is accepted, but meter tokens cannot count it: properties.tokens is nothing; expected a number for meter tokens (sum of tokens).',
      },
    ]);
    expect(accepted({ properties: { tokens: 'many' } }).warnings).toEqual([
      {
        index: 3,
        code: 'meter_cannot_count',
        detail:
          'Event 3 is accepted, but meter tokens cannot count it: properties.tokens is "many"; expected a number for meter tokens (sum of tokens) in plain notation, with at most 26 integer digits and 12 decimal places.',
      },
    ]);
  });

  test.each([
    ['eu', 'a'],
    ['de', 'a'],
  ])('passes a filter when every property named there has one of its values', (region, kind) => {
    expect(accepted({ type: 'eu', properties: { region, kind } }).event.type).toBe('eu');
  });
});

interface Row {
  readonly name: string;
  readonly change: Record<string, unknown>;
  readonly code: string;
  readonly status: number;
  readonly detail: string;
}

const SMALL_PRINT =
  'at most 50 properties, names of 1 to 64 characters, values that are texts of at most 1000 characters, numbers or booleans, and no control characters. Flatten objects and lists into properties of their own.';
const ROWS: readonly Row[] = [
  {
    name: 'without an id',
    change: { id: undefined },
    code: 'id_missing',
    status: 422,
    detail:
      'Event 3: id is nothing; expected a text of 1 to 255 characters. Give every event an id of its own and send the same id again when you retry; UUIDv7 is best.',
  },
  {
    name: 'with an empty id',
    change: { id: '' },
    code: 'id_missing',
    status: 422,
    detail:
      'Event 3: id is ""; expected a text of 1 to 255 characters. Give every event an id of its own and send the same id again when you retry; UUIDv7 is best.',
  },
  {
    name: 'with a number for an id',
    change: { id: 7 },
    code: 'id_invalid',
    status: 422,
    detail:
      'Event 3: id is 7; expected a text of 1 to 255 characters without control characters. Give every event an id of its own and send the same id again when you retry; UUIDv7 is best.',
  },
  {
    name: 'without a customer',
    change: { customer: null },
    code: 'customer_missing',
    status: 422,
    detail:
      'Event 3: customer is null; expected a text of 1 to 255 characters. Name the customer by your own id for it.',
  },
  {
    name: 'with a list of customers',
    change: { customer: ['ada'] },
    code: 'customer_invalid',
    status: 422,
    detail:
      'Event 3: customer is ["ada"]; expected a text of 1 to 255 characters without control characters. Name the customer by your own id for it.',
  },
  {
    name: 'without a type',
    change: { type: '' },
    code: 'type_missing',
    status: 422,
    detail: 'Event 3: type is ""; expected a text of 1 to 255 characters. Name what happened, such as "api_call".',
  },
  {
    name: 'with a type that is no text',
    change: { type: true },
    code: 'type_invalid',
    status: 422,
    detail:
      'Event 3: type is true; expected a text of 1 to 255 characters without control characters. Name what happened, such as "api_call".',
  },
  {
    name: 'of a type that no meter counts',
    change: { type: 'unheard' },
    code: 'event_type_unknown',
    status: 422,
    detail:
      'Event 3: type is "unheard"; expected an event type that at least one meter of this project counts. Create a meter for it with POST /v1/meters, or correct the type.',
  },
  {
    name: 'with a source that is no text',
    change: { source: 5 },
    code: 'source_invalid',
    status: 422,
    detail:
      'Event 3: source is 5; expected a text of at most 255 characters without control characters, or no source. A source says where the id is unique; leave it out if ids are unique everywhere.',
  },
  {
    name: 'of a backfill that is not open',
    change: { source: 'backfill:april' },
    code: 'backfill_not_open',
    status: 422,
    detail:
      'Event 3: source is "backfill:april"; expected the source of a backfill that is open in this project. Open it first with POST /v1/backfills.',
  },
  {
    name: 'with a time that is none',
    change: { time: 'now' },
    code: 'time_invalid',
    status: 422,
    detail:
      'Event 3: time is "now"; expected an RFC 3339 time from 1970 on, such as "2026-11-21T03:00:00.000Z". Send the time with Z or an offset, or leave it out to use the time in the id.',
  },
  {
    name: 'with a time as a number',
    change: { time: 1_795_230_000 },
    code: 'time_invalid',
    status: 422,
    detail:
      'Event 3: time is 1795230000; expected an RFC 3339 time from 1970 on, such as "2026-11-21T03:00:00.000Z". Send the time with Z or an offset, or leave it out to use the time in the id.',
  },
  {
    name: 'whose time is ahead',
    change: { time: '2026-11-21T03:05:00.001Z' },
    code: 'time_in_future',
    status: 422,
    detail:
      'Event 3: time is "2026-11-21T03:05:00.001Z"; expected a time at most 5 minutes ahead. Correct the clock of the sender.',
  },
  {
    name: 'that happened too long ago',
    change: { time: '2026-10-17T02:59:59.999999Z' },
    code: 'event_too_old',
    status: 422,
    detail:
      'Event 3: time is "2026-10-17T02:59:59.999999Z"; expected a time within the last 35 days. Open a backfill with POST /v1/backfills and send the event with its source.',
  },
  {
    name: 'whose id was born too long ago',
    change: { id: '017f22e2-79b0-7cc3-98c4-dc0c0c07398f' },
    code: 'id_too_old',
    status: 422,
    detail:
      'Event 3: id is "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"; expected an id born within the last 35 days. Older ids can no longer be told from duplicates; open a backfill with POST /v1/backfills and send the event with its source.',
  },
  {
    name: 'whose id is born in the future',
    change: { id: '7ZZZZZZZZZZZZZZZZZZZZZZZZZ' },
    code: 'id_in_future',
    status: 422,
    detail:
      'Event 3: id is "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"; expected an id whose time is at most 5 minutes ahead. Correct the clock that makes the ids, or use ids that are neither UUIDv7 nor ULID.',
  },
  {
    name: 'whose properties are a list',
    change: { properties: [1] },
    code: 'properties_invalid',
    status: 400,
    detail:
      'Event 3: properties is [1]; expected an object of texts, numbers and booleans. Send {} or leave it out when there are none.',
  },
  {
    name: 'whose properties are a text',
    change: { properties: 'a=b' },
    code: 'properties_invalid',
    status: 400,
    detail:
      'Event 3: properties is "a=b"; expected an object of texts, numbers and booleans. Send {} or leave it out when there are none.',
  },
  {
    name: 'with an object inside its properties',
    change: { properties: { size: { x: 1 } } },
    code: 'property_invalid',
    status: 422,
    detail: `Event 3: properties.size is {"x":1}; expected ${SMALL_PRINT}`,
  },
  {
    name: 'with a field that does not exist',
    change: { timestamp: 'x' },
    code: 'field_unknown',
    status: 400,
    detail:
      'Event 3: timestamp is "x"; expected only id, type, customer, source, time and properties. Move values of your own into properties.',
  },
  {
    name: 'without the value of its only meter',
    change: { type: 'disk', properties: {} },
    code: 'value_missing',
    status: 422,
    detail:
      'Event 3: properties.gb is nothing; expected a number for meter level (latest of gb). Send the value, as a decimal string to keep every digit.',
  },
  {
    name: 'whose value is no number',
    change: { type: 'disk', properties: { gb: '1e3' } },
    code: 'value_not_a_number',
    status: 422,
    detail:
      'Event 3: properties.gb is "1e3"; expected a number for meter level (latest of gb) in plain notation, with at most 26 integer digits and 12 decimal places. Send a decimal string such as "12.5".',
  },
  {
    name: 'without a value whose name is a part of every object',
    change: { type: 'odd', properties: {} },
    code: 'value_missing',
    status: 422,
    detail:
      'Event 3: properties.toString is nothing; expected a number for meter odd (sum of toString). Send the value, as a decimal string to keep every digit.',
  },
  {
    name: 'that passes the filter of no meter',
    change: { type: 'eu', properties: { region: 'eu' } },
    code: 'no_meter_matches',
    status: 422,
    detail:
      'Event 3: properties is {"region":"eu"}; expected properties that pass the filter of at least one of the meters eu. Correct the properties, or widen the filter of a meter.',
  },
];

describe('an event that is refused', () => {
  test.each(ROWS)('$name says what was got, what was expected and what to do', ({ change, code, status, detail }) => {
    const rejection = refused(change);
    expect(rejection).toMatchObject({ index: 3, code, status, detail });
    expect(rejection.detail).toBe(
      `Event 3: ${rejection.field} is ${rejection.got}; expected ${rejection.expected}. ${detail.slice(detail.indexOf(rejection.expected) + rejection.expected.length + 2)}`,
    );
  });

  test.each([[null], [undefined], [5], ['text'], [true], [[]], [[GOOD]]])('is %j, which is no object', (raw) => {
    expect(readUsageEvent(raw, 0, context)).toMatchObject({
      index: 0,
      code: 'event_not_an_object',
      status: 400,
      field: 'event',
      expected: 'a JSON object with id, type, customer, time and properties',
    });
  });

  test('is named by its id when it has a readable one', () => {
    expect(refused({ customer: '' }).id).toBe('order-1');
    expect(refused({ id: 5 })).not.toHaveProperty('id');
    expect(refused({ id: 'x'.repeat(256) })).not.toHaveProperty('id');
  });

  test('is shown with at most 80 characters of what was got', () => {
    expect(refused({ id: 'x'.repeat(256) }).got).toBe(`"${'x'.repeat(76)}...`);
  });

  test.each([
    ['id', 'x'.repeat(256), 'id_invalid'],
    ['customer', '🚀'.repeat(256), 'customer_invalid'],
    ['type', 'x'.repeat(256), 'type_invalid'],
    ['source', 'x'.repeat(256), 'source_invalid'],
    ['id', 'a\u0000b', 'id_invalid'],
    ['customer', 'a\nb', 'customer_invalid'],
    ['customer', '\ud800', 'customer_invalid'],
    // SQS takes no message with these two in it
    ['customer', 'a\ufffe', 'customer_invalid'],
    ['id', 'a\uffff', 'id_invalid'],
  ])('has a %s beyond its limits: %j', (field, text, code) => {
    expect(refused({ [field]: text }).code).toBe(code);
  });

  test.each([
    ['51 properties', Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`p${i}`, i]))],
    ['a name of 65 characters', { tokens: 1, ['k'.repeat(65)]: 1 }],
    ['a name of 65 characters, its value null', { tokens: 1, ['k'.repeat(65)]: null }],
    ['a value of 1,001 characters', { tokens: 1, note: 'v'.repeat(1001) }],
    ['a value of 1,001 characters of two units each', { tokens: 1, note: '🚀'.repeat(1001) }],
    ['an empty name', { tokens: 1, '': 1 }],
    ['a control character in a name', { tokens: 1, 'a\tb': 1 }],
    ['a control character in a value', { tokens: 1, note: 'a\u0007' }],
    ['half a surrogate pair', { tokens: 1, note: '\udc00' }],
    ['a character that SQS does not take', { tokens: 1, note: '\uffff' }],
    ['a number that JSON does not have', { tokens: Number.NaN }],
    ['a list', { tokens: 1, note: [1] }],
  ])('has %s', (_name, properties) => {
    expect(refused({ properties })).toMatchObject({ code: 'property_invalid', status: 422 });
  });

  test.each([
    ['26 integer digits', '9'.repeat(26), true],
    ['27 integer digits', '9'.repeat(27), false],
    ['12 decimal places', '0.000000000001', true],
    ['13 decimal places', '0.0000000000001', false],
    ['a minus', '-3', true],
    ['a plus', '+3', false],
    ['a leading zero', '03', false],
    ['a space', '3 ', false],
    ['nothing', '', false],
    ['hex', '0x10', false],
    ['a boolean', true, false],
  ])('or accepted by the form of its value: %s', (_name, gb, ok) => {
    expect(isRejection(read({ type: 'disk', properties: { gb } }))).toBe(!ok);
  });
});

describe('the edges of time', () => {
  test('an event may be 5 minutes ahead, and no microsecond more', () => {
    expect(accepted({ time: '2026-11-21T03:05:00Z' }).occurredAtMicros).toBe(1_795_230_300_000_000);
    expect(refused({ time: '2026-11-21T03:05:00.000001Z' }).code).toBe('time_in_future');
  });

  test('an event may be 35 days old, and no microsecond more', () => {
    // 2026-11-21 less 35 days is 2026-10-17
    expect(accepted({ time: '2026-10-17T03:00:00Z' }).occurredAtMicros).toBe(1_792_206_000_000_000);
    expect(refused({ time: '2026-10-17T02:59:59.999999Z' }).code).toBe('event_too_old');
  });

  test('an open backfill lifts the age of the event, and only that', () => {
    const old = { time: '2023-11-16T18:15:46.680590Z', source: 'backfill:march' };
    expect(accepted(old).occurredAtMicros).toBe(1_700_158_546_680_590);
    expect(refused({ ...old, source: 'web' }).code).toBe('event_too_old');
    expect(refused({ ...old, time: '2026-11-21T03:05:00.001Z' }).code).toBe('time_in_future');
    expect(refused({ ...old, time: '1969-12-31T23:59:59Z' }).code).toBe('time_invalid');
  });

  test('an id may be 5 minutes ahead, and no millisecond more', () => {
    expect(accepted({ id: uuidBornAt(NOW_MILLIS + 5 * MINUTE) }).bornMillis).toBe(NOW_MILLIS + 5 * MINUTE);
    expect(refused({ id: uuidBornAt(NOW_MILLIS + 5 * MINUTE + 1) }).code).toBe('id_in_future');
  });

  test('an id is taken until 35 days after the end of its born hour', () => {
    // now is 03:00:00.000 exactly: ids of the hour that ended 35 days ago, 02:00 to 03:00, are just taken
    const edge = NOW_MILLIS - 35 * DAY - 60 * MINUTE;
    expect(accepted({ id: uuidBornAt(edge) }).bornMillis).toBe(edge);
    expect(refused({ id: uuidBornAt(edge - 1) }).code).toBe('id_too_old');
  });

  test('a claimed birth is held to the same window', () => {
    const edge = NOW_MILLIS - 35 * DAY - 60 * MINUTE;
    expect(checkBirth(accepted({}), edge, context)).toEqual([]);
    expect(checkBirth(accepted({}), edge - 1, context)).toMatchObject({ index: 3, code: 'id_too_old' });
  });

  test('a time from an id in the last hour of the window is not measured a second time', () => {
    const edge = NOW_MILLIS - 35 * DAY - 60 * MINUTE;
    expect(accepted({ id: uuidBornAt(edge), time: undefined }).occurredAtMicros).toBeNull();
    expect(isoAt(edge)).toBe('2026-10-17T02:00:00.000Z');
  });
});
