import { describe, expect, test } from 'vitest';
import { deleteUnits, receiveUnits } from '../../bench/queue-receives.ts';

describe('receiving', () => {
  test('takes ten small messages at a time when 1,000 come a second', () => {
    // 60,000 messages in a minute, ten a receive: 6,000 receives, none of them empty
    expect(receiveUnits({ messages: 60_000, seconds: 60, averageBytes: 400 })).toBeCloseTo(6_000, 6);
  });

  test('takes one at a time when ten come a second, each as many units as it has 64 KB', () => {
    expect(receiveUnits({ messages: 600, seconds: 60, averageBytes: 65_537 })).toBeCloseTo(1_200, 3);
  });

  test('is mostly empty when next to nothing comes: five pollers end a wait of 20 s each', () => {
    // one message in 100,000 s beside 5 x 5,000 empty receives
    const units = receiveUnits({ messages: 1, seconds: 100_000, averageBytes: 100 });
    expect(units).toBeGreaterThan(24_990);
    expect(units).toBeLessThan(25_010);
  });

  test.each([
    [1, 1],
    [10, 1],
    [11, 2],
    [1_000, 100],
  ])('is followed by deleting: %i messages in %i calls', (messages, calls) => {
    expect(deleteUnits(messages)).toBe(calls);
  });
});
