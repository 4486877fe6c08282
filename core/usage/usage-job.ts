import type { Page, PageRequest } from '../accounts/ports.ts';
import type { JobId, ProjectId } from '../ids.ts';
import type { Instant } from '../time/instant.ts';

/** What a job does: each kind is one entry of the table of works. */
export type UsageJobKind = 'rebuild' | 'backfill' | 'void_events';

/**
 * Work on usage that takes longer than a request: done in steps by `run-usage-job`, each of which leaves behind how far it
 * got. A step may run twice, so every kind of work is harmless to repeat.
 */
export interface UsageJob {
  readonly id: JobId;
  readonly project: ProjectId;
  readonly kind: UsageJobKind;
  /** What was asked for; its shape belongs to the kind, and is checked before the job is made. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly status: 'queued' | 'running' | 'finished' | 'failed';
  /** The id of the API key that asked. */
  readonly by: string;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
  readonly finishedAt: Instant | null;
  readonly progress: JobProgress;
  /** Where the next step begins; the kind's own, null at first. */
  readonly cursor: string | null;
  /** What has been found and done so far; its shape belongs to the kind. */
  readonly report: Readonly<Record<string, unknown>>;
  /** Why it failed, or what the last step that did not end ran into. */
  readonly error: { readonly code: string; readonly message: string } | null;
}

export interface JobProgress {
  readonly done: number;
  /** Null while nobody knows. */
  readonly total: number | null;
  /** What is counted, in the plural: `days`. */
  readonly unit: string;
}

export interface StoredJob {
  readonly job: UsageJob;
  /** Rises with every write. */
  readonly version: number;
}

export interface JobStore {
  /** `taken` when there is a job of that id: the same request, which has been heard. */
  create(job: UsageJob): Promise<'stored' | 'taken'>;
  find(project: ProjectId, id: JobId): Promise<StoredJob | undefined>;
  /** Writes the job if its version is still the one that was read. */
  save(stored: StoredJob): Promise<'stored' | 'refused'>;
  list(project: ProjectId, page: PageRequest): Promise<Page<UsageJob>>;
}

/** Tells `run-usage-job` that a job has a step to do. Told twice is no harm. */
export interface JobQueue {
  /** `delaySeconds` from 0 to 900. */
  send(job: { readonly project: ProjectId; readonly id: JobId }, delaySeconds: number): Promise<void>;
}

/** What one step leaves behind. */
export interface JobStep {
  readonly done: boolean;
  readonly cursor: string | null;
  readonly progress: JobProgress;
  readonly report: UsageJob['report'];
  /** How long the next step has to wait, in seconds. */
  readonly waitSeconds?: number;
}

/** Does as much of a job as fits before `stopAt`, and at least something. */
export type JobWork = (job: UsageJob, stopAt: Instant) => Promise<JobStep>;
