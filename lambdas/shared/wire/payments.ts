import { setTimeout as sleep } from 'node:timers/promises';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { billingRuns } from '../../../adapters/dynamodb/billing-runs.ts';
import { customerPayments } from '../../../adapters/dynamodb/customer-payments.ts';
import { invoicePayments } from '../../../adapters/dynamodb/invoice-payments.ts';
import { projectStore } from '../../../adapters/dynamodb/projects.ts';
import { providerThrottle } from '../../../adapters/dynamodb/provider-throttle.ts';
import { uncollectedInvoices } from '../../../adapters/dynamodb/uncollected-invoices.ts';
import { webhookEvents } from '../../../adapters/dynamodb/webhook-events.ts';
import { webhookQueue } from '../../../adapters/sqs/webhook-queue.ts';
import { APPLY_PATIENCE, type CallPatience, PUSH_PATIENCE, PUSH_RESERVE_MS } from '../../../adapters/stripe/client.ts';
import { stripeProviders, stripeSecrets } from '../../../adapters/stripe/stripe-providers.ts';
import { verifyStripeWebhook } from '../../../adapters/stripe/verify-webhook.ts';
import { systemClock } from '../../../adapters/system/clock.ts';
import { isSecretMissing, secretReader } from '../../../adapters/system/secrets.ts';
import type { ProjectId } from '../../../core/ids.ts';
import type { PaymentProviders } from '../../../core/payments/ports.ts';
import type { ReceiveWebhookDeps } from '../../../core/payments/receive-webhook.ts';
import { millisOf } from '../../../core/time/instant.ts';
import { dynamoClient, secretsClient } from './clients.ts';
import { environment } from './environment.ts';
import { functionLogger, functionMetrics, namedAndLogged } from './telemetry.ts';

/** The wiring of everything between an issued invoice and its money. */
interface PaymentEnv {
  readonly BILLING_TABLE: string;
  readonly STRIPE_SECRET_PREFIX: string;
}

function wireProviders(client: DynamoDBClient, env: PaymentEnv, patience: CallPatience): PaymentProviders {
  const wait = async (ms: number) => {
    await sleep(ms);
  };
  const throttleOf = (project: ProjectId) =>
    providerThrottle({
      client,
      table: env.BILLING_TABLE,
      project,
      provider: 'stripe',
      nowMs: () => millisOf(systemClock.now()),
      sleep: wait,
    });
  const readSecret = secretReader(secretsClient());
  const secrets = stripeSecrets(readSecret, env.STRIPE_SECRET_PREFIX);
  return stripeProviders(secrets, patience, { throttleOf, sleep: wait, random: Math.random });
}

export function wirePushInvoices() {
  const env = environment('push-invoices');
  const logger = functionLogger('push-invoices');
  const client = dynamoClient();
  return {
    providers: wireProviders(client, env, PUSH_PATIENCE),
    payments: invoicePayments(client, env.BILLING_TABLE),
    customers: customerPayments(client, env.BILLING_TABLE),
    runs: billingRuns(client, env.BILLING_TABLE),
    uncollected: uncollectedInvoices(client, env.BILLING_TABLE),
    clock: systemClock,
    named: namedAndLogged(logger),
    reserveMs: PUSH_RESERVE_MS,
    logger,
  };
}

export function wireApplyStripe() {
  const env = environment('apply-stripe');
  const client = dynamoClient();
  return {
    providers: wireProviders(client, env, APPLY_PATIENCE),
    payments: invoicePayments(client, env.BILLING_TABLE),
    events: webhookEvents(client, env.BILLING_TABLE),
    clock: systemClock,
    metrics: functionMetrics(),
    logger: functionLogger('apply-stripe'),
  };
}

export function wireReceiveStripe() {
  const env = environment('receive-stripe');
  const client = dynamoClient();
  const readSecret = stripeSecrets(secretReader(secretsClient()), env.STRIPE_SECRET_PREFIX);
  const verify: ReceiveWebhookDeps['verify'] = async ({ project, body, signature, at }) => {
    try {
      const secret = await readSecret(project);
      return verifyStripeWebhook({ project, body: Buffer.from(body), signature, nowMs: millisOf(at) }, secret);
    } catch (error) {
      if (isSecretMissing(error)) return null;
      throw error;
    }
  };
  return {
    projects: projectStore(client, env.BILLING_TABLE),
    verify,
    events: webhookEvents(client, env.BILLING_TABLE),
    queue: webhookQueue(new SQSClient({}), env.WEBHOOK_QUEUE_URL),
    clock: systemClock,
    metrics: functionMetrics(),
    logger: functionLogger('receive-stripe'),
  };
}
