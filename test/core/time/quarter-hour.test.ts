import { expect, test } from 'vitest';
import { parseInstant } from '../../../core/time/instant.ts';
import { isQuarterHour, startOfQuarterHour } from '../../../core/time/quarter-hour.ts';

test.each([
  ['2026-11-21T10:17:33Z', '2026-11-21T10:15:00.000Z'],
  ['2026-11-21T10:15:00Z', '2026-11-21T10:15:00.000Z'],
  ['2026-11-21T10:14:59.999Z', '2026-11-21T10:00:00.000Z'],
  ['2026-11-21T10:17:33+05:30', '2026-11-21T04:45:00.000Z'], // Kolkata: 10:15 there
  ['2026-11-21T10:17:33+05:45', '2026-11-21T04:30:00.000Z'], // Kathmandu: 10:15 there
])('a change made at %s takes effect at %s', (now, effect) => {
  expect(startOfQuarterHour(parseInstant(now))).toBe(effect);
});

test('a quarter hour is one to the millisecond', () => {
  expect(isQuarterHour(parseInstant('2026-11-21T10:45:00Z'))).toBe(true);
  expect(isQuarterHour(parseInstant('2026-11-21T10:45:00.001Z'))).toBe(false);
});
