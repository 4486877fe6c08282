import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { StageConfig } from '../config.ts';
import type { DataStack } from '../data-stack.ts';
import type { AlarmRegistry } from './alarm-registry.ts';
import { HouseFunction } from './house-function.ts';
import { WorkQueue } from './work-queue.ts';

export interface UsageIngestProps {
  readonly config: StageConfig;
  readonly data: DataStack;
  readonly alarms: AlarmRegistry;
  /** Of the function that reads the queue; the queue's visibility timeout is six times this. */
  readonly appendTimeout: Duration;
  /** Of the function that drains the dead letters. */
  readonly parkTimeout: Duration;
}

/** The door: `post-events` validates, claims foreign ids and answers 202 once the usage queue has the events. */
export class UsageIngest extends Construct {
  readonly postEvents: HouseFunction;
  readonly work: WorkQueue;

  constructor(scope: Construct, id: string, props: UsageIngestProps) {
    super(scope, id);
    const { config, data, alarms } = props;
    this.work = new WorkQueue(this, 'Usage', {
      alarms,
      contents: 'Usage messages',
      deadLetters: {
        runbook: 'usage-ingest-dead-letters',
        visibilityTimeout: Duration.seconds(6 * props.parkTimeout.toSeconds()),
      },
      age: { runbook: 'usage-ingest-queue-age', minutes: 15 },
      consumerTimeout: props.appendTimeout,
      windowSeconds: config.usage.appendWindowSeconds,
      // 5 receives x (6 x 60 s + window): a message is tried for half an hour before it is parked.
      maxReceiveCount: 5,
    });
    this.postEvents = new HouseFunction<'post-events'>(this, 'PostEvents', {
      name: 'post-events',
      config,
      description: 'POST /v1/events: validates usage events and queues them',
      environment: {
        BILLING_TABLE: data.billing.tableName,
        USAGE_CLAIMS_TABLE: data.usageClaims.tableName,
        USAGE_QUEUE_URL: this.work.queue.queueUrl,
        PEPPER_SECRET_ID: data.pepper.secretArn,
        RATE_LIMITS: JSON.stringify(config.rateLimits),
      },
      // The HTTP API gives up at 30 s; one second less, so that the answer is ours.
      timeout: Duration.seconds(29),
      // Mostly it waits for the queue, and waiting is billed by memory; a full megabyte is still read in well under 0.1 s.
      memoryMb: 512,
    })
      .allow(['dynamodb:GetItem'], [data.billing.tableArn])
      // Claims, and blocks of what a rate limit still allows.
      .allow(['dynamodb:PutItem'], [data.usageClaims.tableArn])
      .allow(['sqs:SendMessage'], [this.work.queue.queueArn])
      .allow(['secretsmanager:GetSecretValue'], [data.pepper.secretArn]);
  }
}
