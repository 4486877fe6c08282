import { billedLedger } from '../../../adapters/dynamodb/billed-ledger.ts';
import { billingReads } from '../../../adapters/dynamodb/billing-reads.ts';
import { billingRuns } from '../../../adapters/dynamodb/billing-runs.ts';
import { seenCustomers } from '../../../adapters/dynamodb/customers.ts';
import { readLateDays } from '../../../adapters/dynamodb/late-days.ts';
import { usageDisputes } from '../../../adapters/dynamodb/usage-disputes.ts';
import type { UsageReads } from '../../../core/invoicing/ports.ts';
import { type ReconcileUsageInput, reconcileUsage } from '../../../core/usage/reconcile-usage.ts';
import { dynamoClient } from './clients.ts';
import { environment } from './environment.ts';
import { functionLogger, functionMetrics } from './telemetry.ts';
import { wireFolding } from './usage.ts';

/** The wiring of those who hold views against the log: a billing run's step, and the daily sample. */
function wireReconciling(env: Parameters<typeof wireFolding>[0]) {
  const folding = wireFolding(env);
  return { ...folding, disputes: usageDisputes(dynamoClient(), env.USAGE_VIEWS_TABLE, folding.clock) };
}

export function wireReconcileUsage() {
  const env = environment('reconcile-usage');
  const client = dynamoClient();
  const deps = wireReconciling(env);
  const usage: Pick<UsageReads, 'lateDays'> = {
    lateDays: (project, customer) => readLateDays(client, env.USAGE_VIEWS_TABLE, project, customer),
  };
  return {
    reads: billingReads(client, env.BILLING_TABLE),
    looks: billedLedger(client, env.BILLING_TABLE),
    runs: billingRuns(client, env.BILLING_TABLE),
    clock: deps.clock,
    usage,
    reconcile: (input: ReconcileUsageInput) => reconcileUsage(input, deps),
    metrics: functionMetrics(),
    logger: functionLogger('reconcile-usage'),
  };
}

export function wireReconcileSample() {
  const env = environment('reconcile-sample');
  return {
    ...wireReconciling(env),
    customers: seenCustomers(dynamoClient(), env.USAGE_VIEWS_TABLE),
    oneIn: Number(env.RECONCILE_ONE_IN),
    metrics: functionMetrics(),
    logger: functionLogger('reconcile-sample'),
  };
}
