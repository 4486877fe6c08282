import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { rateBuckets } from '../../../adapters/dynamodb/rate-buckets.ts';
import { rateLimitStore } from '../../../adapters/dynamodb/rate-limits.ts';
import { systemClock } from '../../../adapters/system/clock.ts';
import type { ProjectId } from '../../../core/ids.ts';
import { type LimitRate, rateLimiter } from '../../../core/limits/rate-limiter.ts';
import { limitsFor, type RateLimits } from '../../../core/limits/rate-limits.ts';
import { cached } from '../cached.ts';

export interface RateLimiterEnv {
  readonly BILLING_TABLE: string;
  readonly USAGE_CLAIMS_TABLE: string;
  readonly RATE_LIMITS: string;
}

/** How long limits that a project sets may take to count, in milliseconds. */
const LIMITS_CACHE_MILLIS = 30_000;
const LONGEST_PAUSE_MILLIS = 20;

/** The deployment's own limits, as lib/config.ts has them. */
export function defaultRateLimits({ RATE_LIMITS }: Pick<RateLimiterEnv, 'RATE_LIMITS'>): RateLimits {
  return JSON.parse(RATE_LIMITS) as RateLimits;
}

/** The rate limiter of a function, over its own DynamoDB client. A limit that cannot be asked does not keep usage out. */
export function wireRateLimiter(client: DynamoDBClient, env: RateLimiterEnv): LimitRate {
  const store = rateLimitStore(client, env.BILLING_TABLE);
  const defaults = defaultRateLimits(env);
  const clock = systemClock;
  const settings = cached({
    read: (project: ProjectId) => store.find(project),
    maxAgeMillis: LIMITS_CACHE_MILLIS,
    clock,
  });
  return rateLimiter({
    buckets: rateBuckets(client, env.USAGE_CLAIMS_TABLE),
    limits: async (project, key) => limitsFor(await settings.get(project, 'cached'), key, defaults),
    clock,
    pause: (attempt) =>
      new Promise((resolve) => setTimeout(resolve, Math.random() * LONGEST_PAUSE_MILLIS * Math.min(attempt, 5))),
  });
}
