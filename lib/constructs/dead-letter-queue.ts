import { Duration } from 'aws-cdk-lib';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { accept } from './accepted-findings.ts';
import type { AlarmRegistry, RunbookHeading } from './alarm-registry.ts';

export interface DeadLetterQueueProps {
  readonly alarms: AlarmRegistry;
  readonly runbook: RunbookHeading;
  /** What lies here, for the alarm's text: `Usage messages`. */
  readonly contents: string;
  /** Only for a queue that a function drains: at least six times that function's timeout. */
  readonly visibilityTimeout?: Duration;
}

/** A queue of last resort: kept for the fourteen days SQS allows, and an alarm as soon as anything lies in it. */
export class DeadLetterQueue extends Construct {
  readonly queue: Queue;

  constructor(scope: Construct, id: string, props: DeadLetterQueueProps) {
    super(scope, id);
    this.queue = new Queue(this, 'Queue', {
      retentionPeriod: Duration.days(14),
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      ...(props.visibilityTimeout === undefined ? {} : { visibilityTimeout: props.visibilityTimeout }),
    });
    accept(this.queue, 'AwsSolutions-SQS3', 'It is itself the dead-letter queue of a stream, a schedule or a queue.');
    props.alarms.add(this, 'Alarm', {
      runbook: props.runbook,
      meaning: `${props.contents} lie in the dead letters.`,
      metric: this.queue.metricApproximateNumberOfMessagesVisible({
        period: Duration.minutes(1),
        statistic: 'Maximum',
      }),
      threshold: 1,
    });
  }
}
