import { type SettleRunDeps, settleRun } from '../../core/invoicing/settle-run.ts';
import { toAslError } from '../shared/error-map.ts';
import { readStepInput } from '../shared/run-input.ts';
import { wireSettleUsage } from '../shared/wire/billing.ts';
import { wired } from '../shared/wire.ts';

/** Of the function's 900 s: the last fold begun within 600 s has 300 s to end. */
const BUDGET_MILLIS = 600_000;

/** Folds what the run is going to rate; the workflow calls again until it is done. */
export function handle(deps: SettleRunDeps) {
  return async (input: unknown) => {
    try {
      const step = await settleRun({ ...readStepInput(input), budgetMillis: BUDGET_MILLIS }, deps);
      return {
        done: step.done,
        cursor: step.cursor,
        partitions: step.partitions,
        folded_events: step.foldedEvents,
      };
    } catch (error) {
      throw toAslError(error);
    }
  };
}

export const handler = wired(() => handle(wireSettleUsage()));
