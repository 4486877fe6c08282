import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { StageConfig } from '../config.ts';
import type { DataStack } from '../data-stack.ts';
import { serviceName } from './alarm-registry.ts';
import { HouseFunction } from './house-function.ts';
import type { StripeSecrets } from './stripe-secrets.ts';
import { allowFolding } from './usage-fold.ts';
import type { WorkQueue } from './work-queue.ts';

export interface BillingStepsProps {
  readonly config: StageConfig;
  readonly data: DataStack;
  readonly secrets: StripeSecrets;
  /** The usage queue, whose depth a run's report tells. */
  readonly usage: WorkQueue;
}

/** The state machine gives each task 900 s (its TimeoutSeconds), Lambda's own maximum; a step stops itself before that. */
const STEP_TIMEOUT = Duration.minutes(15);
const ARCHIVE_REASON = 'Objects are named by run and by content; each function keeps to one prefix.';

/** The functions that the monthly workflow calls, in its order. */
export class BillingSteps extends Construct {
  readonly settleUsage: HouseFunction;
  readonly reconcileUsage: HouseFunction;
  readonly writeManifest: HouseFunction;
  readonly rateAccounts: HouseFunction;
  readonly issueInvoices: HouseFunction;
  readonly pushInvoices: HouseFunction;
  readonly finishRun: HouseFunction;

  constructor(scope: Construct, id: string, props: BillingStepsProps) {
    super(scope, id);
    this.settleUsage = this.settling(props);
    this.reconcileUsage = this.reconciling(props);
    this.writeManifest = this.manifest(props);
    this.rateAccounts = this.rating(props);
    this.issueInvoices = this.issuing(props);
    this.pushInvoices = this.pushing(props);
    this.finishRun = this.finishing(props);
  }

  private settling({ config, data, usage }: BillingStepsProps): HouseFunction {
    const settle = new HouseFunction<'settle-usage'>(this, 'SettleUsage', {
      name: 'settle-usage',
      config,
      description: 'Folds inline what the period still has in the log',
      environment: {
        BILLING_TABLE: data.billing.tableName,
        USAGE_LOG_TABLE: data.usageLog.tableName,
        USAGE_VIEWS_TABLE: data.usageViews.tableName,
        USAGE_QUEUE_URL: usage.queue.queueUrl,
        USAGE_DEAD_LETTERS_URL: usage.deadLetters.queue.queueUrl,
      },
      timeout: STEP_TIMEOUT,
      memoryMb: 1_769,
    });
    return (
      allowFolding(settle, data)
        // The registry and the parking lot; the earliest open subscription; what was settled, noted on the run.
        .allow(['dynamodb:Query'], [data.usageViews.tableArn, `${data.billing.tableArn}/index/by_project`])
        .allow(['dynamodb:UpdateItem'], [data.billing.tableArn])
        // How much is still queued, for the report.
        .allow(['sqs:GetQueueAttributes'], [usage.queue.queueArn, usage.deadLetters.queue.queueArn])
    );
  }

  private reconciling({ config, data }: BillingStepsProps): HouseFunction {
    const { billing, usageLog, usageViews } = data;
    return (
      new HouseFunction<'reconcile-usage'>(this, 'ReconcileUsage', {
        name: 'reconcile-usage',
        config,
        description: 'Holds the views that are about to be rated against the log',
        environment: {
          BILLING_TABLE: billing.tableName,
          USAGE_LOG_TABLE: usageLog.tableName,
          USAGE_VIEWS_TABLE: usageViews.tableName,
          POWERTOOLS_SERVICE_NAME: serviceName(config),
        },
        timeout: STEP_TIMEOUT,
        memoryMb: 1_769,
      })
        .allow(['dynamodb:Query'], [usageLog.tableArn, usageViews.tableArn])
        // Fold cursors, and the disputes it opens.
        .allow(['dynamodb:GetItem', 'dynamodb:PutItem'], [usageViews.tableArn])
        // Meters, who is due, and the run's record, which says what came of it.
        .allow(['dynamodb:GetItem', 'dynamodb:UpdateItem'], [billing.tableArn])
        .allow(['dynamodb:Query'], [`${billing.tableArn}/index/by_project`])
    );
  }

  private manifest({ config, data }: BillingStepsProps): HouseFunction {
    const { archive, billing } = data;
    return new HouseFunction<'write-manifest'>(this, 'WriteManifest', {
      name: 'write-manifest',
      config,
      description: 'Lists the billing accounts that are due',
      environment: { BILLING_TABLE: billing.tableName, ARCHIVE_BUCKET: archive.bucketName },
      timeout: STEP_TIMEOUT,
      memoryMb: 1_024,
    })
      .allow(['dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:UpdateItem'], [billing.tableArn])
      .allow(['dynamodb:Query'], [`${billing.tableArn}/index/by_project`])
      .allowWithin(['s3:PutObject', 's3:GetObject'], data.archived('manifests/*'), ARCHIVE_REASON);
  }

  private rating({ config, data }: BillingStepsProps): HouseFunction {
    const { archive, billing, usageViews } = data;
    return new HouseFunction<'rate-accounts'>(this, 'RateAccounts', {
      name: 'rate-accounts',
      config,
      description: 'Rates due accounts and drafts their invoices, with the evidence',
      environment: {
        BILLING_TABLE: billing.tableName,
        USAGE_VIEWS_TABLE: usageViews.tableName,
        ARCHIVE_BUCKET: archive.bucketName,
      },
      timeout: STEP_TIMEOUT,
      memoryMb: 1_769,
    })
      .allow(['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query', 'dynamodb:PutItem'], [billing.tableArn])
      .allow(['dynamodb:Query'], [usageViews.tableArn])
      .allowWithin(['s3:PutObject'], data.archived('evidence/*'), ARCHIVE_REASON);
  }

  private issuing({ config, data }: BillingStepsProps): HouseFunction {
    return new HouseFunction<'issue-invoices'>(this, 'IssueInvoices', {
      name: 'issue-invoices',
      config,
      description: 'Issues drafts: the gapless number in the issuing transaction',
      environment: { BILLING_TABLE: data.billing.tableName },
      timeout: STEP_TIMEOUT,
      memoryMb: 1_024,
    }).allow(
      ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'],
      [data.billing.tableArn],
    );
  }

  private pushing({ config, data, secrets }: BillingStepsProps): HouseFunction {
    const push = new HouseFunction<'push-invoices'>(this, 'PushInvoices', {
      name: 'push-invoices',
      config,
      description: 'Brings issued invoices to Stripe and takes the payment',
      environment: { BILLING_TABLE: data.billing.tableName, STRIPE_SECRET_PREFIX: secrets.prefix },
      timeout: STEP_TIMEOUT,
      memoryMb: 1_024,
    }).allow(['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'], [data.billing.tableArn]);
    secrets.allowReading(push);
    return push;
  }

  private finishing({ config, data }: BillingStepsProps): HouseFunction {
    return new HouseFunction<'finish-run'>(this, 'FinishRun', {
      name: 'finish-run',
      config,
      description: "Writes the run's report from its outcomes",
      environment: {
        BILLING_TABLE: data.billing.tableName,
        ARCHIVE_BUCKET: data.archive.bucketName,
        POWERTOOLS_SERVICE_NAME: serviceName(config),
      },
      timeout: STEP_TIMEOUT,
      memoryMb: 512,
    })
      .allow(['dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:PutItem'], [data.billing.tableArn])
      .allowWithin(['s3:GetObject'], data.archived('manifests/*'), ARCHIVE_REASON);
  }
}
