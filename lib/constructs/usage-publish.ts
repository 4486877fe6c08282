import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { StageConfig } from '../config.ts';
import type { DataStack } from '../data-stack.ts';
import type { AlarmRegistry } from './alarm-registry.ts';
import { HouseFunction } from './house-function.ts';
import { consumeStream } from './stream-consumer.ts';

export interface UsagePublishProps {
  readonly config: StageConfig;
  readonly data: DataStack;
  readonly alarms: AlarmRegistry;
}

/** Tells the rest of the company what was recorded: one `UsageRecorded` per chunk, its id derived from the chunk's key. */
export class UsagePublish extends Construct {
  constructor(scope: Construct, id: string, props: UsagePublishProps) {
    super(scope, id);
    const { config, data, alarms } = props;
    const publish = new HouseFunction<'publish-usage'>(this, 'PublishUsage', {
      name: 'publish-usage',
      config,
      description: 'Publishes UsageRecorded for each chunk of the usage log',
      environment: { EVENT_BUS_NAME: data.bus.eventBusName },
      timeout: Duration.seconds(30),
      memoryMb: 512,
    }).allow(['events:PutEvents'], [data.bus.eventBusArn]);
    consumeStream({
      alarms,
      table: data.usageLog,
      consumer: publish,
      batchSize: 100,
      windowSeconds: config.usage.foldWindowSeconds,
      deadLetters: { runbook: 'usage-publish-dead-letters', contents: 'Chunks whose UsageRecorded was not published' },
    });
  }
}
