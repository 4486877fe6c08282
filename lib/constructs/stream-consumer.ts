import { Duration } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { EventSourceMapping, FilterRule, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import type { AlarmRegistry, RunbookHeading } from './alarm-registry.ts';
import { DeadLetterQueue } from './dead-letter-queue.ts';
import type { HouseFunction } from './house-function.ts';

export interface StreamConsumerProps {
  readonly alarms: AlarmRegistry;
  readonly table: Table;
  readonly consumer: HouseFunction;
  /** 1 to 10,000 records. */
  readonly batchSize: number;
  readonly windowSeconds: number;
  /** Beside INSERT: what the new item must look like. */
  readonly newImage?: Readonly<Record<string, { readonly S: readonly string[] }>>;
  readonly deadLetters: { readonly runbook: RunbookHeading; readonly contents: string };
}

/** Five tries, each at most the function's timeout, then the halves of a batch by themselves: far below the stream's 24 hours. */
const RETRIES = 5;

/**
 * Lets `consumer` read the new items of `table` from its stream. A record that keeps failing is set apart (batches are
 * halved first) and its position goes to the dead letters, so that it cannot hold up its neighbours.
 */
export function consumeStream(props: StreamConsumerProps): DeadLetterQueue {
  const { table, consumer, alarms } = props;
  const streamArn = table.tableStreamArn;
  if (streamArn === undefined) throw new Error(`Table ${table.node.id} has no stream to consume.`);
  const deadLetters = new DeadLetterQueue(consumer, 'DeadLetters', { alarms, ...props.deadLetters });
  consumer
    .allow(['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator'], [streamArn])
    .allow(['sqs:SendMessage'], [deadLetters.queue.queueArn])
    // ListStreams knows no resource but `*`; Lambda refuses an event source mapping without it.
    .allowWithin(['dynamodb:ListStreams'], '*', 'dynamodb:ListStreams knows no resource but *.');
  new EventSourceMapping(consumer, 'Records', {
    target: consumer.lambda,
    eventSourceArn: streamArn,
    startingPosition: StartingPosition.TRIM_HORIZON,
    batchSize: props.batchSize,
    maxBatchingWindow: Duration.seconds(props.windowSeconds),
    bisectBatchOnError: true,
    reportBatchItemFailures: true,
    retryAttempts: RETRIES,
    parallelizationFactor: 1,
    filters: [insertsOnly(props.newImage)],
    onFailure: { bind: () => ({ destination: deadLetters.queue.queueArn }) },
  });
  return deadLetters;
}

function insertsOnly(newImage: StreamConsumerProps['newImage']): { pattern: string } {
  return {
    pattern: JSON.stringify({
      eventName: FilterRule.isEqual('INSERT'),
      ...(newImage === undefined ? {} : { dynamodb: { NewImage: newImage } }),
    }),
  };
}
