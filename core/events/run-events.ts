import type { BillingRun, RunReport } from '../invoicing/billing-run.ts';
import { parseCurrency } from '../money/currency.ts';
import { formatMinor } from '../money/money.ts';
import { type ProductEvent, productEvent } from './product-event.ts';

/** A billing run reached its end, or was stopped. */
export function billingRunFinished(run: BillingRun, report: RunReport): ProductEvent<'BillingRunFinished'> {
  return productEvent({
    type: 'BillingRunFinished',
    project: run.project,
    occurredAt: run.finishedAt ?? run.startedAt,
    subject: [run.id],
    data: {
      billing_run_id: run.id,
      status: run.status === 'finished' ? 'finished' : 'failed',
      as_of: run.asOf,
      through: run.through,
      accounts: report.accounts,
      invoices_planned: report.invoicesPlanned,
      invoices_issued: report.totals.reduce((sum, { invoices }) => sum + invoices, 0),
      failures: report.steps.failed,
      not_processed: report.notProcessed,
      totals: report.totals.map(({ currency, totalMinor, invoices }) => ({
        currency,
        total: formatMinor(BigInt(totalMinor), parseCurrency(currency)),
        invoices,
      })),
    },
  });
}
