import { type ReconcileRunDeps, reconcileRun } from '../../core/invoicing/reconcile-run.ts';
import { toAslError } from '../shared/error-map.ts';
import { readStepInput } from '../shared/run-input.ts';
import { wireReconcileUsage } from '../shared/wire/reconcile.ts';
import { wired } from '../shared/wire.ts';

/** Of the function's 900 s: the group of views begun within 600 s has 300 s to end. */
const BUDGET_MILLIS = 600_000;

/** Holds what the run is going to rate against the log; the workflow calls again until it is done. */
export function handle(deps: ReconcileRunDeps) {
  return async (input: unknown) => {
    try {
      const step = await reconcileRun({ ...readStepInput(input), budgetMillis: BUDGET_MILLIS }, deps);
      return { done: step.done, cursor: step.cursor, views: step.views, disputed_days: step.disputedDays };
    } catch (error) {
      throw toAslError(error);
    }
  };
}

export const handler = wired(() => handle(wireReconcileUsage()));
