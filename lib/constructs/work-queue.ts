import { Duration } from 'aws-cdk-lib';
import { EventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { AlarmRegistry, RunbookHeading } from './alarm-registry.ts';
import { DeadLetterQueue } from './dead-letter-queue.ts';
import type { HouseFunction } from './house-function.ts';

export interface WorkQueueProps {
  readonly alarms: AlarmRegistry;
  /** What a message is, for the alarms' texts: `Usage messages`. */
  readonly contents: string;
  readonly deadLetters: { readonly runbook: RunbookHeading; readonly visibilityTimeout?: Duration };
  /** Rings when the oldest message has waited so long. */
  readonly age: { readonly runbook: RunbookHeading; readonly minutes: number };
  readonly consumerTimeout: Duration;
  readonly windowSeconds: number;
  readonly maxReceiveCount: number;
}

/** SQS's largest message since August 2025; a request of 1 MiB travels in several messages. */
const LARGEST_MESSAGE_BYTES = 1_048_576;

/** A queue with its dead letters, redrive and two alarms: work that is accepted here is done, or somebody is told. */
export class WorkQueue extends Construct {
  readonly queue: Queue;
  readonly deadLetters: DeadLetterQueue;

  constructor(scope: Construct, id: string, props: WorkQueueProps) {
    super(scope, id);
    const { alarms, contents } = props;
    this.deadLetters = new DeadLetterQueue(this, 'DeadLetters', { alarms, contents, ...props.deadLetters });
    this.queue = new Queue(this, 'Queue', {
      retentionPeriod: Duration.days(14),
      // AWS asks for six times the consumer's timeout, plus the window in which a batch is gathered.
      visibilityTimeout: Duration.seconds(6 * props.consumerTimeout.toSeconds() + props.windowSeconds),
      maxMessageSizeBytes: LARGEST_MESSAGE_BYTES,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      deadLetterQueue: { queue: this.deadLetters.queue, maxReceiveCount: props.maxReceiveCount },
    });
    alarms.add(this, 'AgeAlarm', {
      runbook: props.age.runbook,
      meaning: `${contents} have waited ${props.age.minutes} minutes.`,
      metric: this.queue.metricApproximateAgeOfOldestMessage({ period: Duration.minutes(1), statistic: 'Maximum' }),
      threshold: props.age.minutes * 60,
      periods: 3,
    });
  }
}

export interface QueueConsumerProps {
  /** 1 to 10,000; above 10 a window is needed. The invocation's 6 MB bound it too. */
  readonly batchSize: number;
  readonly windowSeconds: number;
  /** 2 to 1,000. */
  readonly concurrency: number;
}

/** Lets `consumer` read `queue` in batches and report the messages it could not finish. */
export function consumeQueue(queue: Queue, consumer: HouseFunction, props: QueueConsumerProps): void {
  consumer.allow(['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], [queue.queueArn]);
  new EventSourceMapping(consumer, 'Messages', {
    target: consumer.lambda,
    eventSourceArn: queue.queueArn,
    batchSize: props.batchSize,
    maxBatchingWindow: Duration.seconds(props.windowSeconds),
    maxConcurrency: props.concurrency,
    reportBatchItemFailures: true,
  });
}
