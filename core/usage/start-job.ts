import { canonicalJson } from '../canonical-json.ts';
import { deriveId, type JobId, type ProjectId } from '../ids.ts';
import type { Clock } from '../time/clock.ts';
import type { JobProgress, JobQueue, JobStore, UsageJob, UsageJobKind } from './usage-job.ts';

export interface StartJobDeps {
  readonly jobs: Pick<JobStore, 'create' | 'find'>;
  readonly jobQueue: JobQueue;
  readonly clock: Clock;
}

export interface StartJobInput {
  readonly project: ProjectId;
  readonly kind: UsageJobKind;
  readonly input: UsageJob['input'];
  readonly by: string;
  readonly progress: JobProgress;
  /** The caller's Idempotency-Key: with it, and the same input, the job is the one that was made before. */
  readonly requestKey?: string | undefined;
  /** How long the first step has to wait, in seconds. */
  readonly waitSeconds?: number;
}

/** Makes a job and tells the queue of it: the item first, so that no message names a job that is not there. */
export async function startJob(request: StartJobInput, deps: StartJobDeps): Promise<UsageJob> {
  const { project, kind, input, by, progress, requestKey, waitSeconds = 0 } = request;
  const now = deps.clock.now();
  const id = deriveId('job', project, kind, canonicalJson(input), requestKey ?? now) as JobId;
  const job: UsageJob = {
    ...{ id, project, kind, input, by, progress },
    ...{ status: 'queued', createdAt: now, updatedAt: now, finishedAt: null, cursor: null, report: {}, error: null },
  };
  const isNew = (await deps.jobs.create(job)) === 'stored';
  const known = isNew ? job : ((await deps.jobs.find(project, id))?.job ?? job);
  if (known.status === 'queued') await deps.jobQueue.send({ project, id }, Math.min(waitSeconds, 900));
  return known;
}
