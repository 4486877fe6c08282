import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  earlierOf,
  instantFromMillis,
  isInstantText,
  laterOf,
  microsOf,
  millisOf,
  parseInstant,
} from '../../../core/time/instant.ts';
import { instantSchema } from '../../../core/time/instant-schema.ts';

test.each([
  ['2026-11-21T03:00:00Z', '2026-11-21T03:00:00.000Z'],
  ['2026-11-21t03:00:00z', '2026-11-21T03:00:00.000Z'],
  ['2026-11-21T03:00:00.1Z', '2026-11-21T03:00:00.100Z'],
  ['2026-11-21T03:00:00.123999999Z', '2026-11-21T03:00:00.123Z'],
  ['2026-11-21T03:00:00+05:45', '2026-11-20T21:15:00.000Z'],
  ['2026-11-21T03:00:00-05:00', '2026-11-21T08:00:00.000Z'],
  ['2028-02-29T23:59:59.999Z', '2028-02-29T23:59:59.999Z'],
  ['2000-02-29T00:00:00Z', '2000-02-29T00:00:00.000Z'],
  ['1970-01-01T00:00:00Z', '1970-01-01T00:00:00.000Z'],
  ['2199-12-31T23:59:59.999Z', '2199-12-31T23:59:59.999Z'],
])('%s is the instant %s', (text, instant) => {
  expect(parseInstant(text)).toBe(instant);
});

test.each([
  '',
  '2026-11-21',
  '2026-11-21T03:00Z',
  '2026-11-21T03:00:00',
  '2026-11-21 03:00:00Z',
  '2026-11-21T03:00:00.Z',
  '2026-11-21T24:00:00Z',
  '2026-11-21T03:60:00Z',
  '2026-11-21T03:00:60Z',
  '2026-13-01T00:00:00Z',
  '2026-00-01T00:00:00Z',
  '2026-11-00T00:00:00Z',
  '2026-11-31T00:00:00Z',
  '2026-01-32T00:00:00Z',
  '2026-04-31T00:00:00Z',
  '2026-06-31T00:00:00Z',
  '2026-09-31T00:00:00Z',
  '2027-02-29T00:00:00Z',
  '2100-02-29T00:00:00Z',
  '0070-01-01T00:00:00Z',
  '1969-12-31T23:59:59Z',
  '1970-01-01T00:00:00+00:01',
  '2200-01-01T00:00:00Z',
  '2026-11-21T03:00:00+24:00',
  ' 2026-11-21T03:00:00Z',
  'on 2026-11-21T03:00:00Z',
  '2026-11-21T03:00:00Z ',
  '2026-11-21T03:00:00Z and later',
])('%j is refused', (text) => {
  expect(() => parseInstant(text)).toThrow(expect.objectContaining({ kind: 'invalid', code: 'instant_invalid' }));
  expect(isInstantText(text)).toBe(false);
});

test('milliseconds and microseconds count from 1970', () => {
  const instant = parseInstant('2001-09-09T01:46:40.123Z');
  expect(millisOf(instant)).toBe(1_000_000_000_123);
  expect(microsOf(instant)).toBe(1_000_000_000_123_000);
  expect(instantFromMillis(1_000_000_000_123)).toBe(instant);
  expect(instantFromMillis(0)).toBe('1970-01-01T00:00:00.000Z');
});

test('a refusal shows at most 64 characters of what was got', () => {
  expect(() => parseInstant('yesterday')).toThrow(
    'Got time "yesterday"; expected RFC 3339 such as "2026-11-21T03:00:00Z", from 1970 to 2199.',
  );
  expect(() => parseInstant('x'.repeat(65))).toThrow(`Got time "${'x'.repeat(64)}"; expected`);
  expect(() => instantFromMillis(-1)).toThrow('Got -1 ms since 1970; expected a whole number from 1970 to 2199.');
});

test.each([-1, 0.5, Number.NaN, 7_258_118_400_000])('%d milliseconds are no instant', (millis) => {
  expect(() => instantFromMillis(millis)).toThrow(expect.objectContaining({ code: 'instant_invalid' }));
});

test('every millisecond has one spelling, the one JavaScript writes, and instants sort as text', () => {
  const millis = fc.integer({ min: 0, max: 7_258_118_399_999 });
  fc.assert(
    fc.property(millis, (ms) => {
      const instant = instantFromMillis(ms);
      return instant === new Date(ms).toISOString() && millisOf(instant) === ms && parseInstant(instant) === instant;
    }),
  );
  fc.assert(fc.property(millis, millis, (a, b) => a < b === instantFromMillis(a) < instantFromMillis(b)));
});

test('the ends of February are right in every year', () => {
  for (let year = 1970; year < 2200; year++) {
    const march = Date.UTC(year, 2, 1);
    expect(instantFromMillis(march)).toBe(`${year}-03-01T00:00:00.000Z`);
    expect(instantFromMillis(march - 1)).toBe(new Date(march - 1).toISOString());
  }
});

test('of two instants the earlier and the later one are told apart', () => {
  const [early, late] = [parseInstant('2026-01-01T00:00:00Z'), parseInstant('2026-01-01T00:00:00.001Z')];
  expect([earlierOf(early, late), earlierOf(late, early), laterOf(early, late), laterOf(late, early)]).toEqual([
    early,
    early,
    late,
    late,
  ]);
});

test('a stored instant has to be in its one spelling', () => {
  expect(instantSchema.safeParse('2026-11-21T03:00:00.000Z').success).toBe(true);
  for (const text of [
    ' 2026-11-21T03:00:00.000Z',
    '2026-11-21T03:00:00.000Z ',
    '2026-11-21T03:00:00Z',
    '2026-11-21T04:00:00.000+01:00',
    '2026-02-30T00:00:00.000Z',
  ]) {
    expect(instantSchema.safeParse(text).success).toBe(false);
  }
});
