import { describe, expect, test } from 'vitest';
import { arrivals } from '../../bench/arrivals.ts';
import { medianOf } from '../../bench/median.ts';
import { readUnits } from '../../bench/memory-tables.ts';
import { CUSTOMERS_OF, randomOf, type Spread, shareOf, smallEvent, uuidV7 } from '../../bench/workload.ts';
import { bornMillisOf } from '../../core/usage/event-id.ts';

const MILLIS = Date.UTC(2026, 10, 21, 12);

describe('the workload', () => {
  test('is the same in every run, and its ids carry their time', () => {
    expect(uuidV7(MILLIS, randomOf(1))).toBe(uuidV7(MILLIS, randomOf(1)));
    expect(bornMillisOf('', uuidV7(MILLIS, randomOf(1)))).toBe(MILLIS);
    expect(bornMillisOf('', smallEvent({ millis: MILLIS, random: randomOf(1), ids: 'foreign' }).id)).toBe(null);
  });

  test('has events of 250 bytes on average, within five', () => {
    const random = randomOf(7);
    const sizes = Array.from(
      { length: 500 },
      () => JSON.stringify(smallEvent({ millis: MILLIS, random, ids: 'carried' })).length,
    );
    const average = sizes.reduce((sum, size) => sum + size, 0) / 500;
    expect(Math.abs(average - 250)).toBeLessThan(5);
  });

  test.each(['even', 'hot', 'thin'] as Spread[])(
    '%s customers have the shares that they are said to have',
    (customers) => {
      const random = randomOf(7);
      const seen = new Map<string, number>();
      const events = 40_000;
      for (let i = 0; i < events; i++) {
        const { customer } = smallEvent({ millis: MILLIS, random, ids: 'carried', customers });
        seen.set(customer, (seen.get(customer) ?? 0) + 1);
      }
      const shares = Array.from({ length: CUSTOMERS_OF[customers] }, (_, i) => shareOf(customers, i));
      expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
      // four standard deviations of a share of 0.9 in 40,000 draws are 0.006
      expect(Math.abs((seen.get('cus_0000') ?? 0) / events - (shares[0] ?? 0))).toBeLessThan(0.006);
      expect(seen.size).toBeGreaterThan(0.9 * CUSTOMERS_OF[customers]);
    },
  );

  test('comes at an even pace: a request arrives when its last event has been made', () => {
    const pace = { startMillis: 0, eventsPerSecond: 10, eventsPerRequest: 5, seconds: 1, random: randomOf(1) };
    const list = [...arrivals({ ...pace, ids: 'carried', customers: 'even' })];
    expect(list.map(({ atMillis, events }) => [atMillis, events.length])).toEqual([
      [500, 5],
      [1000, 5],
    ]);
    expect(list[1]?.events[0]?.time).toBe('1970-01-01T00:00:00.500Z');
  });
});

test.each([
  [0, true, 1],
  [4096, true, 1],
  [4097, true, 2],
  [4097, false, 1],
  [0, false, 0.5],
])('reading %i bytes together (strongly: %s) is %d units', (bytes, isStrong, units) => {
  expect(readUnits(bytes, isStrong)).toBe(units);
});

test('the median of an even number of values is the mean of the two in the middle', () => {
  expect(medianOf([9, 1, 5])).toBe(5);
  expect(medianOf([4, 1, 3, 2])).toBe(2.5);
});
