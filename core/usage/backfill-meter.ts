import type { Meter } from '../catalog/meter.ts';
import type { PlanStore, PriceListStore } from '../catalog/ports.ts';
import type { ProjectId } from '../ids.ts';
import { type Instant, millisOf } from '../time/instant.ts';
import { dayKey } from './log-partition.ts';
import {
  daysBetween,
  NOTHING_REBUILT,
  type RebuildReport,
  type RebuildSpanDeps,
  rebuildSpan,
  type SpanPosition,
} from './rebuild-span.ts';
import { type StartJobDeps, startJob } from './start-job.ts';
import type { JobStep, UsageJob } from './usage-job.ts';

/**
 * Counts a new meter over past events. Every view says whose past it holds (`UsageView.backfilled`): new ones that of every
 * meter their folder knows, the others once this job has been there. So it waits until no folder is left that began without
 * the meter, counts every view again that does not hold its past, and after as long a time does so once more, for parts of
 * split days that a folder made in between from what it had read before.
 */
export const FOLDER_LIFE_MILLIS = 16 * 60_000;
const PASSES = 2;

export interface StartBackfillInput {
  readonly project: ProjectId;
  readonly meter: Meter;
  readonly by: string;
}

/** Makes the job, or finds the one there is: a meter is backfilled by one. Null for a meter that does not look back. */
export async function startBackfill(
  { project, meter, by }: StartBackfillInput,
  deps: StartJobDeps,
): Promise<UsageJob | null> {
  const { key, backfill } = meter;
  if (backfill === undefined) return null;
  const days = { from: dayKey(millisOf(backfill.from) * 1000), to: dayKey((millisOf(backfill.until) - 1) * 1000) };
  const progress = { done: 0, total: PASSES * daysBetween(days.from, days.to), unit: 'days' };
  const input = { meter: key, ...days };
  return startJob({ project, kind: 'backfill', input, by, progress, requestKey: key }, deps);
}

export interface BackfillMeterDeps extends Omit<RebuildSpanDeps, 'isPriced'> {
  readonly plans: Pick<PlanStore, 'list'>;
  readonly lists: Pick<PriceListStore, 'list'>;
}

interface Stand {
  /** From 1. */
  readonly pass: number;
  readonly notBefore: number;
  readonly at: SpanPosition;
}

/** One step: waits, or walks some of the days of a pass. */
export async function backfillMeter(job: UsageJob, stopAt: Instant, deps: BackfillMeterDeps): Promise<JobStep> {
  const { meter, from, to } = job.input as { readonly meter: string; readonly from: string; readonly to: string };
  const first: Stand = { pass: 1, notBefore: millisOf(job.createdAt) + FOLDER_LIFE_MILLIS, at: { day: from } };
  const stand: Stand = job.cursor === null ? first : JSON.parse(job.cursor);
  const report: RebuildReport = { ...NOTHING_REBUILT, ...job.report };
  const left = stand.notBefore - millisOf(deps.clock.now());
  if (left > 0) {
    const { progress } = job;
    return {
      done: false,
      cursor: JSON.stringify(stand),
      progress,
      report: { ...report },
      waitSeconds: toSeconds(left),
    };
  }
  const priced = await isMeterPriced(job.project, meter, deps);
  const isPriced = (changed: string) => changed !== meter || priced;
  const span = { project: job.project, from, to, customers: null, backfilled: meter };
  const step = await rebuildSpan(span, { at: stand.at, report, stopAt }, { ...deps, isPriced });
  const days = daysBetween(from, to);
  const done = (stand.pass - 1) * days + daysBetween(from, step.at.day) - 1;
  const progress = { ...job.progress, done };
  if (!step.isDone || stand.pass === PASSES) {
    const cursor = JSON.stringify({ ...stand, at: step.at });
    return { done: step.isDone, cursor, progress, report: { ...step.report } };
  }
  const notBefore = millisOf(deps.clock.now()) + FOLDER_LIFE_MILLIS;
  // What was refused is tried once more by the second pass, which will tell what still is.
  const again = { ...step.report, daysRefused: 0, refused: [] };
  const next: Stand = { pass: stand.pass + 1, notBefore, at: { day: from } };
  return {
    done: false,
    cursor: JSON.stringify(next),
    progress,
    report: again,
    waitSeconds: toSeconds(FOLDER_LIFE_MILLIS),
  };
}

/**
 * Whether any plan or price list prices the meter. If none does, nobody was billed for it, and whoever is billed for it later is
 * billed by views that hold its past: no day has to be looked at again.
 */
async function isMeterPriced(
  project: ProjectId,
  meter: string,
  { plans, lists }: Pick<BackfillMeterDeps, 'plans' | 'lists'>,
): Promise<boolean> {
  for (const store of [plans, lists]) {
    let cursor: string | undefined;
    do {
      const page = await store.list(project, { limit: 100, cursor });
      if (page.items.some(({ charges }) => charges.some((charge) => 'meter' in charge && charge.meter === meter)))
        return true;
      cursor = page.cursor ?? undefined;
    } while (cursor !== undefined);
  }
  return false;
}

function toSeconds(millis: number): number {
  return Math.ceil(millis / 1000);
}
