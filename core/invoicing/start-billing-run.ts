import { invalid } from '../errors.ts';
import { type BillingRunId, deriveId, type ProjectId } from '../ids.ts';
import { parseBillingPeriod } from '../time/billing-period.ts';
import type { Clock } from '../time/clock.ts';
import { type Instant, instantFromMillis, millisOf } from '../time/instant.ts';
import type { BillingRun, RunReason } from './billing-run.ts';
import type { BillingRuns, RunStarter } from './ports.ts';

export interface StartBillingRunInput {
  readonly project: ProjectId;
  readonly reason: RunReason;
  /** The instant to look from, at the latest now; now when absent. */
  readonly asOf?: Instant | undefined;
  /** Bills no period that ends after this one; the key of any period, such as `2026-11` or `2026-11-21`. */
  readonly through?: string | null | undefined;
  /** Makes a repeated request the same run; the schedule's runs are told apart by `asOf` alone. */
  readonly requestKey?: string | undefined;
}

/** The local midnight that comes first on earth is 14 hours before UTC's. */
const EARLIEST_ZONE_MILLIS = 14 * 3_600_000;

/**
 * Records a billing run and starts its workflow. The id derives from project, `asOf`, `through` and the request key: asked
 * twice, it is one run, and a crash between record and start is healed by asking again.
 *
 * Several runs of a project may be open at once, on purpose. Nothing a run writes depends on its being alone (derived ids,
 * versions, the ledger's sequence), while a lock would have to be broken by somebody after a crash, at month's end.
 *
 * Throws `invalid`: `as_of_in_future`, `period_invalid`, `period_not_closed` when `through` has ended nowhere on earth.
 */
export async function startBillingRun(
  input: StartBillingRunInput,
  deps: { readonly runs: BillingRuns; readonly starter: RunStarter; readonly clock: Clock },
): Promise<BillingRun> {
  const now = deps.clock.now();
  const asOf = input.asOf ?? now;
  const through = input.through ?? null;
  if (asOf > now) {
    throw invalid('as_of_in_future', `Got as_of ${asOf}; expected an instant that has passed (now is ${now}).`, [
      { field: 'as_of', code: 'as_of_in_future', detail: 'Lies in the future.', got: asOf },
    ]);
  }
  if (through !== null) requireClosed(through, asOf);
  const id = deriveId('billing-run', input.project, asOf, through ?? '', input.requestKey ?? '') as BillingRunId;
  const run = await deps.runs.create({
    id,
    project: input.project,
    asOf,
    through,
    reason: input.reason,
    status: 'running',
    startedAt: now,
    finishedAt: null,
    settled: null,
    reconciled: null,
    planned: null,
    report: null,
  });
  await deps.starter.start(run);
  return run;
}

function requireClosed(through: string, asOf: Instant): void {
  const { end } = parseBillingPeriod(through, 'UTC');
  if (asOf >= instantFromMillis(millisOf(end) - EARLIEST_ZONE_MILLIS)) return;
  throw invalid('period_not_closed', `Got through ${through} as of ${asOf}; expected a period that has ended.`, [
    { field: 'through', code: 'period_not_closed', detail: 'The period has not ended.', got: through },
  ]);
}
