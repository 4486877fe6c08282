import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BucketState, takeTokens } from '../../../core/limits/token-bucket.ts';

const RATE = { perSecond: 10, burst: 5 };
const one = { least: 1, most: 1 };

describe('a token bucket', () => {
  test('is full at first, and says how long until the next token', () => {
    const first = takeTokens(null, RATE, { least: 1, most: 9 }, 1_000_000);
    expect(first).toEqual({ isGranted: true, tokens: 5, state: { left: 0, atMicros: 1_000_000 } });
    // 10 a second: a token every 100,000 microseconds
    expect(takeTokens({ left: 0, atMicros: 1_000_000 }, RATE, one, 1_000_000)).toEqual({
      isGranted: false,
      waitMicros: 100_000,
    });
    expect(takeTokens({ left: 0, atMicros: 1_000_000 }, RATE, one, 1_099_999).isGranted).toBe(false);
    expect(takeTokens({ left: 0, atMicros: 1_000_000 }, RATE, one, 1_100_000).isGranted).toBe(true);
  });

  test('keeps the part of a token that has come in: three thirds are one', () => {
    const third = { perSecond: 3, burst: 1 };
    const state = { left: 999_999, atMicros: 0 };
    expect(takeTokens(state, third, one, 0)).toEqual({ isGranted: false, waitMicros: 1 });
    // 3 millionths a microsecond: 1,000,002 of them, of which the bucket holds 1,000,000
    expect(takeTokens(state, third, one, 1)).toMatchObject({ tokens: 1, state: { left: 0, atMicros: 1 } });
  });

  test('takes all that is there when less than wanted, and nothing when less than needed', () => {
    const state = { left: 3_500_000, atMicros: 0 };
    expect(takeTokens(state, RATE, { least: 2, most: 4 }, 0)).toMatchObject({ tokens: 3, state: { left: 500_000 } });
    expect(takeTokens(state, RATE, { least: 4, most: 4 }, 0)).toEqual({ isGranted: false, waitMicros: 50_000 });
  });

  test('holds no more than its burst after any time, and less at once when the burst becomes smaller', () => {
    const century = 3_000_000_000_000_000;
    expect(takeTokens({ left: 0, atMicros: 0 }, RATE, { least: 1, most: 99 }, century)).toMatchObject({ tokens: 5 });
    const smaller = { perSecond: 10, burst: 2 };
    expect(takeTokens({ left: 5_000_000, atMicros: 0 }, smaller, { least: 1, most: 9 }, 0)).toMatchObject({
      tokens: 2,
    });
  });

  test('a clock that is behind takes what is left and fills nothing', () => {
    const state = { left: 1_000_000, atMicros: 5_000_000 };
    const taken = takeTokens(state, RATE, { least: 1, most: 9 }, 1_000_000);
    expect(taken).toEqual({ isGranted: true, tokens: 1, state: { left: 0, atMicros: 5_000_000 } });
  });

  test('grants over any span at most its burst and its rate times the span, and no state comes twice', () => {
    const step = fc.record({
      pass: fc.integer({ min: -200_000, max: 900_000 }),
      least: fc.integer({ min: 1, max: 9 }),
      more: fc.nat(9),
    });
    const rates = fc.record({ perSecond: fc.integer({ min: 1, max: 50 }), burst: fc.integer({ min: 1, max: 30 }) });
    fc.assert(
      fc.property(rates, fc.array(step, { minLength: 1, maxLength: 40 }), (rate, steps) => {
        let known: BucketState | null = null;
        let now = 1_000_000_000;
        const granted: { at: number; tokens: number }[] = [];
        const seen = new Set<string>();
        for (const { pass, least, more } of steps) {
          now += pass;
          const taken = takeTokens(known, rate, { least, most: least + more }, now);
          if (!taken.isGranted) continue;
          known = taken.state;
          granted.push({ at: known.atMicros, tokens: taken.tokens });
          expect(taken.tokens).toBeGreaterThanOrEqual(least);
          const name = `${known.left}/${known.atMicros}`;
          expect(seen.has(name)).toBe(false);
          seen.add(name);
        }
        for (const [i, first] of granted.entries()) {
          const span = granted.slice(i);
          const tokens = span.reduce((sum, entry) => sum + entry.tokens, 0);
          const micros = (span.at(-1)?.at ?? first.at) - first.at;
          expect(tokens * 1_000_000).toBeLessThanOrEqual(rate.burst * 1_000_000 + micros * rate.perSecond);
        }
      }),
      { numRuns: 500 },
    );
  });
});
