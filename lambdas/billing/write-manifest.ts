import { type PlanDeps, planBillingRun } from '../../core/invoicing/plan-billing-run.ts';
import { toAslError } from '../shared/error-map.ts';
import { readManifestInput } from '../shared/run-input.ts';
import { wireWriteManifest } from '../shared/wire/billing.ts';
import { wired } from '../shared/wire.ts';

/** Writes the list of what the run bills and answers where it lies. */
export function handle(deps: PlanDeps) {
  return async (input: unknown) => {
    try {
      return await planBillingRun(readManifestInput(input), deps);
    } catch (error) {
      throw toAslError(error);
    }
  };
}

export const handler = wired(() => handle(wireWriteManifest()));
