import { billingReads } from '../../../adapters/dynamodb/billing-reads.ts';
import { seenCustomers } from '../../../adapters/dynamodb/customers.ts';
import { usageDisputes } from '../../../adapters/dynamodb/usage-disputes.ts';
import type { ReconcileUsageDeps } from '../../../core/usage/reconcile-usage.ts';
import { dynamoClient } from './clients.ts';
import { environment } from './environment.ts';
import { functionLogger, functionMetrics } from './telemetry.ts';
import { wireFolding } from './usage.ts';

/** The wiring of the daily reconciliation. */
export function wireReconcileUsage() {
  const env = environment('reconcile-usage');
  const client = dynamoClient();
  const folding = wireFolding(env);
  const reads = billingReads(client, env.BILLING_TABLE);
  const due: ReconcileUsageDeps['due'] = async function* (project, closesAt) {
    for await (const page of reads.dueSubscriptions(project, closesAt))
      yield page.map(({ customer, billedThrough }) => ({ customer, from: billedThrough }));
  };
  return {
    ...folding,
    customers: seenCustomers(client, env.USAGE_VIEWS_TABLE),
    disputes: usageDisputes(client, env.USAGE_VIEWS_TABLE, folding.clock),
    due,
    oneIn: Number(env.RECONCILE_ONE_IN),
    metrics: functionMetrics(),
    logger: functionLogger('reconcile-usage'),
  };
}
