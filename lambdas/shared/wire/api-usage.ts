import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { parkingDesk } from '../../../adapters/dynamodb/parking-desk.ts';
import { parkingLot } from '../../../adapters/dynamodb/parking-lot.ts';
import { usageClaims } from '../../../adapters/dynamodb/usage-claims.ts';
import { usageJobs } from '../../../adapters/dynamodb/usage-jobs.ts';
import { usageLog } from '../../../adapters/dynamodb/usage-log.ts';
import { usageLogSearch } from '../../../adapters/dynamodb/usage-log-search.ts';
import { usageRegistry } from '../../../adapters/dynamodb/usage-registry.ts';
import { jobQueue } from '../../../adapters/sqs/job-queue.ts';
import { usageQueue } from '../../../adapters/sqs/usage-queue.ts';
import { systemClock } from '../../../adapters/system/clock.ts';
import type { EnvOf } from '../env.ts';
import { queueClient } from './clients.ts';

/** What the API's routes need of the usage log: to read it, to void in it, to look at what never got there. */
export function apiUsage(client: DynamoDBClient, env: EnvOf<'api'>) {
  const claims = usageClaims(client, env.USAGE_CLAIMS_TABLE);
  const queue = usageQueue(queueClient(), env.USAGE_QUEUE_URL);
  return {
    parking: parkingLot(client, env.USAGE_VIEWS_TABLE),
    desk: parkingDesk(client, env.USAGE_VIEWS_TABLE),
    queue,
    voids: { claims, queue, clock: systemClock, headers: new Map() },
    jobs: usageJobs(client, env.BILLING_TABLE),
    jobQueue: jobQueue(queueClient(), env.JOB_QUEUE_URL),
    registry: usageRegistry(client, env.USAGE_VIEWS_TABLE),
    headers: claims,
    log: usageLog(client, env.USAGE_LOG_TABLE),
    search: usageLogSearch(client, env.USAGE_LOG_TABLE),
  };
}
