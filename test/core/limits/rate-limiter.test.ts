import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rateBuckets } from '../../../adapters/dynamodb/rate-buckets.ts';
import { BillingError } from '../../../core/errors.ts';
import { type LimitRate, type RateBuckets, rateLimiter } from '../../../core/limits/rate-limiter.ts';
import { limitsFor, type RateLimits } from '../../../core/limits/rate-limits.ts';
import { LEASE_MICROS } from '../../../core/limits/token-lease.ts';
import { instantFromMillis } from '../../../core/time/instant.ts';
import { memoryTables, NOW_MILLIS, PROJECT, TABLES } from '../../support/usage-fixtures.ts';

const wide = { perSecond: 1_000_000, burst: 1_000_000 };
const limitsOf = (project: object, key: object = wide): RateLimits => ({
  project: { events: wide, requests: wide, ...project },
  key: { events: wide, requests: wide, ...key },
});

interface World {
  millis: number;
  writes: number;
  readonly worker: (limits: RateLimits) => LimitRate;
}

function world(): World {
  const buckets = rateBuckets(memoryTables().client(), TABLES.claims);
  const made: World = {
    millis: NOW_MILLIS,
    writes: 0,
    worker: (limits) =>
      rateLimiter({
        buckets: {
          swap: (...call: Parameters<RateBuckets['swap']>) => {
            made.writes += 1;
            return buckets.swap(...call);
          },
        },
        limits: async () => limits,
        clock: { now: () => instantFromMillis(made.millis) },
        pause: async () => {},
      }),
  };
  return made;
}

const caller = { project: PROJECT, keyId: 'k1' };
const refusal = async (call: Promise<void>): Promise<BillingError | null> =>
  call.then(
    () => null,
    (error: unknown) => {
      if (error instanceof BillingError) return error;
      throw error;
    },
  );

describe('the rate limiter', () => {
  test('lets the burst through and then refuses, saying when to send again', async () => {
    const it = world();
    const limit = it.worker(limitsOf({ requests: { perSecond: 2, burst: 4 } }));
    for (let i = 0; i < 4; i++) await limit(caller, 'requests', 1);
    const refused = await refusal(limit(caller, 'requests', 1));
    expect(refused).toMatchObject({ code: 'rate_limited', kind: 'not-ready', retryable: true });
    expect(refused?.context).toMatchObject({ retry_after_seconds: 1, limit: 'project', per_second: 2, burst: 4 });
    it.millis += 500;
    await limit(caller, 'requests', 1);
    expect(await refusal(limit(caller, 'requests', 1))).not.toBeNull();
  });

  test('counts a key by itself, and what the project refuses is not taken from the key', async () => {
    const it = world();
    const limit = it.worker(limitsOf({ events: { perSecond: 1, burst: 3 } }, { events: { perSecond: 1, burst: 2 } }));
    await limit(caller, 'events', 2);
    expect((await refusal(limit(caller, 'events', 1)))?.context.limit).toBe('key');
    const other = { ...caller, keyId: 'k2' };
    expect((await refusal(limit(other, 'events', 2)))?.context.limit).toBe('project');
    await limit(other, 'events', 1);
    expect((await refusal(limit(other, 'events', 1)))?.context.limit).toBe('project');
  });

  test('writes once per block and bucket: ten thousand events of one worker cost a few writes', async () => {
    const it = world();
    const rate = { perSecond: 10_000, burst: 50_000 };
    const limit = it.worker(limitsOf({ events: rate }, { events: rate }));
    for (let second = 0; second < 10; second++) {
      for (let i = 0; i < 1_000; i++) await limit(caller, 'events', 1);
      it.millis += 1_000;
    }
    // blocks of 500 double to 2,000, which last two seconds
    expect(it.writes).toBeLessThan(20);
  });

  test('an idle worker keeps nothing from the others', async () => {
    const it = world();
    const limits = limitsOf({ events: { perSecond: 1, burst: 1_000 } });
    const idle = it.worker(limits);
    await idle(caller, 'events', 900);
    const busy = it.worker(limits);
    await busy(caller, 'events', 100);
    it.millis += LEASE_MICROS / 1_000;
    // ten tokens have come in since; what the idle worker might have had left is gone
    await busy(caller, 'events', 10);
    expect(await refusal(idle(caller, 'events', 1))).not.toBeNull();
  });

  test('a refused worker asks the shared bucket no more often than it must', async () => {
    const it = world();
    const limit = it.worker(limitsOf({ requests: { perSecond: 1, burst: 1 } }));
    await limit(caller, 'requests', 1);
    const before = it.writes;
    for (let i = 0; i < 50; i++) expect(await refusal(limit(caller, 'requests', 1))).not.toBeNull();
    expect(it.writes - before).toBeLessThanOrEqual(1);
  });

  test('a bucket that cannot be reached keeps no usage out', async () => {
    const limit = rateLimiter({
      buckets: { swap: () => Promise.reject(new Error('unreachable')) },
      limits: async () => limitsOf({}),
      clock: { now: () => instantFromMillis(NOW_MILLIS) },
      pause: async () => {},
    });
    await limit(caller, 'events', 1_000);
  });

  test('of any number of workers no more is let through than the burst and the rate, though leases wait', async () => {
    const step = fc.record({
      worker: fc.nat(3),
      pass: fc.constantFrom(0, 0, 0, 10, 250, 1_000, 11_000),
      count: fc.integer({ min: 1, max: 40 }),
      together: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 40, max: 200 }),
        fc.array(step, { minLength: 5, maxLength: 60 }),
        async (perSecond, burst, steps) => {
          const it = world();
          const limits = limitsOf({ events: { perSecond, burst } });
          const workers = Array.from({ length: 4 }, () => it.worker(limits));
          const passed: { at: number; count: number }[] = [];
          const call = async (worker: number, count: number) => {
            const at = it.millis;
            if ((await refusal(workers[worker]?.(caller, 'events', count) ?? Promise.resolve())) === null)
              passed.push({ at, count });
          };
          for (const { worker, pass, count, together } of steps) {
            it.millis += pass;
            await (together ? Promise.all([0, 1, 2, 3].map((each) => call(each, count))) : call(worker, count));
          }
          for (const [i, first] of passed.entries()) {
            const span = passed.slice(i);
            const sum = span.reduce((total, { count }) => total + count, 0);
            const seconds = ((span.at(-1)?.at ?? first.at) - first.at) / 1_000;
            // a block taken up to ten seconds before the span may be spent in it; nothing was taken before the first call
            const earlier = Math.min(LEASE_MICROS / 1_000_000, (first.at - NOW_MILLIS) / 1_000);
            expect(sum).toBeLessThanOrEqual(burst + perSecond * (seconds + earlier) + 1e-6);
          }
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe('the limits of a key', () => {
  test('are its own, else the deployment’s; the project’s are what it has set, kind by kind', () => {
    const settings = {
      project: { events: { perSecond: 5, burst: 1_000 } },
      keys: [{ key: 'k1', requests: { perSecond: 1, burst: 2 } }],
    };
    const defaults = limitsOf({}, {});
    expect(limitsFor(settings, 'k1', defaults)).toEqual({
      project: { events: { perSecond: 5, burst: 1_000 }, requests: wide },
      key: { events: wide, requests: { perSecond: 1, burst: 2 } },
    });
    expect(limitsFor(settings, 'k2', defaults).key).toEqual(defaults.key);
    expect(limitsFor({}, 'k1', defaults)).toEqual(defaults);
  });
});
