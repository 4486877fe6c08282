import type { Logger } from '@aws-lambda-powertools/logger';
import { type Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { ProjectStore } from '../../core/accounts/ports.ts';
import { instantFromMillis, millisOf } from '../../core/time/instant.ts';
import { type ReconcileUsageDeps, reconcileUsage } from '../../core/usage/reconcile-usage.ts';
import { wireReconcileUsage } from '../shared/wire/reconcile.ts';
import { wired } from '../shared/wire.ts';

export interface ReconcileFunctionDeps extends ReconcileUsageDeps {
  readonly projects: Pick<ProjectStore, 'list'>;
  readonly oneIn: number;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** Of the function's 900 s: the day begun within 600 s has 300 s to end. */
const BUDGET_MILLIS = 600_000;
/** The billing run of the day begins half an hour later, and looks from its own beginning. */
const UNTIL_BILLED_MILLIS = 2 * 3_600_000;

/** Holds the views of every project against the log, before the day's billing runs. What it finds rings. */
export function handle(deps: ReconcileFunctionDeps) {
  return async (): Promise<{ views: number; disputed: number; unfinished: number }> => {
    const now = millisOf(deps.clock.now());
    const times = {
      billedUntil: instantFromMillis(now + UNTIL_BILLED_MILLIS),
      stopAt: instantFromMillis(now + BUDGET_MILLIS),
    };
    let views = 0;
    let disputed = 0;
    let unfinished = 0;
    for (const { id: project } of await deps.projects.list()) {
      try {
        const found = await reconcileUsage({ project, oneIn: deps.oneIn, ...times }, deps);
        views += found.views;
        disputed += found.findings.length;
        for (const finding of found.findings)
          deps.logger.error('views do not agree with the log', { project, finding: JSON.stringify(finding) });
        if (!found.isWhole) throw new Error('The time was up before everything had been looked at.');
      } catch (error) {
        unfinished += 1;
        deps.logger.error('usage not reconciled', { project, error: error instanceof Error ? error : String(error) });
      }
    }
    deps.metrics.addMetric('DisputedDays', MetricUnit.Count, disputed + unfinished);
    deps.metrics.publishStoredMetrics();
    return { views, disputed, unfinished };
  };
}

export const handler = wired(() => handle(wireReconcileUsage()));
