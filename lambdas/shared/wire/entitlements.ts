import { randomUUID } from 'node:crypto';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { featureSources } from '../../../adapters/dynamodb/feature-sources.ts';
import { meterStore } from '../../../adapters/dynamodb/meters.ts';
import { quotaStore } from '../../../adapters/dynamodb/quotas.ts';
import { reservationStore } from '../../../adapters/dynamodb/reservations.ts';
import { usageClaims } from '../../../adapters/dynamodb/usage-claims.ts';
import { usageViews } from '../../../adapters/dynamodb/usage-views.ts';
import { usageQueue } from '../../../adapters/sqs/usage-queue.ts';
import { systemClock } from '../../../adapters/system/clock.ts';
import type { EntitlementDeps } from '../../../core/entitlements/check-entitlement.ts';
import type { ConsumeDeps } from '../../../core/entitlements/consume-entitlement.ts';
import type { Feature } from '../../../core/entitlements/feature.ts';
import { resolveFeatures } from '../../../core/entitlements/resolve-features.ts';
import type { CustomerId, ProjectId } from '../../../core/ids.ts';
import type { Clock } from '../../../core/time/clock.ts';
import type { UsageQueue } from '../../../core/usage/ports.ts';
import { cached } from '../cached.ts';
import type { EnvOf } from '../env.ts';
import { wireAuthenticate } from './authenticate.ts';
import { dynamoClient, queueClient } from './clients.ts';
import { environment } from './environment.ts';
import { wireRateLimiter } from './rate-limiter.ts';

/** How long what a customer may do is kept: so long a change of plan, contract or grant may take to count, in ms. */
const FEATURES_CACHE_MILLIS = 30_000;
const LONGEST_PAUSE_MILLIS = 200;
/** The sweep looks once a minute. */
const SWEEP_MILLIS = 60_000;

type Env = Pick<EnvOf<'entitlements'>, 'BILLING_TABLE' | 'USAGE_VIEWS_TABLE' | 'MAX_QUOTA_AGE_SECONDS'>;

/** Checks over the tables of a function. `clock` is the system's unless a test or the bench brings another. */
export function entitlementDeps(client: DynamoDBClient, env: Env, clock: Clock = systemClock): EntitlementDeps {
  const sources = featureSources(client, env.BILLING_TABLE);
  const meters = meterStore(client, env.BILLING_TABLE);
  const known = cached<string, ReadonlyMap<string, Feature> | undefined>({
    read: async (name) => {
      const at = name.indexOf('/');
      const now = clock.now();
      const inputs = await sources.read(name.slice(0, at) as ProjectId, name.slice(at + 1) as CustomerId, now);
      return inputs && resolveFeatures(inputs, now);
    },
    maxAgeMillis: FEATURES_CACHE_MILLIS,
    clock,
  });
  const newest = cached({
    read: (project: ProjectId) => meters.newest(project, 'fresh'),
    maxAgeMillis: FEATURES_CACHE_MILLIS,
    clock,
  });
  return {
    features: async (project, customer, read) => {
      const name = `${project}/${customer}`;
      // A customer that is not known yet may have been made a moment ago.
      return (await known.get(name, read)) ?? known.get(name, 'fresh');
    },
    meters: (project) => newest.get(project, 'cached'),
    quotas: quotaStore(client, env.USAGE_VIEWS_TABLE),
    views: usageViews(client, env.USAGE_VIEWS_TABLE),
    clock,
    maxAgeMillis: Number(env.MAX_QUOTA_AGE_SECONDS) * 1000 + SWEEP_MILLIS,
    marked: new Set(),
  };
}

/** Consumptions over the tables of a function and its queue. */
export function consumeDeps(
  client: DynamoDBClient,
  env: Env & Pick<EnvOf<'entitlements'>, 'USAGE_CLAIMS_TABLE'>,
  queue: UsageQueue,
  clock: Clock = systemClock,
): ConsumeDeps {
  return {
    ...entitlementDeps(client, env, clock),
    reservations: reservationStore(client, env.USAGE_VIEWS_TABLE),
    accept: { claims: usageClaims(client, env.USAGE_CLAIMS_TABLE), queue, clock, headers: new Map() },
    newBatchId: () => randomUUID(),
    // Full jitter: two callers that met once do not meet again at the same moment.
    pause: (attempt) =>
      new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(LONGEST_PAUSE_MILLIS, 5 * 2 ** attempt))),
  };
}

export function wireEntitlements() {
  const env = environment('entitlements');
  const client = dynamoClient();
  const queue = usageQueue(queueClient(), env.USAGE_QUEUE_URL);
  return {
    authenticate: wireAuthenticate(client, env),
    limit: wireRateLimiter(client, env),
    entitlements: consumeDeps(client, env, queue),
  };
}
