import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { StageConfig } from '../config.ts';
import type { DataStack } from '../data-stack.ts';
import { type AlarmRegistry, serviceName } from './alarm-registry.ts';
import { HouseFunction } from './house-function.ts';
import type { StripeSecrets } from './stripe-secrets.ts';
import { consumeQueue, WorkQueue } from './work-queue.ts';

export interface PaymentsProps {
  readonly config: StageConfig;
  readonly data: DataStack;
  readonly alarms: AlarmRegistry;
  readonly secrets: StripeSecrets;
}

/** A Stripe call may take 20 s and is tried again once within an invocation; a batch of ten stays below this. */
const APPLY_TIMEOUT = Duration.seconds(60);

/** Webhooks: `receive-stripe` checks the signature and queues, `apply-stripe` reads the object again and acts on it. */
export class Payments extends Construct {
  readonly receiveStripe: HouseFunction;

  constructor(scope: Construct, id: string, props: PaymentsProps) {
    super(scope, id);
    const { config, data, alarms, secrets } = props;
    const work = new WorkQueue(this, 'Webhooks', {
      alarms,
      contents: 'Webhooks',
      deadLetters: { runbook: 'webhook-dead-letters' },
      age: { runbook: 'webhook-queue-age', minutes: 15 },
      consumerTimeout: APPLY_TIMEOUT,
      windowSeconds: 0,
      // 8 receives x 6 x 60 s: tried for three quarters of an hour, as long as a provider's usual trouble lasts.
      maxReceiveCount: 8,
    });
    this.receiveStripe = new HouseFunction<'receive-stripe'>(this, 'ReceiveStripe', {
      name: 'receive-stripe',
      config,
      description: 'POST /webhooks/stripe/{project_id}: checks the signature, queues the event',
      environment: {
        BILLING_TABLE: data.billing.tableName,
        WEBHOOK_QUEUE_URL: work.queue.queueUrl,
        STRIPE_SECRET_PREFIX: secrets.prefix,
        POWERTOOLS_SERVICE_NAME: serviceName(config),
      },
      // Stripe gives up after about 20 s and sends again; the same event is known by its id.
      timeout: Duration.seconds(20),
      memoryMb: 512,
    })
      .allow(['dynamodb:GetItem', 'dynamodb:PutItem'], [data.billing.tableArn])
      .allow(['sqs:SendMessage'], [work.queue.queueArn]);
    secrets.allowReading(this.receiveStripe);
    const apply = new HouseFunction<'apply-stripe'>(this, 'ApplyStripe', {
      name: 'apply-stripe',
      config,
      description: 'Applies queued webhooks to invoices',
      environment: {
        BILLING_TABLE: data.billing.tableName,
        STRIPE_SECRET_PREFIX: secrets.prefix,
        POWERTOOLS_SERVICE_NAME: serviceName(config),
      },
      timeout: APPLY_TIMEOUT,
      memoryMb: 512,
    }).allow(['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'], [data.billing.tableArn]);
    secrets.allowReading(apply);
    consumeQueue(work.queue, apply, { batchSize: 10, windowSeconds: 0, concurrency: config.webhooks.applyConcurrency });
    alarms.add(this, 'FailedAlarm', {
      runbook: 'webhook-failed',
      meaning: 'Webhooks were refused or could not be applied.',
      metric: alarms.ownMetric('WebhookFailed', 'Sum', 5),
      threshold: 3,
    });
  }
}
