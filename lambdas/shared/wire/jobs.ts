import { seenCustomers } from '../../../adapters/dynamodb/customers.ts';
import { planStore } from '../../../adapters/dynamodb/plans.ts';
import { priceListStore } from '../../../adapters/dynamodb/price-lists.ts';
import { usageDisputes } from '../../../adapters/dynamodb/usage-disputes.ts';
import { usageJobs } from '../../../adapters/dynamodb/usage-jobs.ts';
import { jobOfMessage, jobQueue } from '../../../adapters/sqs/job-queue.ts';
import { usageQueue } from '../../../adapters/sqs/usage-queue.ts';
import { systemClock } from '../../../adapters/system/clock.ts';
import { backfillMeter } from '../../../core/usage/backfill-meter.ts';
import { rebuildViews } from '../../../core/usage/rebuild-views.ts';
import type { JobWork, UsageJobKind } from '../../../core/usage/usage-job.ts';
import { voidByFilter } from '../../../core/usage/void-by-filter.ts';
import { dynamoClient, queueClient } from './clients.ts';
import { environment } from './environment.ts';
import { functionLogger } from './telemetry.ts';
import { wireFolding } from './usage.ts';

/** The wiring of jobs: one work for each kind. */
export function wireRunUsageJob() {
  const env = environment('run-usage-job');
  const client = dynamoClient();
  const usage = {
    ...wireFolding(env),
    customers: seenCustomers(client, env.USAGE_VIEWS_TABLE),
    disputes: usageDisputes(client, env.USAGE_VIEWS_TABLE, systemClock),
    plans: planStore(client, env.BILLING_TABLE),
    lists: priceListStore(client, env.BILLING_TABLE),
  };
  const queue = usageQueue(queueClient(), env.USAGE_QUEUE_URL);
  const works: Readonly<Record<UsageJobKind, JobWork>> = {
    rebuild: (job, stopAt) => rebuildViews(job, stopAt, { ...usage, isPriced: () => true }),
    backfill: (job, stopAt) => backfillMeter(job, stopAt, usage),
    void_events: (job, stopAt) => voidByFilter(job, stopAt, { ...usage, queue }),
  };
  return {
    jobs: usageJobs(client, env.BILLING_TABLE),
    jobQueue: jobQueue(queueClient(), env.JOB_QUEUE_URL),
    jobOfMessage,
    works,
    clock: usage.clock,
    logger: functionLogger('run-usage-job'),
  };
}
