import { BillingError } from '../errors.ts';
import type { JobId, ProjectId } from '../ids.ts';
import type { Clock } from '../time/clock.ts';
import { instantFromMillis, millisOf } from '../time/instant.ts';
import type { JobQueue, JobStore, JobWork, StoredJob, UsageJob, UsageJobKind } from './usage-job.ts';

export interface RunJobDeps {
  readonly jobs: Pick<JobStore, 'find' | 'save'>;
  readonly jobQueue: JobQueue;
  readonly works: Readonly<Record<UsageJobKind, JobWork>>;
  readonly clock: Clock;
}

export interface RunJobInput {
  readonly project: ProjectId;
  readonly id: JobId;
  /** How long the step may take, in milliseconds. */
  readonly budgetMillis: number;
}

/** The longest that SQS delays a message. */
const LONGEST_DELAY_SECONDS = 900;

/**
 * One step of a job: does some of the work, keeps how far it got at the version that was read, and asks for the next step.
 * Where two steps of one job run at once, one of them finds its write refused and leaves the rest to the other. A failure
 * that may pass is thrown, for the queue to try again; one that cannot pass ends the job.
 */
export async function runJob({ project, id, budgetMillis }: RunJobInput, deps: RunJobDeps): Promise<UsageJob | null> {
  const stored = await deps.jobs.find(project, id);
  if (stored === undefined || stored.job.status === 'finished' || stored.job.status === 'failed') return null;
  const { job } = stored;
  const stopAt = instantFromMillis(millisOf(deps.clock.now()) + budgetMillis);
  try {
    const { done, waitSeconds = 0, ...step } = await deps.works[job.kind](job, stopAt);
    const updatedAt = deps.clock.now();
    const ended = done ? ({ status: 'finished', finishedAt: updatedAt } as const) : ({ status: 'running' } as const);
    const next: UsageJob = { ...job, ...step, ...ended, updatedAt, error: null };
    if ((await deps.jobs.save({ ...stored, job: next })) === 'refused') return null;
    if (!done) await deps.jobQueue.send({ project, id }, Math.min(waitSeconds, LONGEST_DELAY_SECONDS));
    return next;
  } catch (error) {
    return await failed(stored, error, deps);
  }
}

async function failed(stored: StoredJob, error: unknown, deps: RunJobDeps): Promise<UsageJob> {
  const isFinal = error instanceof BillingError && !error.retryable && error.kind !== 'invariant-broken';
  const named =
    error instanceof BillingError
      ? { code: error.code, message: error.message }
      : { code: 'internal_error', message: 'The step ran into an error; it is tried again, and its log says more.' };
  const updatedAt = deps.clock.now();
  const ended = isFinal ? ({ status: 'failed', finishedAt: updatedAt } as const) : ({ status: 'running' } as const);
  const next: UsageJob = { ...stored.job, ...ended, updatedAt, error: named };
  await deps.jobs.save({ ...stored, job: next });
  if (!isFinal) throw error;
  return next;
}
