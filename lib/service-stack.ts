import { CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { StageConfig } from './config.ts';
import { AlarmRegistry } from './constructs/alarm-registry.ts';
import { BillingSchedule } from './constructs/billing-schedule.ts';
import { BillingSteps } from './constructs/billing-steps.ts';
import { BillingWorkflow } from './constructs/billing-workflow.ts';
import { Entitlements } from './constructs/entitlements.ts';
import { HttpApi } from './constructs/http-api.ts';
import { OutboxPublishing } from './constructs/outbox-publishing.ts';
import { Payments } from './constructs/payments.ts';
import { stripeSecrets } from './constructs/stripe-secrets.ts';
import { UsageAppend } from './constructs/usage-append.ts';
import { UsageArchive } from './constructs/usage-archive.ts';
import { UsageFold } from './constructs/usage-fold.ts';
import { UsageIngest } from './constructs/usage-ingest.ts';
import { UsageJobs } from './constructs/usage-jobs.ts';
import { UsagePublish } from './constructs/usage-publish.ts';
import { UsageReconciliation } from './constructs/usage-reconciliation.ts';
import type { DataStack } from './data-stack.ts';

export interface ServiceStackProps extends StackProps {
  readonly config: StageConfig;
  readonly data: DataStack;
}

/**
 * Everything that works, in the order in which a usage event travels:
 *
 * HTTP -> post-events -> usage queue -> append-usage -> usage log -> fold-usage -> views
 *                                                              \-> publish-usage -> bus
 * daily -> archive-usage: closed partitions of the log -> archive
 * daily -> start-due-runs -> monthly workflow: settle, list, rate, issue, push -> outbox -> bus
 * Stripe -> receive-stripe -> webhook queue -> apply-stripe -> invoice, outbox -> bus
 */
export class ServiceStack extends Stack {
  constructor(scope: Construct, id: string, props: ServiceStackProps) {
    super(scope, id, props);
    const { config, data } = props;
    const alarms = new AlarmRegistry(this, 'Alarms', config);
    const secrets = stripeSecrets(this, config);
    const shared = { config, data, alarms };
    // A cold append-usage reads its partition (32 MB at most) and then writes; both fit in a minute.
    const appendTimeout = Duration.seconds(60);
    const parkTimeout = Duration.seconds(30);

    const ingest = new UsageIngest(this, 'UsageIngest', { ...shared, appendTimeout, parkTimeout });
    new UsageAppend(this, 'UsageAppend', { ...shared, work: ingest.work, appendTimeout, parkTimeout });
    new UsageFold(this, 'UsageFold', { ...shared, usage: ingest.work });
    new UsageReconciliation(this, 'UsageReconciliation', shared);
    new UsagePublish(this, 'UsagePublish', shared);
    const jobs = new UsageJobs(this, 'UsageJobs', { ...shared, usage: ingest.work });
    new UsageArchive(this, 'UsageArchive', shared);

    const entitlements = new Entitlements(this, 'Entitlements', { config, data, usage: ingest.work }).function;
    const { publishOutbox } = new OutboxPublishing(this, 'Outbox', shared);
    const steps = new BillingSteps(this, 'BillingSteps', { config, data, secrets, usage: ingest.work });
    const workflow = new BillingWorkflow(this, 'BillingWorkflow', { data, alarms, steps, publishOutbox });
    new BillingSchedule(this, 'BillingSchedule', { ...shared, workflow });

    const { receiveStripe } = new Payments(this, 'Payments', { ...shared, secrets });
    const { postEvents, work } = ingest;
    const api = new HttpApi(this, 'HttpApi', {
      ...shared,
      postEvents,
      entitlements,
      usage: work,
      jobs: jobs.work,
      receiveStripe,
      workflow,
    });
    // What the operator's commands read (cdk deploy --outputs-file).
    new CfnOutput(this, 'ApiUrl', { value: api.url, description: 'Where the API answers' });
    new CfnOutput(this, 'UsageQueueUrl', { value: work.queue.queueUrl });
  }
}
