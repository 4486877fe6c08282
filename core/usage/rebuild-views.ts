import { invalid } from '../errors.ts';
import type { ProjectId } from '../ids.ts';
import { type Instant, instantFromMillis, millisOf } from '../time/instant.ts';
import { dayKey } from './log-partition.ts';
import {
  daysBetween,
  NOTHING_REBUILT,
  type RebuildReport,
  type RebuildSpan,
  type RebuildSpanDeps,
  rebuildSpan,
  type SpanPosition,
} from './rebuild-span.ts';
import { DAY_MILLIS, logExpirySeconds } from './retention.ts';
import { type StartJobDeps, startJob } from './start-job.ts';
import type { JobStep, UsageJob } from './usage-job.ts';

export interface StartRebuildInput {
  readonly project: ProjectId;
  readonly meter: string;
  /** Days that hold any instant of the span; from the oldest whose log may be there, up to now, if absent. */
  readonly from?: Instant | undefined;
  readonly to?: Instant | undefined;
  readonly customers?: readonly string[] | undefined;
  readonly by: string;
  readonly requestKey?: string | undefined;
}

/** Makes the job that rebuilds views. Throws `span_invalid` for a span that is empty or lies in the future. */
export async function startRebuild(
  { project, meter, from, to, customers = [], by, requestKey }: StartRebuildInput,
  deps: StartJobDeps,
): Promise<UsageJob> {
  const now = millisOf(deps.clock.now());
  const start = from === undefined ? oldestInLog(now) : millisOf(from);
  const end = to === undefined ? now : Math.min(millisOf(to), now);
  if (end <= start)
    throw invalid(
      'span_invalid',
      `Got a span from ${instantFromMillis(start)} to ${instantFromMillis(end)}; expected "from" before "to" and before now.`,
    );
  const days = { from: dayKey(start * 1000), to: dayKey((end - 1) * 1000) };
  const input = { meter, ...days, customers: customers.length === 0 ? null : customers };
  const progress = { done: 0, total: daysBetween(days.from, days.to), unit: 'days' };
  return startJob({ project, kind: 'rebuild', input, by, progress, requestKey }, deps);
}

/** The first day of which no chunk can have expired yet. */
function oldestInLog(nowMillis: number): number {
  return Math.ceil((nowMillis - logExpirySeconds(0) * 1000) / DAY_MILLIS) * DAY_MILLIS;
}

/** One step of a rebuild. */
export async function rebuildViews(job: UsageJob, stopAt: Instant, deps: RebuildSpanDeps): Promise<JobStep> {
  const asked = job.input as unknown as Pick<RebuildSpan, 'from' | 'to' | 'customers'>;
  const at: SpanPosition = job.cursor === null ? { day: asked.from } : JSON.parse(job.cursor);
  const report: RebuildReport = { ...NOTHING_REBUILT, ...job.report };
  const step = await rebuildSpan({ ...asked, project: job.project }, { at, report, stopAt }, deps);
  return {
    done: step.isDone,
    cursor: JSON.stringify(step.at),
    progress: { ...job.progress, done: daysBetween(asked.from, step.at.day) - 1 },
    report: { ...step.report },
  };
}
