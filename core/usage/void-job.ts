import { invalid } from '../errors.ts';
import type { ProjectId } from '../ids.ts';
import { type Instant, instantFromMillis, millisOf } from '../time/instant.ts';
import { dayKey, dayStartMillis } from './log-partition.ts';
import { DAY_MILLIS, HOUR_MILLIS, LOG_LIFE_MILLIS } from './retention.ts';
import { type StartJobDeps, startJob } from './start-job.ts';
import type { UsageJob } from './usage-job.ts';

/** Which events a void job is about. All that is given has to hold. */
export interface VoidFilter {
  /** When the events happened, half-open. */
  readonly from: Instant;
  readonly to: Instant;
  readonly customer?: string | undefined;
  readonly type?: string | undefined;
  readonly source?: string | undefined;
  /** Properties by name, each exactly as the event has it: texts, and numbers with all their digits. */
  readonly properties?: Readonly<Record<string, string>> | undefined;
}

/** What a void job was asked for. The job keeps it as it is. */
export interface VoidJobInput {
  readonly filter: VoidFilter;
  /** A dry run finds and reports, and voids nothing. */
  readonly dryRun: boolean;
  readonly reason: string;
  /** Days on which matching events may have been appended, `20261121`, both included. */
  readonly firstDay: string;
  readonly lastDay: string;
}

export interface StartVoidJobInput {
  readonly project: ProjectId;
  readonly filter: VoidFilter;
  readonly mode: 'dry_run' | 'for_real';
  readonly reason: string;
  readonly by: string;
  readonly requestKey?: string | undefined;
}

/** Makes the job that voids the events of a filter. Throws `span_invalid` for a span that is empty or only in the future. */
export async function startVoidJob(request: StartVoidJobInput, deps: StartJobDeps): Promise<UsageJob> {
  const { project, filter, mode, reason, by, requestKey } = request;
  const now = millisOf(deps.clock.now());
  const { from, to } = filter;
  if (to <= from || millisOf(from) > now)
    throw invalid('span_invalid', `Got a span from ${from} to ${to}; expected "from" before "to" and before now.`);
  // A time may be minutes ahead, so the chunk may have been appended in the hour before.
  const first = Math.max(millisOf(from) - HOUR_MILLIS, now - LOG_LIFE_MILLIS);
  const days = { firstDay: dayKey(first * 1000), lastDay: dayKey(now * 1000) };
  const total = (dayStartMillis(days.lastDay) - dayStartMillis(days.firstDay)) / DAY_MILLIS + 1;
  const input: VoidJobInput = { filter, dryRun: mode === 'dry_run', reason, ...days };
  const progress = { done: 0, total, unit: 'days' };
  return startJob({ project, kind: 'void_events', input: { ...input }, by, progress, requestKey }, deps);
}

/** The days of a job from one on, `20261121`. */
export function* daysFrom(first: string, last: string): Generator<string> {
  for (let millis = dayStartMillis(first); millis <= dayStartMillis(last); millis += DAY_MILLIS)
    yield dayKey(millis * 1000);
}

/** An instant as the filter's own, for reports. */
export function instantOfMicros(micros: number): Instant {
  return instantFromMillis(Math.floor(micros / 1000));
}
