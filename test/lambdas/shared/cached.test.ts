import { beforeEach, describe, expect, test } from 'vitest';
import { instantFromMillis } from '../../../core/time/instant.ts';
import { type Cached, cached } from '../../../lambdas/shared/cached.ts';

let millis: number;
let reads: string[];
let answer: () => Promise<number | undefined>;
let values: Cached<string, number | undefined>;

beforeEach(() => {
  millis = 1_000_000;
  reads = [];
  answer = async () => reads.length;
  values = cached({
    read: (key: string, read) => {
      reads.push(`${key} ${read}`);
      return answer();
    },
    maxAgeMillis: 30_000,
    clock: { now: () => instantFromMillis(millis) },
  });
});

describe('what a worker keeps', () => {
  test('is read once and again when it is 30 seconds old', async () => {
    expect(await values.get('a', 'cached')).toBe(1);
    millis += 29_999;
    expect(await values.get('a', 'cached')).toBe(1);
    millis += 1;
    expect(await values.get('a', 'cached')).toBe(2);
  });

  test('is read again at once when asked to, and kept from then', async () => {
    await values.get('a', 'cached');
    millis += 20_000;
    expect(await values.get('a', 'fresh')).toBe(2);
    millis += 20_000;
    expect(await values.get('a', 'cached')).toBe(2);
    expect(reads).toEqual(['a cached', 'a fresh']);
  });

  test('is kept by key, and that there is nothing is kept too', async () => {
    answer = async () => undefined;
    await values.get('a', 'cached');
    await values.get('a', 'cached');
    await values.get('b', 'cached');
    expect(reads).toEqual(['a cached', 'b cached']);
  });

  test('is not kept when reading failed', async () => {
    answer = () => Promise.reject(new Error('down'));
    await expect(values.get('a', 'cached')).rejects.toThrow('down');
    answer = async () => 7;
    expect(await values.get('a', 'cached')).toBe(7);
  });

  test('is read again when the clock was put back', async () => {
    await values.get('a', 'cached');
    millis -= 1;
    await values.get('a', 'cached');
    expect(reads).toHaveLength(2);
  });

  test('does not grow beyond 1,000 entries', async () => {
    for (let i = 0; i < 1001; i++) await values.get(`k${i}`, 'cached');
    await values.get('k1000', 'cached');
    await values.get('k0', 'cached');
    expect(reads).toHaveLength(1002);
  });
});
