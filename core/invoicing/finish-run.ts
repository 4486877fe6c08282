import { notFound } from '../errors.ts';
import { billingRunFinished } from '../events/run-events.ts';
import type { BillingRunId, ProjectId } from '../ids.ts';
import type { Clock } from '../time/clock.ts';
import type { BillingRun, ManifestRow, RunOutcome } from './billing-run.ts';
import type { BillingRuns, ManifestStore, UncollectedInvoices } from './ports.ts';
import { reportOf } from './run-report.ts';

export interface FinishRunInput {
  readonly project: ProjectId;
  readonly run: BillingRunId;
  /** Why the run stopped before its end, in the workflow's words; null when it reached it. */
  readonly error: string | null;
}

export interface FinishRunDeps {
  readonly runs: BillingRuns;
  readonly manifests: Pick<ManifestStore, 'read'>;
  readonly uncollected: Pick<UncollectedInvoices, 'list'>;
  readonly clock: Clock;
}

/**
 * Ends a run: reads what was planned and how each invoice ended, writes the report on the run's record and its event into
 * the outbox, in one transaction. A run that has ended keeps its first report.
 */
export async function finishRun(input: FinishRunInput, deps: FinishRunDeps): Promise<BillingRun> {
  const { project } = input;
  const run = await deps.runs.find(project, input.run);
  if (run === null) throw notFound('billing_run_not_found', `There is no billing run ${input.run}.`);
  if (run.status !== 'running' && run.report !== null) return run;
  const rows = await plannedRows(run, input.error, deps.manifests);
  const outcomes = new Map<string, RunOutcome>();
  for await (const page of deps.runs.outcomes(project, run.id)) {
    for (const outcome of page) outcomes.set(outcome.invoice, outcome);
  }
  const unpushed = (await deps.uncollected.list(project)).filter(({ isPushed }) => !isPushed);
  const report = reportOf({ run, rows, outcomes, unpushed: unpushed.length, error: input.error });
  const ended: BillingRun = {
    ...run,
    status: input.error === null ? 'finished' : 'failed',
    finishedAt: deps.clock.now(),
    report,
  };
  return deps.runs.finish(ended, report, billingRunFinished(ended, report));
}

/** A run that stopped, perhaps over its manifest, must still be able to say so: its rows are then unknown. */
async function plannedRows(
  run: BillingRun,
  error: string | null,
  manifests: FinishRunDeps['manifests'],
): Promise<readonly ManifestRow[]> {
  if (run.planned === null) return [];
  try {
    return await manifests.read(run.project, run.id);
  } catch (failure) {
    if (error === null) throw failure;
    return [];
  }
}
