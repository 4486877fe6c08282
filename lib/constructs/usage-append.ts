import type { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { StageConfig } from '../config.ts';
import type { DataStack } from '../data-stack.ts';
import { type AlarmRegistry, serviceName } from './alarm-registry.ts';
import { HouseFunction } from './house-function.ts';
import { consumeQueue, type WorkQueue } from './work-queue.ts';

export interface UsageAppendProps {
  readonly config: StageConfig;
  readonly data: DataStack;
  readonly alarms: AlarmRegistry;
  readonly work: WorkQueue;
  readonly appendTimeout: Duration;
  readonly parkTimeout: Duration;
}

/**
 * The only writer of the usage log, and the parking of what it could not write. Dead letters expire after fourteen days,
 * so a function moves them into a table, under a name, where they stay until somebody replays or discards them.
 */
export class UsageAppend extends Construct {
  constructor(scope: Construct, id: string, props: UsageAppendProps) {
    super(scope, id);
    const { config, data, alarms, work } = props;
    const append = new HouseFunction<'append-usage'>(this, 'AppendUsage', {
      name: 'append-usage',
      config,
      description: 'Appends usage to the log, one conditional chunk per partition',
      environment: { USAGE_LOG_TABLE: data.usageLog.tableName, USAGE_VIEWS_TABLE: data.usageViews.tableName },
      timeout: props.appendTimeout,
      memoryMb: 1_769,
    })
      .allow(['dynamodb:Query', 'dynamodb:PutItem'], [data.usageLog.tableArn])
      .allow(['dynamodb:PutItem'], [data.usageViews.tableArn]);
    const { appendWindowSeconds: windowSeconds, appendConcurrency: concurrency } = config.usage;
    consumeQueue(work.queue, append, { batchSize: 5_000, windowSeconds, concurrency });

    const park = new HouseFunction<'park-messages'>(this, 'ParkMessages', {
      name: 'park-messages',
      config,
      description: 'Moves dead usage messages into durable parking',
      environment: { USAGE_VIEWS_TABLE: data.usageViews.tableName, POWERTOOLS_SERVICE_NAME: serviceName(config) },
      timeout: props.parkTimeout,
      memoryMb: 256,
    }).allow(['dynamodb:PutItem'], [data.usageViews.tableArn]);
    consumeQueue(work.deadLetters.queue, park, { batchSize: 10, windowSeconds: 0, concurrency: 2 });
    alarms.add(park, 'ParkedAlarm', {
      runbook: 'usage-parked-messages',
      meaning: 'Usage messages were parked: accepted, not counted.',
      metric: alarms.ownMetric('ParkedMessages', 'Sum', 1),
      threshold: 1,
    });
  }
}
