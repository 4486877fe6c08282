import { Duration, TimeZone } from 'aws-cdk-lib';
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import type { EnvOf } from '../../lambdas/shared/env.ts';
import type { StageConfig } from '../config.ts';
import type { DataStack } from '../data-stack.ts';
import { type AlarmRegistry, serviceName } from './alarm-registry.ts';
import type { DeadLetterQueue } from './dead-letter-queue.ts';
import { HouseFunction } from './house-function.ts';
import { HouseSchedule } from './house-schedule.ts';
import { consumeStream } from './stream-consumer.ts';
import type { WorkQueue } from './work-queue.ts';

export interface UsageFoldProps {
  readonly config: StageConfig;
  readonly data: DataStack;
  readonly alarms: AlarmRegistry;
  /** The usage queue: what was consumed and never sent is sent by the sweep. */
  readonly usage: WorkQueue;
}

/** What every folder does: read the log above its cursor, read and write views and cursors, read what a project asked for. */
export function allowFolding<F extends HouseFunction>(folder: F, data: DataStack): F {
  folder
    .allow(['dynamodb:Query'], [data.usageLog.tableArn])
    // A view that grows too large is split in one transaction of puts; a transaction is allowed by its parts.
    .allow(['dynamodb:GetItem', 'dynamodb:PutItem'], [data.usageViews.tableArn])
    // The quotas of the customers whose views were written follow them.
    .allow(['dynamodb:Query', 'dynamodb:UpdateItem'], [data.usageViews.tableArn])
    .allow(['dynamodb:GetItem'], [data.billing.tableArn]);
  return folder;
}

/** From log to views: woken by the stream, which is only a hint, and by a sweep every minute, which finds what it missed. */
export class UsageFold extends Construct {
  constructor(scope: Construct, id: string, props: UsageFoldProps) {
    super(scope, id);
    const { config, data, alarms } = props;
    const environment = {
      BILLING_TABLE: data.billing.tableName,
      USAGE_LOG_TABLE: data.usageLog.tableName,
      USAGE_VIEWS_TABLE: data.usageViews.tableName,
      MAX_VIEW_AGE_SECONDS: String(config.usage.maxViewAgeSeconds),
      MAX_QUOTA_AGE_SECONDS: String(config.usage.maxQuotaAgeSeconds),
      POWERTOOLS_SERVICE_NAME: serviceName(config),
    };
    const fold = new HouseFunction<'fold-usage'>(this, 'FoldUsage', {
      name: 'fold-usage',
      config,
      description: 'Folds new chunks of the usage log into the views',
      environment,
      // A hundred thousand events of ten thousand customers, each with a view to be written.
      timeout: Duration.minutes(5),
      memoryMb: 1_024,
    });
    const deadLetters = consumeStream({
      alarms,
      table: data.usageLog,
      consumer: allowFolding(fold, data),
      batchSize: 1_000,
      windowSeconds: config.usage.foldWindowSeconds,
      deadLetters: { runbook: 'usage-fold-dead-letters', contents: 'Hints to fold' },
    });
    this.sweep(props, { ...environment, USAGE_QUEUE_URL: props.usage.queue.queueUrl }, deadLetters);
    alarms.add(this, 'UnsentAlarm', {
      runbook: 'entitlements-unsent',
      meaning: 'What was consumed has waited ten minutes to be recorded.',
      metric: alarms.ownMetric('UnsentConsumptionSeconds', 'Maximum', 1),
      threshold: 600,
    });
    alarms.add(this, 'LagAlarm', {
      runbook: 'usage-fold-lag',
      meaning: 'Usage views are more than twice as old as they may become.',
      metric: alarms.ownMetric('FoldLagSeconds', 'Maximum', 1),
      // A partition is due at the largest view age; the sweep's minute and the fold itself come on top.
      threshold: 2 * config.usage.maxViewAgeSeconds + 120,
      periods: 3,
    });
  }

  private sweep(
    { config, data, usage }: UsageFoldProps,
    environment: EnvOf<'sweep-usage'>,
    deadLetters: DeadLetterQueue,
  ): void {
    const sweep = new HouseFunction<'sweep-usage'>(this, 'SweepUsage', {
      name: 'sweep-usage',
      config,
      description: 'Folds what the stream did not announce',
      environment,
      // The daily sweep looks at 40 days of hours. Two sweeps at once are harmless.
      timeout: Duration.minutes(10),
      memoryMb: 1_024,
    });
    allowFolding(sweep, data)
      // The directory of projects, and what was appended to in which hour.
      .allow(['dynamodb:Query'], [data.billing.tableArn, data.usageViews.tableArn])
      // Consumptions whose caller died before it sent their events.
      .allow(['dynamodb:DeleteItem'], [data.usageViews.tableArn])
      .allow(['sqs:SendMessage'], [usage.queue.queueArn]);
    new HouseSchedule(this, 'RecentSweep', {
      expression: ScheduleExpression.rate(Duration.minutes(1)),
      description: 'Sweeps the last three append hours',
      target: sweep,
      input: { scope: 'recent' },
      deadLetters,
      // The next call comes in a minute.
      maximumAge: Duration.minutes(1),
      retries: 0,
    });
    new HouseSchedule(this, 'DailySweep', {
      // Before the daily billing run at 01:00.
      expression: ScheduleExpression.cron({ minute: '15', hour: '0', timeZone: TimeZone.ETC_UTC }),
      description: 'Sweeps every append hour that may still hold something',
      target: sweep,
      input: { scope: 'daily' },
      deadLetters,
      maximumAge: Duration.hours(12),
      retries: 5,
    });
  }
}
