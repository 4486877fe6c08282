import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IMetric, Metric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import type { MetricName, MetricsNamespace } from '../../lambdas/shared/metric-names.ts';
import type { StageConfig } from '../config.ts';

const RUNBOOK = 'docs/runbook.md';
const NAMESPACE: MetricsNamespace = 'Countinghouse';

/** Every heading of the runbook that an alarm points at. test/lib compares this list with docs/runbook.md both ways. */
export const RUNBOOK_HEADINGS = [
  'usage-ingest-queue-age',
  'usage-ingest-dead-letters',
  'usage-parked-messages',
  'usage-fold-lag',
  'usage-fold-dead-letters',
  'usage-publish-dead-letters',
  'usage-disputed',
  'usage-reconcile-dead-letters',
  'usage-job-queue-age',
  'usage-job-dead-letters',
  'usage-archive-overdue',
  'usage-archive-failed',
  'usage-archive-dead-letters',
  'entitlements-unsent',
  'api-server-errors',
  'billing-run-failed',
  'billing-schedule-dead-letters',
  'outbox-age',
  'outbox-dead-letters',
  'webhook-failed',
  'webhook-queue-age',
  'webhook-dead-letters',
] as const;
export type RunbookHeading = (typeof RUNBOOK_HEADINGS)[number];

export interface HouseAlarm {
  /** The heading of docs/runbook.md that says what to do. */
  readonly runbook: RunbookHeading;
  /** What is wrong when it rings, in one sentence. */
  readonly meaning: string;
  readonly metric: IMetric;
  /** It rings at this value or above. */
  readonly threshold: number;
  /** How many periods in a row; 1 by default. */
  readonly periods?: number;
}

/** Every alarm of the product, and the one topic they go to. Missing data is good news: nothing happened. */
export class AlarmRegistry extends Construct {
  readonly topic: Topic;
  private readonly config: StageConfig;

  constructor(scope: Construct, id: string, config: StageConfig) {
    super(scope, id);
    this.config = config;
    this.topic = new Topic(this, 'Topic', { displayName: `Countinghouse ${config.stage} alarms`, enforceSSL: true });
    if (config.alarmEmail !== undefined) this.topic.addSubscription(new EmailSubscription(config.alarmEmail));
  }

  /** Adds one alarm. `scope` is the construct that owns what the alarm watches. */
  add(scope: Construct, id: string, alarm: HouseAlarm): void {
    new Alarm(scope, id, {
      alarmDescription: `${alarm.meaning} What to do: ${RUNBOOK}#${alarm.runbook}`,
      metric: alarm.metric,
      threshold: alarm.threshold,
      evaluationPeriods: alarm.periods ?? 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    }).addAlarmAction(new SnsAction(this.topic));
  }

  /** A metric the functions emit themselves (lambdas/shared/metric-names.ts), of this stage. */
  ownMetric(name: MetricName, statistic: 'Maximum' | 'Sum', periodMinutes: number): Metric {
    return new Metric({
      namespace: NAMESPACE,
      metricName: name,
      dimensionsMap: { service: serviceName(this.config) },
      statistic,
      period: Duration.minutes(periodMinutes),
    });
  }
}

/** The value of POWERTOOLS_SERVICE_NAME, and so of the `service` dimension of every metric of a stage. */
export function serviceName(config: StageConfig): string {
  return `countinghouse-${config.stage}`;
}
