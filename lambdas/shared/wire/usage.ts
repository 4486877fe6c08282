import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { backfillStore } from '../../../adapters/dynamodb/backfills.ts';
import { meterStore } from '../../../adapters/dynamodb/meters.ts';
import { parkingLot } from '../../../adapters/dynamodb/parking-lot.ts';
import { projectStore } from '../../../adapters/dynamodb/projects.ts';
import { quotaStore } from '../../../adapters/dynamodb/quotas.ts';
import { reservationStore } from '../../../adapters/dynamodb/reservations.ts';
import { usageClaims } from '../../../adapters/dynamodb/usage-claims.ts';
import { usageLog } from '../../../adapters/dynamodb/usage-log.ts';
import { usageRegistry } from '../../../adapters/dynamodb/usage-registry.ts';
import { usageViews } from '../../../adapters/dynamodb/usage-views.ts';
import { eventBridgeBus } from '../../../adapters/eventbridge/event-bus.ts';
import { usageQueue } from '../../../adapters/sqs/usage-queue.ts';
import { systemClock } from '../../../adapters/system/clock.ts';
import { systemRandom } from '../../../adapters/system/random.ts';
import type { QuotaStore } from '../../../core/entitlements/ports.ts';
import { refreshQuotas } from '../../../core/entitlements/refresh-quotas.ts';
import { resendConsumed } from '../../../core/entitlements/resend-consumed.ts';
import type { ProjectId } from '../../../core/ids.ts';
import { millisOf } from '../../../core/time/instant.ts';
import { batchIdAt } from '../../../core/usage/batch-id.ts';
import type { FoldedQuotas } from '../../../core/usage/fold-partitions.ts';
import { PartitionCache } from '../../../core/usage/partition-state.ts';
import type { UsageViews } from '../../../core/usage/ports.ts';
import { cached } from '../cached.ts';
import { wireAuthenticate } from './authenticate.ts';
import { dynamoClient, queueClient } from './clients.ts';
import { environment } from './environment.ts';
import { wireRateLimiter } from './rate-limiter.ts';
import { functionLogger, functionMetrics } from './telemetry.ts';

/** The wiring of everything between the door and the views. */
const CACHE_MILLIS = 30_000;
const FIRST_PAUSE_MILLIS = 20;
const LONGEST_PAUSE_MILLIS = 1000;

export function wirePostEvents() {
  const env = environment('post-events');
  const client = dynamoClient();
  const meters = meterStore(client, env.BILLING_TABLE);
  const backfills = backfillStore(client, env.BILLING_TABLE);
  const clock = systemClock;
  return {
    authenticate: wireAuthenticate(client, env),
    limit: wireRateLimiter(client, env),
    meters: cached({
      read: (project: ProjectId, read) => meters.newest(project, read === 'fresh' ? 'fresh' : undefined),
      maxAgeMillis: CACHE_MILLIS,
      clock,
    }),
    backfills: cached({
      read: (name: string) =>
        backfills.find(name.slice(0, name.indexOf('/')) as ProjectId, name.slice(name.indexOf('/') + 1)),
      maxAgeMillis: CACHE_MILLIS,
      clock,
    }),
    accept: {
      claims: usageClaims(client, env.USAGE_CLAIMS_TABLE),
      queue: usageQueue(queueClient(), env.USAGE_QUEUE_URL),
      clock,
      headers: new Map(),
    },
    newBatchId: () => batchIdAt(millisOf(clock.now()), systemRandom(10)),
  };
}

export function wireAppendUsage() {
  const env = environment('append-usage');
  const client = dynamoClient();
  return {
    log: usageLog(client, env.USAGE_LOG_TABLE),
    registry: usageRegistry(client, env.USAGE_VIEWS_TABLE),
    parking: parkingLot(client, env.USAGE_VIEWS_TABLE),
    clock: systemClock,
    cache: new PartitionCache(),
    registered: new Set<string>(),
    // Full jitter: two writers that met once do not meet again at the same moment.
    pause: (attempt: number) => {
      const longest = Math.min(LONGEST_PAUSE_MILLIS, FIRST_PAUSE_MILLIS * 2 ** attempt);
      return new Promise<void>((resolve) => setTimeout(resolve, Math.random() * longest));
    },
  };
}

/** What every folder needs, over the tables of its function. */
export function wireFolding(env: {
  readonly BILLING_TABLE: string;
  readonly USAGE_LOG_TABLE: string;
  readonly USAGE_VIEWS_TABLE: string;
}) {
  const client = dynamoClient();
  const views = usageViews(client, env.USAGE_VIEWS_TABLE);
  return {
    log: usageLog(client, env.USAGE_LOG_TABLE),
    views,
    quotas: foldedQuotas(quotaStore(client, env.USAGE_VIEWS_TABLE), views),
    registry: usageRegistry(client, env.USAGE_VIEWS_TABLE),
    parking: parkingLot(client, env.USAGE_VIEWS_TABLE),
    meters: meterStore(client, env.BILLING_TABLE),
    projects: projectStore(client, env.BILLING_TABLE),
    clock: systemClock,
    seen: new Set<string>(),
  };
}

export function wireFoldUsage() {
  const env = environment('fold-usage');
  return {
    ...wireFolding(env),
    policy: policyOf(env),
    metrics: functionMetrics(),
    logger: functionLogger('fold-usage'),
  };
}

export function wireSweepUsage() {
  const env = environment('sweep-usage');
  const folding = wireFolding(env);
  const reservations = reservationStore(dynamoClient(), env.USAGE_VIEWS_TABLE);
  const queue = usageQueue(queueClient(), env.USAGE_QUEUE_URL);
  return {
    ...folding,
    resend: (project: ProjectId) => resendConsumed(project, { reservations, queue, clock: systemClock }),
    policy: policyOf(env),
    metrics: functionMetrics(),
    logger: functionLogger('sweep-usage'),
  };
}

/** How quotas follow the views. That a project asks for them is looked up once a minute; the refresh itself looks every time. */
function foldedQuotas(quotas: QuotaStore, views: UsageViews): FoldedQuotas {
  const clock = systemClock;
  const used = cached({ read: (project: ProjectId) => quotas.isUsed(project), maxAgeMillis: 60_000, clock });
  return {
    isUsed: (project) => used.get(project, 'cached'),
    refresh: (touched) => refreshQuotas(touched, { quotas, views, clock }),
  };
}

const FLUSH_EVENTS = 5000;

function policyOf(env: { readonly MAX_VIEW_AGE_SECONDS: string; readonly MAX_QUOTA_AGE_SECONDS: string }) {
  return {
    flushEvents: FLUSH_EVENTS,
    maxViewAgeMillis: Number(env.MAX_VIEW_AGE_SECONDS) * 1000,
    maxQuotaAgeMillis: Number(env.MAX_QUOTA_AGE_SECONDS) * 1000,
  };
}

export function wirePublishUsage() {
  const env = environment('publish-usage');
  return {
    bus: eventBridgeBus(new EventBridgeClient({}), env.EVENT_BUS_NAME),
    logger: functionLogger('publish-usage'),
  };
}

export function wireParkMessages() {
  const env = environment('park-messages');
  return {
    parking: parkingLot(dynamoClient(), env.USAGE_VIEWS_TABLE),
    clock: systemClock,
    metrics: functionMetrics(),
    logger: functionLogger('park-messages'),
  };
}
