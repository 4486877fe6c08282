import type { Logger } from '@aws-lambda-powertools/logger';
import type { ProjectStore } from '../../core/accounts/ports.ts';
import { type IsRunDueDeps, isRunDue } from '../../core/invoicing/is-run-due.ts';
import type { BillingRuns, RunStarter } from '../../core/invoicing/ports.ts';
import { startBillingRun } from '../../core/invoicing/start-billing-run.ts';
import type { Clock } from '../../core/time/clock.ts';
import { type Instant, instantFromMillis, millisOf } from '../../core/time/instant.ts';
import { toAslError } from '../shared/error-map.ts';
import { wireStartDueRuns } from '../shared/wire/billing.ts';
import { wired } from '../shared/wire.ts';

export interface StartDueRunsDeps extends IsRunDueDeps {
  readonly projects: Pick<ProjectStore, 'list'>;
  readonly runs: BillingRuns;
  readonly starter: RunStarter;
  readonly clock: Clock;
  readonly logger: Logger;
}

const HOUR_MILLIS = 3_600_000;

/**
 * Every day: one run per project that has something due, looking from the full hour of the call. Called again within the hour (the scheduler's own
 * retry) it is the same run. A project that cannot be started does not stop the others; the error at the end makes the
 * scheduler try again.
 */
export function handle(deps: StartDueRunsDeps) {
  return async (): Promise<{ started: number }> => {
    const asOf = fullHour(deps.clock.now());
    let started = 0;
    let failure: unknown = null;
    for (const { id } of await deps.projects.list()) {
      try {
        if (!(await isRunDue({ project: id, asOf }, deps))) continue;
        await startBillingRun({ project: id, reason: 'schedule', asOf }, deps);
        started += 1;
      } catch (error) {
        failure ??= error;
        deps.logger.error('billing run not started', {
          project: id,
          error: error instanceof Error ? error : String(error),
        });
      }
    }
    if (failure !== null) throw toAslError(failure);
    return { started };
  };
}

function fullHour(now: Instant): Instant {
  const millis = millisOf(now);
  return instantFromMillis(millis - (millis % HOUR_MILLIS));
}

export const handler = wired(() => handle(wireStartDueRuns()));
