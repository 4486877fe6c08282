import { MetricUnit } from '@aws-lambda-powertools/metrics';
import type { ProjectStore, SeenCustomers } from '../../core/accounts/ports.ts';
import { instantFromMillis, millisOf } from '../../core/time/instant.ts';
import { type ReconcileUsageDeps, reconcileUsage } from '../../core/usage/reconcile-usage.ts';
import { sampledDays } from '../../core/usage/sampled-days.ts';
import { type Telling, tellFindings } from '../shared/tell-findings.ts';
import { wireReconcileSample } from '../shared/wire/reconcile.ts';
import { wired } from '../shared/wire.ts';

export interface ReconcileSampleDeps extends ReconcileUsageDeps, Telling {
  readonly projects: Pick<ProjectStore, 'list'>;
  readonly customers: SeenCustomers;
  /** Of the sample, one customer in so many. */
  readonly oneIn: number;
}

/** Of the function's 900 s: the group begun within 600 s has 300 s to end. */
const BUDGET_MILLIS = 600_000;

/** Holds a sample of every project's views against the log, each day. What it finds rings. */
export function handle(deps: ReconcileSampleDeps) {
  return async (): Promise<{ views: number; disputed: number; unfinished: number }> => {
    const nowMillis = millisOf(deps.clock.now());
    const stopAt = instantFromMillis(nowMillis + BUDGET_MILLIS);
    let views = 0;
    let disputed = 0;
    let unfinished = 0;
    for (const { id: project } of await deps.projects.list()) {
      try {
        const days = await sampledDays({ project, oneIn: deps.oneIn, nowMillis }, deps);
        const found = await reconcileUsage({ project, days, cursor: null, stopAt }, deps);
        views += found.views;
        disputed += found.findings.length;
        tellFindings(project, found.findings, deps);
        if (found.cursor !== null) throw new Error('The time was up before the whole sample had been looked at.');
      } catch (error) {
        unfinished += 1;
        deps.logger.error('usage not reconciled', { project, error: error instanceof Error ? error : String(error) });
      }
    }
    deps.metrics.addMetric('DisputedDays', MetricUnit.Count, unfinished);
    deps.metrics.publishStoredMetrics();
    return { views, disputed, unfinished };
  };
}

export const handler = wired(() => handle(wireReconcileSample()));
