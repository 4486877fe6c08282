import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { StageConfig } from '../config.ts';
import type { DataStack } from '../data-stack.ts';
import type { AlarmRegistry } from './alarm-registry.ts';
import { HouseFunction } from './house-function.ts';
import { allowFolding } from './usage-fold.ts';
import { consumeQueue, WorkQueue } from './work-queue.ts';

export interface UsageJobsProps {
  readonly config: StageConfig;
  readonly data: DataStack;
  readonly alarms: AlarmRegistry;
  /** The usage queue, to which a job hands its voids. */
  readonly usage: WorkQueue;
}

/** A step stops itself after two minutes; the rest is for what it has begun. */
const STEP_TIMEOUT = Duration.minutes(5);

/** Work on usage that takes longer than a request, done step by step: one message, one step, and a message for the next. */
export class UsageJobs extends Construct {
  readonly work: WorkQueue;
  readonly run: HouseFunction;

  constructor(scope: Construct, id: string, props: UsageJobsProps) {
    super(scope, id);
    const { config, data, alarms } = props;
    this.work = new WorkQueue(this, 'Jobs', {
      alarms,
      contents: 'Steps of usage jobs',
      deadLetters: { runbook: 'usage-job-dead-letters' },
      age: { runbook: 'usage-job-queue-age', minutes: 60 },
      consumerTimeout: STEP_TIMEOUT,
      windowSeconds: 0,
      // 3 receives x 6 x 300 s: a step is tried for an hour and a half.
      maxReceiveCount: 3,
    });
    this.run = allowFolding(
      new HouseFunction<'run-usage-job'>(this, 'RunUsageJob', {
        name: 'run-usage-job',
        config,
        description: 'Does the next step of a job on usage',
        environment: {
          BILLING_TABLE: data.billing.tableName,
          USAGE_LOG_TABLE: data.usageLog.tableName,
          USAGE_VIEWS_TABLE: data.usageViews.tableName,
          JOB_QUEUE_URL: this.work.queue.queueUrl,
          USAGE_QUEUE_URL: props.usage.queue.queueUrl,
        },
        timeout: STEP_TIMEOUT,
        memoryMb: 1_769,
      }),
      data,
    )
      // Views of a day, the customers that have some, and what was appended when.
      .allow(['dynamodb:Query'], [data.usageViews.tableArn])
      // Plans and price lists, which say whether a meter is billed; the job itself is written.
      .allow(['dynamodb:Query', 'dynamodb:PutItem'], [data.billing.tableArn])
      // The next step; and voids, which go the way of events.
      .allow(['sqs:SendMessage'], [this.work.queue.queueArn, props.usage.queue.queueArn]);
    consumeQueue(this.work.queue, this.run, { batchSize: 1, windowSeconds: 0, concurrency: 4 });
  }
}
