import { Duration, TimeZone } from 'aws-cdk-lib';
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import type { StageConfig } from '../config.ts';
import type { DataStack } from '../data-stack.ts';
import { type AlarmRegistry, serviceName } from './alarm-registry.ts';
import { DeadLetterQueue } from './dead-letter-queue.ts';
import { HouseFunction } from './house-function.ts';
import { HouseSchedule } from './house-schedule.ts';

export interface UsageReconciliationProps {
  readonly config: StageConfig;
  readonly data: DataStack;
  readonly alarms: AlarmRegistry;
}

/** Each day at 00:30 UTC: a sample of the views held against the log they were counted from. Billing runs do it for all they rate. */
export class UsageReconciliation extends Construct {
  constructor(scope: Construct, id: string, props: UsageReconciliationProps) {
    super(scope, id);
    const { config, data, alarms } = props;
    const { billing, usageLog, usageViews } = data;
    const reconcile = new HouseFunction<'reconcile-sample'>(this, 'ReconcileSample', {
      name: 'reconcile-sample',
      config,
      description: 'Holds a sample of the usage views against the log',
      environment: {
        BILLING_TABLE: billing.tableName,
        USAGE_LOG_TABLE: usageLog.tableName,
        USAGE_VIEWS_TABLE: usageViews.tableName,
        RECONCILE_ONE_IN: String(config.usage.reconcileOneIn),
        POWERTOOLS_SERVICE_NAME: serviceName(config),
      },
      timeout: Duration.minutes(15),
      memoryMb: 1_769,
    })
      .allow(['dynamodb:Query'], [usageLog.tableArn, usageViews.tableArn])
      // Fold cursors, and the disputes it opens.
      .allow(['dynamodb:GetItem', 'dynamodb:PutItem'], [usageViews.tableArn])
      // Projects and meters.
      .allow(['dynamodb:GetItem', 'dynamodb:Query'], [billing.tableArn]);
    new HouseSchedule(this, 'Daily', {
      expression: ScheduleExpression.cron({ minute: '30', hour: '0', timeZone: TimeZone.ETC_UTC }),
      description: 'Holds a sample of the usage views against the log',
      target: reconcile,
      input: {},
      deadLetters: new DeadLetterQueue(this, 'DeadLetters', {
        alarms,
        runbook: 'usage-reconcile-dead-letters',
        contents: 'Daily reconciliation triggers',
      }),
      maximumAge: Duration.hours(12),
      retries: 5,
    });
    alarms.add(this, 'DisputedAlarm', {
      runbook: 'usage-disputed',
      meaning: 'Usage views do not agree with the log, or could not be held against it.',
      metric: alarms.ownMetric('DisputedDays', 'Sum', 5),
      threshold: 1,
    });
  }
}
