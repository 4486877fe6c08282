import { Duration } from 'aws-cdk-lib';
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import type { StageConfig } from '../config.ts';
import type { DataStack } from '../data-stack.ts';
import { type AlarmRegistry, serviceName } from './alarm-registry.ts';
import { HouseFunction } from './house-function.ts';
import { HouseSchedule } from './house-schedule.ts';
import { consumeStream } from './stream-consumer.ts';

export interface OutboxPublishingProps {
  readonly config: StageConfig;
  readonly data: DataStack;
  readonly alarms: AlarmRegistry;
}

/**
 * Events are written in the transaction that made them true; this sends them to the bus and then deletes them. Called by the
 * stream for new ones, each minute for any left over, and by the billing run before it ends.
 */
export class OutboxPublishing extends Construct {
  readonly publishOutbox: HouseFunction;

  constructor(scope: Construct, id: string, props: OutboxPublishingProps) {
    super(scope, id);
    const { config, data, alarms } = props;
    this.publishOutbox = new HouseFunction<'publish-outbox'>(this, 'PublishOutbox', {
      name: 'publish-outbox',
      config,
      description: 'Publishes the outbox to the event bus',
      environment: {
        BILLING_TABLE: data.billing.tableName,
        EVENT_BUS_NAME: data.bus.eventBusName,
        POWERTOOLS_SERVICE_NAME: serviceName(config),
      },
      timeout: Duration.seconds(60),
      memoryMb: 512,
    })
      .allow(['dynamodb:Query', 'dynamodb:BatchWriteItem'], [data.billing.tableArn])
      .allow(['events:PutEvents'], [data.bus.eventBusArn]);
    const deadLetters = consumeStream({
      alarms,
      table: data.billing,
      consumer: this.publishOutbox,
      batchSize: 100,
      windowSeconds: 1,
      newImage: { outbox: { S: ['1'] } },
      deadLetters: { runbook: 'outbox-dead-letters', contents: 'Hints to publish the outbox' },
    });
    new HouseSchedule(this, 'Leftovers', {
      expression: ScheduleExpression.rate(Duration.minutes(1)),
      description: 'Publishes what the stream did not announce',
      target: this.publishOutbox,
      input: {},
      deadLetters,
      // The next call comes in a minute.
      maximumAge: Duration.minutes(1),
      retries: 0,
    });
    alarms.add(this, 'AgeAlarm', {
      runbook: 'outbox-age',
      meaning: 'An event has waited ten minutes in the outbox.',
      metric: alarms.ownMetric('OutboxAgeSeconds', 'Maximum', 1),
      threshold: 600,
      periods: 2,
    });
  }
}
