/** Every event source mapping of the template: a poller each, with the permissions AWS asks for when one is made. */
import path from 'node:path';
import type { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { LocalClock } from '../parts/clock.ts';
import type { AppModel, EventSourceModel, FunctionModel } from '../template/model.ts';
import type { LambdaRuntime } from './lambda-runtime.ts';
import { QueuePoller } from './queue-poller.ts';
import type { BatchRecord } from './stream-batch.ts';
import { StreamPoller } from './stream-poller.ts';
import { StreamPosition } from './stream-position.ts';
import type { TargetDelivery } from './target-delivery.ts';

export interface EventSourcesOptions {
  readonly app: AppModel;
  readonly lambda: LambdaRuntime;
  readonly delivery: TargetDelivery;
  readonly clock: LocalClock;
  readonly sqsOf: (roleArn: string) => SQSClient;
  /** Speaks to DynamoDB Local. */
  readonly streams: DynamoDBStreamsClient;
  readonly refusal: (roleArn: string, action: string, resource: string) => Promise<string | undefined>;
  readonly positionFolder: string;
  readonly onProblem: (message: string) => void;
}

export interface EventSources {
  /** Stops reading at once; resolves when running invocations have ended. */
  stop(): Promise<void>;
}

const QUEUE_ACTIONS = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'];

/** @throws Error when a function's role may not read its source: AWS refuses such a mapping when it is deployed */
export async function startEventSources(options: EventSourcesOptions): Promise<EventSources> {
  const pollers: (QueuePoller | StreamPoller)[] = [];
  for (const source of options.app.eventSources.filter((candidate) => candidate.isEnabled)) {
    const fn = options.lambda.find(source.functionName);
    pollers.push(source.kind === 'queue' ? await queuePoller(source, fn, options) : streamPoller(source, fn, options));
  }
  for (const poller of pollers) poller.start();
  return {
    stop: async () => {
      await Promise.all(pollers.map((poller) => poller.stop()));
    },
  };
}

async function queuePoller(
  source: EventSourceModel,
  fn: FunctionModel,
  options: EventSourcesOptions,
): Promise<QueuePoller> {
  const { app, lambda, refusal, sqsOf, onProblem } = options;
  const queue = app.queues.find((candidate) => candidate.arn === source.sourceArn);
  if (queue === undefined) throw new Error(`event source ${source.id}: there is no queue ${source.sourceArn}`);
  if (queue.visibilityTimeoutSeconds < fn.timeoutSeconds) {
    throw new Error(
      `${queue.name}: its visibility timeout is shorter than the timeout of ${fn.name}; AWS refuses that`,
    );
  }
  for (const action of QUEUE_ACTIONS) {
    const refused = await refusal(fn.roleArn, action, queue.arn);
    if (refused !== undefined) throw new Error(`event source of ${fn.name}: ${refused}`);
  }
  return new QueuePoller({
    source,
    queue,
    region: app.region,
    client: sqsOf(fn.roleArn),
    invoke: (payload) => lambda.invoke(fn.arn, payload),
    onProblem,
  });
}

function streamPoller(source: EventSourceModel, fn: FunctionModel, options: EventSourcesOptions): StreamPoller {
  const { app, lambda, refusal, streams, positionFolder, onProblem } = options;
  const table = app.tables.find((candidate) => candidate.streamArn === source.sourceArn);
  if (table === undefined) throw new Error(`event source ${source.id}: there is no stream ${source.sourceArn}`);
  return new StreamPoller({
    source,
    tableName: table.name,
    region: app.region,
    client: streams,
    position: new StreamPosition(path.join(positionFolder, `${source.id}.json`)),
    mayRead: async (action) => {
      // ListStreams knows no resource but all; a grant on one stream allows nothing.
      const resource = action === 'dynamodb:ListStreams' ? '*' : source.sourceArn;
      const refused = await refusal(fn.roleArn, action, resource);
      if (refused !== undefined) throw new Error(`event source of ${fn.name}: ${refused}`);
    },
    invoke: (payload) => lambda.invoke(fn.arn, payload),
    giveUp: (records, condition, attempts, shardId) =>
      giveUp({ records, condition, attempts, shardId, source, fn }, options),
    onProblem,
  });
}

interface GivenUp {
  readonly records: readonly BatchRecord[];
  readonly condition: string;
  readonly attempts: number;
  readonly shardId: string;
  readonly source: EventSourceModel;
  readonly fn: FunctionModel;
}

/** What AWS sends to the on-failure destination of a stream: where the records are, not the records. */
async function giveUp(
  { records, condition, attempts, shardId, source, fn }: GivenUp,
  options: EventSourcesOptions,
): Promise<void> {
  const { delivery, clock, onProblem } = options;
  onProblem(`${fn.name}: ${records.length} stream records given up (${condition})`);
  if (source.onFailureArn === undefined) return;
  const arrival = (record: BatchRecord | undefined) => new Date(record?.createdAt ?? 0).toISOString();
  const message = {
    requestContext: {
      requestId: crypto.randomUUID(),
      functionArn: fn.arn,
      condition,
      approximateInvokeCount: attempts,
    },
    responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
    version: '1.0',
    timestamp: new Date(clock.now()).toISOString(),
    DDBStreamBatchInfo: {
      shardId,
      startSequenceNumber: records[0]?.sequenceNumber,
      endSequenceNumber: records.at(-1)?.sequenceNumber,
      approximateArrivalOfFirstRecord: arrival(records[0]),
      approximateArrivalOfLastRecord: arrival(records.at(-1)),
      batchSize: records.length,
      streamArn: source.sourceArn,
    },
  };
  await delivery.sendAsRole(fn.roleArn, source.onFailureArn, JSON.stringify(message));
}
