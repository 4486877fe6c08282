import { Duration, TimeZone } from 'aws-cdk-lib';
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import type { StageConfig } from '../config.ts';
import type { DataStack } from '../data-stack.ts';
import type { AlarmRegistry } from './alarm-registry.ts';
import type { BillingWorkflow } from './billing-workflow.ts';
import { DeadLetterQueue } from './dead-letter-queue.ts';
import { HouseFunction } from './house-function.ts';
import { HouseSchedule } from './house-schedule.ts';

export interface BillingScheduleProps {
  readonly config: StageConfig;
  readonly data: DataStack;
  readonly alarms: AlarmRegistry;
  readonly workflow: BillingWorkflow;
}

/** Each day at 01:00 UTC: one run per project that has something due. A run bills whatever has closed, so a missed day heals. */
export class BillingSchedule extends Construct {
  constructor(scope: Construct, id: string, props: BillingScheduleProps) {
    super(scope, id);
    const { config, data, alarms, workflow } = props;
    const startDueRuns = new HouseFunction<'start-due-runs'>(this, 'StartDueRuns', {
      name: 'start-due-runs',
      config,
      description: 'Starts a billing run for each project with something due',
      environment: {
        BILLING_TABLE: data.billing.tableName,
        BILLING_MACHINE_ARN: workflow.machine.stateMachineArn,
      },
      timeout: Duration.minutes(5),
      memoryMb: 512,
    })
      .allow(['dynamodb:Query', 'dynamodb:GetItem', 'dynamodb:PutItem'], [data.billing.tableArn])
      .allow(['dynamodb:Query'], [`${data.billing.tableArn}/index/by_project`]);
    workflow.allowStarting(startDueRuns);
    new HouseSchedule(this, 'Daily', {
      expression: ScheduleExpression.cron({ minute: '0', hour: '1', timeZone: TimeZone.ETC_UTC }),
      description: 'Bills what has closed',
      target: startDueRuns,
      input: {},
      deadLetters: new DeadLetterQueue(this, 'DeadLetters', {
        alarms,
        runbook: 'billing-schedule-dead-letters',
        contents: 'Daily billing triggers',
      }),
      // Up to twelve hours late is still today; after that tomorrow's run bills it.
      maximumAge: Duration.hours(12),
      retries: 20,
    });
  }
}
