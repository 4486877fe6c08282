import { type ReconcileRunDeps, reconcileRun } from '../../core/invoicing/reconcile-run.ts';
import type { ReconciledUsage, ReconcileUsageInput } from '../../core/usage/reconcile-usage.ts';
import { toAslError } from '../shared/error-map.ts';
import { readStepInput } from '../shared/run-input.ts';
import { type Telling, tellFindings } from '../shared/tell-findings.ts';
import { wireReconcileUsage } from '../shared/wire/reconcile.ts';
import { wired } from '../shared/wire.ts';

export interface ReconcileStepDeps extends Omit<ReconcileRunDeps, 'reconcile'>, Telling {
  readonly reconcile: (input: ReconcileUsageInput) => Promise<ReconciledUsage>;
}

/** Of the function's 900 s: the group of views begun within 600 s has 300 s to end. */
const BUDGET_MILLIS = 600_000;

/** Holds what the run is going to rate against the log; the workflow calls again until it is done. What it finds rings. */
export function handle(deps: ReconcileStepDeps) {
  const reconcile: ReconcileRunDeps['reconcile'] = async (input) => {
    const { views, findings, unprovable, cursor } = await deps.reconcile(input);
    tellFindings(input.project, findings, deps);
    deps.metrics.publishStoredMetrics();
    return { views, disputedDays: findings.length, unprovableDays: unprovable, cursor };
  };
  return async (input: unknown) => {
    try {
      const step = await reconcileRun({ ...readStepInput(input), budgetMillis: BUDGET_MILLIS }, { ...deps, reconcile });
      return { done: step.done, cursor: step.cursor, views: step.views, disputed_days: step.disputedDays };
    } catch (error) {
      throw toAslError(error);
    }
  };
}

export const handler = wired(() => handle(wireReconcileUsage()));
