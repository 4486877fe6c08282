import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { S3Client } from '@aws-sdk/client-s3';
import { billedLedger } from '../../../adapters/dynamodb/billed-ledger.ts';
import { billingReads } from '../../../adapters/dynamodb/billing-reads.ts';
import { billingRuns } from '../../../adapters/dynamodb/billing-runs.ts';
import { dynamoDrafts } from '../../../adapters/dynamodb/invoices.ts';
import { issuingDesk } from '../../../adapters/dynamodb/issuing-desk.ts';
import { readLateDays } from '../../../adapters/dynamodb/late-days.ts';
import { dynamoOutbox } from '../../../adapters/dynamodb/outbox.ts';
import { projectStore } from '../../../adapters/dynamodb/projects.ts';
import { uncollectedInvoices } from '../../../adapters/dynamodb/uncollected-invoices.ts';
import { usageDisputes } from '../../../adapters/dynamodb/usage-disputes.ts';
import { usageViews } from '../../../adapters/dynamodb/usage-views.ts';
import { eventBridgeBus } from '../../../adapters/eventbridge/event-bus.ts';
import { evidenceStore } from '../../../adapters/s3/evidence-store.ts';
import { manifestStore } from '../../../adapters/s3/manifest-store.ts';
import { queueDepth } from '../../../adapters/sqs/queue-depth.ts';
import { runStarter } from '../../../adapters/stepfunctions/run-starter.ts';
import { systemBackoff } from '../../../adapters/system/backoff.ts';
import { systemClock } from '../../../adapters/system/clock.ts';
import type { UsageReads } from '../../../core/invoicing/ports.ts';
import { readUsage } from '../../../core/usage/read-usage.ts';
import { settleUsage } from '../../../core/usage/settle-usage.ts';
import { toBillingError } from '../error-map.ts';
import { dynamoClient, queueClient, statesClient } from './clients.ts';
import { environment } from './environment.ts';
import { functionLogger, functionMetrics, namedAndLogged } from './telemetry.ts';
import { wireFolding } from './usage.ts';

/** The wiring of the billing run's functions. */
const s3 = () => new S3Client({});

export function wireStartDueRuns() {
  const env = environment('start-due-runs');
  const client = dynamoClient();
  return {
    projects: projectStore(client, env.BILLING_TABLE),
    reads: billingReads(client, env.BILLING_TABLE),
    looks: billedLedger(client, env.BILLING_TABLE),
    uncollected: uncollectedInvoices(client, env.BILLING_TABLE),
    runs: billingRuns(client, env.BILLING_TABLE),
    starter: runStarter(statesClient(), env.BILLING_MACHINE_ARN),
    clock: systemClock,
    logger: functionLogger('start-due-runs'),
  };
}

export function wireSettleUsage() {
  const env = environment('settle-usage');
  const client = dynamoClient();
  const folding = wireFolding(env);
  return {
    reads: billingReads(client, env.BILLING_TABLE),
    runs: billingRuns(client, env.BILLING_TABLE),
    settle: (input: Parameters<typeof settleUsage>[0]) => settleUsage(input, folding),
    parked: async (project: Parameters<typeof folding.parking.list>[0]) => (await folding.parking.list(project)).length,
    queues: async () => {
      const urls = [env.USAGE_QUEUE_URL, env.USAGE_DEAD_LETTERS_URL];
      const [queued = 0, deadLettered = 0] = await Promise.all(urls.map((url) => queueDepth(queueClient(), url)));
      return { queued, deadLettered };
    },
    clock: systemClock,
  };
}

export function wireWriteManifest() {
  const env = environment('write-manifest');
  const client = dynamoClient();
  return {
    reads: billingReads(client, env.BILLING_TABLE),
    ledger: billedLedger(client, env.BILLING_TABLE),
    uncollected: uncollectedInvoices(client, env.BILLING_TABLE),
    runs: billingRuns(client, env.BILLING_TABLE),
    manifests: manifestStore(s3(), env.ARCHIVE_BUCKET),
  };
}

/** What rating reads; previews in the API read the same. */
export function wireRating(env: {
  readonly BILLING_TABLE: string;
  readonly USAGE_VIEWS_TABLE: string;
  readonly ARCHIVE_BUCKET: string;
}) {
  const client = dynamoClient();
  const views = usageViews(client, env.USAGE_VIEWS_TABLE);
  const usage: UsageReads = {
    read: (input) => readUsage(input, { views }),
    lateDays: (project, customer) => readLateDays(client, env.USAGE_VIEWS_TABLE, project, customer),
    disputedDays: usageDisputes(client, env.USAGE_VIEWS_TABLE, systemClock).openDays,
  };
  return {
    reads: billingReads(client, env.BILLING_TABLE),
    usage,
    ledger: billedLedger(client, env.BILLING_TABLE),
    evidence: evidenceStore(s3(), env.ARCHIVE_BUCKET),
    drafts: dynamoDrafts(client, env.BILLING_TABLE),
    runs: billingRuns(client, env.BILLING_TABLE),
    clock: systemClock,
    nameFailure: toBillingError,
  };
}

export function wireRateAccounts() {
  const logger = functionLogger('rate-accounts');
  return { ...wireRating(environment('rate-accounts')), nameFailure: namedAndLogged(logger), logger };
}

export function wireIssueInvoices() {
  const env = environment('issue-invoices');
  const logger = functionLogger('issue-invoices');
  const client = dynamoClient();
  return {
    reads: billingReads(client, env.BILLING_TABLE),
    drafts: dynamoDrafts(client, env.BILLING_TABLE),
    desk: issuingDesk(client, env.BILLING_TABLE),
    runs: billingRuns(client, env.BILLING_TABLE),
    clock: systemClock,
    backoff: systemBackoff,
    nameFailure: namedAndLogged(logger),
    logger,
  };
}

export function wireFinishRun() {
  const env = environment('finish-run');
  const client = dynamoClient();
  return {
    runs: billingRuns(client, env.BILLING_TABLE),
    manifests: manifestStore(s3(), env.ARCHIVE_BUCKET),
    uncollected: uncollectedInvoices(client, env.BILLING_TABLE),
    clock: systemClock,
    metrics: functionMetrics(),
    logger: functionLogger('finish-run'),
  };
}

export function wirePublishOutbox() {
  const env = environment('publish-outbox');
  const client = dynamoClient();
  return {
    outbox: dynamoOutbox(client, env.BILLING_TABLE),
    bus: eventBridgeBus(new EventBridgeClient({}), env.EVENT_BUS_NAME),
    projects: projectStore(client, env.BILLING_TABLE),
    clock: systemClock,
    metrics: functionMetrics(),
    logger: functionLogger('publish-outbox'),
  };
}
