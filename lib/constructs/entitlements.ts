import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { StageConfig } from '../config.ts';
import type { DataStack } from '../data-stack.ts';
import { HouseFunction } from './house-function.ts';
import type { WorkQueue } from './work-queue.ts';

export interface EntitlementsProps {
  readonly config: StageConfig;
  readonly data: DataStack;
  /** The usage queue, to which what was consumed is sent. */
  readonly usage: WorkQueue;
}

/** Checks and consumptions of what a customer may do. A function of its own: small, so that it starts fast, and asked before every use. */
export class Entitlements extends Construct {
  readonly function: HouseFunction;

  constructor(scope: Construct, id: string, props: EntitlementsProps) {
    super(scope, id);
    const { config, data } = props;
    this.function = new HouseFunction<'entitlements'>(this, 'Function', {
      name: 'entitlements',
      config,
      description: 'Checks and consumes what customers may do',
      environment: {
        BILLING_TABLE: data.billing.tableName,
        USAGE_CLAIMS_TABLE: data.usageClaims.tableName,
        USAGE_VIEWS_TABLE: data.usageViews.tableName,
        USAGE_QUEUE_URL: props.usage.queue.queueUrl,
        MAX_QUOTA_AGE_SECONDS: String(config.usage.maxQuotaAgeSeconds),
        PEPPER_SECRET_ID: data.pepper.secretArn,
        RATE_LIMITS: JSON.stringify(config.rateLimits),
      },
      // The HTTP API gives up at 30 s; one second less, so that the answer is ours.
      timeout: Duration.seconds(29),
      // A check waits for one small read; what little it computes should not wait for its share of a CPU.
      memoryMb: 1_024,
    })
      // What the customer has: its item, subscriptions, contracts, grants, plans; and the key.
      .allow(['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query'], [data.billing.tableArn])
      // Its quota, which the first check makes from the views; reservations, and their messages until they are sent.
      .allow(
        ['dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem'],
        [data.usageViews.tableArn],
      )
      .allow(['sqs:SendMessage'], [props.usage.queue.queueArn])
      // Claims of the ids that are consumed, and blocks of what a rate limit still allows.
      .allow(['dynamodb:PutItem'], [data.usageClaims.tableArn])
      .allow(['secretsmanager:GetSecretValue'], [data.pepper.secretArn]);
  }
}
