import type { Logger } from '@aws-lambda-powertools/logger';
import { type Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { type FinishRunDeps, finishRun } from '../../core/invoicing/finish-run.ts';
import { toAslError } from '../shared/error-map.ts';
import { readFinishInput } from '../shared/run-input.ts';
import { wireFinishRun } from '../shared/wire/billing.ts';
import { wired } from '../shared/wire.ts';

export interface FinishRunHandlerDeps extends FinishRunDeps {
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** Writes the report of a run that reached its end or was stopped; answers its counts, never its contents. */
export function handle(deps: FinishRunHandlerDeps) {
  return async (input: unknown) => {
    try {
      const { status, report, id } = await finishRun(readFinishInput(input), deps);
      if (status === 'failed') {
        deps.metrics.addMetric('BillingRunFailed', MetricUnit.Count, 1);
        deps.metrics.publishStoredMetrics();
        deps.logger.error('billing run failed', { run: id, error: report?.error ?? '' });
      }
      return {
        status,
        invoices: report?.invoicesPlanned ?? 0,
        issued: (report?.steps.issued ?? 0) + (report?.steps.pushed ?? 0),
        failed: report?.steps.failed ?? 0,
        not_processed: report?.notProcessed ?? 0,
      };
    } catch (error) {
      throw toAslError(error);
    }
  };
}

export const handler = wired(() => handle(wireFinishRun()));
