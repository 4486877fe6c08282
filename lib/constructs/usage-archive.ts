import { Duration, TimeZone } from 'aws-cdk-lib';
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import type { StageConfig } from '../config.ts';
import type { DataStack } from '../data-stack.ts';
import { type AlarmRegistry, serviceName } from './alarm-registry.ts';
import { DeadLetterQueue } from './dead-letter-queue.ts';
import { HouseFunction } from './house-function.ts';
import { HouseSchedule } from './house-schedule.ts';
import { allowFolding } from './usage-fold.ts';

export interface UsageArchiveProps {
  readonly config: StageConfig;
  readonly data: DataStack;
  readonly alarms: AlarmRegistry;
}

/** A partition expires 16 days after it may be archived. An alarm after four of them leaves twelve to repair the cause. */
const OVERDUE_HOURS = 4 * 24;

/** From the log to the archive, once a day: what can no longer change, before it expires. */
export class UsageArchive extends Construct {
  constructor(scope: Construct, id: string, props: UsageArchiveProps) {
    super(scope, id);
    const { config, data, alarms } = props;
    const archive = new HouseFunction<'archive-usage'>(this, 'ArchiveUsage', {
      name: 'archive-usage',
      config,
      description: 'Archives closed partitions of the usage log',
      environment: {
        BILLING_TABLE: data.billing.tableName,
        USAGE_CLAIMS_TABLE: data.usageClaims.tableName,
        USAGE_LOG_TABLE: data.usageLog.tableName,
        USAGE_VIEWS_TABLE: data.usageViews.tableName,
        ARCHIVE_BUCKET: data.archive.bucketName,
        POWERTOOLS_SERVICE_NAME: serviceName(config),
      },
      // It stops by itself two minutes before, and goes on the next day.
      timeout: Duration.minutes(15),
      // A partition of a million ids is about 100 MB compressed, held twice while it is sent.
      memoryMb: 1_769,
    });
    // What is not folded yet is folded first: only what is in the views is archived.
    allowFolding(archive, data)
      // The directory of projects, and the placement of each hour.
      .allow(['dynamodb:Query'], [data.billing.tableArn])
      .allow(['dynamodb:GetItem'], [data.usageClaims.tableArn])
      .allowWithin(
        ['s3:PutObject', 's3:GetObject'],
        data.archived('usage-log/*'),
        'Partitions are archived under their names, and compared with what is there already.',
      );
    new HouseSchedule(this, 'Daily', {
      // After the daily billing run at 01:00 has begun.
      expression: ScheduleExpression.cron({ minute: '30', hour: '2', timeZone: TimeZone.ETC_UTC }),
      description: 'Archives the log partitions that have closed',
      target: archive,
      input: {},
      deadLetters: new DeadLetterQueue(this, 'DeadLetters', {
        alarms,
        runbook: 'usage-archive-dead-letters',
        contents: 'Daily triggers of the archive',
      }),
      maximumAge: Duration.hours(12),
      retries: 5,
    });
    alarms.add(this, 'OverdueAlarm', {
      runbook: 'usage-archive-overdue',
      meaning: 'Partitions of the usage log have waited four days to be archived; they expire in twelve.',
      metric: alarms.ownMetric('ArchiveOverdueHours', 'Maximum', 60),
      threshold: OVERDUE_HOURS,
    });
    alarms.add(this, 'FailedAlarm', {
      runbook: 'usage-archive-failed',
      meaning: 'The daily archiving of the usage log failed.',
      metric: archive.lambda.metricErrors({ period: Duration.hours(1), statistic: 'Sum' }),
      // Lambda tries a call of the schedule three times.
      threshold: 3,
    });
  }
}
