import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { apiKeyStore } from '../../../adapters/dynamodb/api-keys.ts';
import { backfillStore } from '../../../adapters/dynamodb/backfills.ts';
import { billedLedger } from '../../../adapters/dynamodb/billed-ledger.ts';
import { billingReads } from '../../../adapters/dynamodb/billing-reads.ts';
import { billingRunList } from '../../../adapters/dynamodb/billing-run-list.ts';
import { billingRuns } from '../../../adapters/dynamodb/billing-runs.ts';
import { billingSettingsStore } from '../../../adapters/dynamodb/billing-settings.ts';
import { contractStore } from '../../../adapters/dynamodb/contracts.ts';
import { customerStore, seenCustomers } from '../../../adapters/dynamodb/customers.ts';
import { grantStore } from '../../../adapters/dynamodb/entitlement-grants.ts';
import { featureSources } from '../../../adapters/dynamodb/feature-sources.ts';
import { idempotencyRecords } from '../../../adapters/dynamodb/idempotency-records.ts';
import { invoiceList } from '../../../adapters/dynamodb/invoice-list.ts';
import { billingKeys } from '../../../adapters/dynamodb/keys.ts';
import { readLateDays } from '../../../adapters/dynamodb/late-days.ts';
import { meterStore } from '../../../adapters/dynamodb/meters.ts';
import { planStore } from '../../../adapters/dynamodb/plans.ts';
import { priceListStore } from '../../../adapters/dynamodb/price-lists.ts';
import { rateLimitStore } from '../../../adapters/dynamodb/rate-limits.ts';
import { subscriptionStore } from '../../../adapters/dynamodb/subscriptions.ts';
import { usageDisputes } from '../../../adapters/dynamodb/usage-disputes.ts';
import { usageViews } from '../../../adapters/dynamodb/usage-views.ts';
import { evidenceReads } from '../../../adapters/s3/evidence-store.ts';
import { runStarter } from '../../../adapters/stepfunctions/run-starter.ts';
import { systemClock } from '../../../adapters/system/clock.ts';
import { systemRandom } from '../../../adapters/system/random.ts';
import { secretReader } from '../../../adapters/system/secrets.ts';
import type { UsageReads } from '../../../core/invoicing/ports.ts';
import { readUsage } from '../../../core/usage/read-usage.ts';
import { authenticator } from '../authenticate.ts';
import type { EnvOf } from '../env.ts';
import { idempotently } from '../idempotency.ts';
import { apiUsage } from './api-usage.ts';
import { dynamoClient, objectsClient, secretsClient, statesClient } from './clients.ts';
import { environment } from './environment.ts';
import { defaultRateLimits, wireRateLimiter } from './rate-limiter.ts';
import { functionLogger } from './telemetry.ts';

/** What lambdas/api/api.ts needs. `env` and the clients are its own unless a test brings others. */
export function wireApi(
  env: EnvOf<'api'> = environment('api'),
  client = dynamoClient(),
  readSecret = secretReader(secretsClient()),
) {
  const keys = apiKeyStore(client, env.BILLING_TABLE);
  const pepper = () => readSecret(env.PEPPER_SECRET_ID);
  const clock = systemClock;
  const views = usageViews(client, env.USAGE_VIEWS_TABLE);
  const usage: UsageReads = {
    read: (input) => readUsage(input, { views }),
    lateDays: (project, customer) => readLateDays(client, env.USAGE_VIEWS_TABLE, project, customer),
    disputedDays: usageDisputes(client, env.USAGE_VIEWS_TABLE, systemClock).openDays,
  };
  return {
    logger: functionLogger('api'),
    authenticate: authenticator({ keys, pepper, clock }),
    limit: wireRateLimiter(client, env),
    idempotently: idempotently((partition) => idempotencyRecords(client, env.BILLING_TABLE, partition)),
    idempotencyPartition: billingKeys.idempotencyOf,
    routes: {
      keys,
      pepper,
      clock,
      random: systemRandom,
      meters: meterStore(client, env.BILLING_TABLE),
      plans: planStore(client, env.BILLING_TABLE),
      contracts: contractStore(client, env.BILLING_TABLE),
      lists: priceListStore(client, env.BILLING_TABLE),
      customers: customerStore(client, env.BILLING_TABLE),
      subscriptions: subscriptionStore(client, env.BILLING_TABLE),
      seen: seenCustomers(client, env.USAGE_VIEWS_TABLE),
      backfills: backfillStore(client, env.BILLING_TABLE),
      ...apiUsage(client, env),
      views,
      usage,
      invoices: invoiceList(client, env.BILLING_TABLE),
      evidence: evidenceReads(objectsClient(), env.ARCHIVE_BUCKET),
      preview: {
        reads: billingReads(client, env.BILLING_TABLE),
        ledger: billedLedger(client, env.BILLING_TABLE),
        usage,
        clock,
      },
      ...wireAllowances(client, env),
      settings: billingSettingsStore(client, env.BILLING_TABLE),
      runs: billingRuns(client, env.BILLING_TABLE),
      runList: billingRunList(client, env.BILLING_TABLE),
      starter: runStarter(statesClient(), env.BILLING_MACHINE_ARN),
    },
  };
}

/** What a customer is given beside its plan, and how much a project may send. */
function wireAllowances(client: DynamoDBClient, env: EnvOf<'api'>) {
  return {
    grants: {
      grants: grantStore(client, env.BILLING_TABLE),
      features: featureSources(client, env.BILLING_TABLE),
      customers: customerStore(client, env.BILLING_TABLE),
      clock: systemClock,
    },
    rateLimits: rateLimitStore(client, env.BILLING_TABLE),
    defaultRateLimits: defaultRateLimits(env),
  };
}
