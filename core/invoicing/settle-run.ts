import type { BillingRunId, ProjectId } from '../ids.ts';
import type { Clock } from '../time/clock.ts';
import { type Instant, instantFromMillis, laterOf, millisOf } from '../time/instant.ts';
import type { SettledUsage } from './billing-run.ts';
import type { BillingReads, BillingRuns, ParkedCount, QueuedUsage, SettleUsage } from './ports.ts';

export interface SettleRunInput {
  readonly project: ProjectId;
  readonly run: BillingRunId;
  readonly asOf: Instant;
  /** Where the call before stopped; null at first. */
  readonly cursor: string | null;
  /** How long this call may take, in milliseconds. */
  readonly budgetMillis: number;
}

export interface SettleStep {
  readonly done: boolean;
  readonly cursor: string | null;
  readonly partitions: number;
  readonly foldedEvents: number;
}

export interface SettleRunDeps {
  readonly reads: BillingReads;
  readonly runs: BillingRuns;
  readonly settle: SettleUsage;
  readonly parked: ParkedCount;
  readonly queues: QueuedUsage;
  readonly clock: Clock;
}

/** How far back partitions are looked at when nothing is due: late usage of the last month. */
const LOOK_BACK_MILLIS = 35 * 86_400_000;
/** No partition lives longer (deduplication horizon, append grace and log life), so looking further back finds nothing. */
const OLDEST_PARTITION_MILLIS = 130 * 86_400_000;

/**
 * Settles the usage a run will rate: everything appended since the earliest unbilled service began is folded, so that what
 * is read afterwards is complete up to now. Called until it is done. Counts, and what waits unsettled in
 * the queues and the parking lot, go to the run's record: nothing waits for it, everything is said.
 */
export async function settleRun(input: SettleRunInput, deps: SettleRunDeps): Promise<SettleStep> {
  const { project, run, asOf, cursor } = input;
  const now = millisOf(deps.clock.now());
  const oldest = instantFromMillis(Math.max(0, now - OLDEST_PARTITION_MILLIS));
  const since = laterOf(await earliestService(project, asOf, deps.reads), oldest);
  const stopAt = instantFromMillis(now + input.budgetMillis);
  const step = await deps.settle({ project, since, cursor, stopAt });
  const before = cursor === null ? null : ((await deps.runs.find(project, run))?.settled ?? null);
  const total: SettledUsage = {
    partitions: step.partitions + (before?.partitions ?? 0),
    foldedEvents: step.foldedEvents + (before?.foldedEvents ?? 0),
    parked: step.done ? await deps.parked(project) : 0,
    ...(step.done ? await deps.queues() : { queued: 0, deadLettered: 0 }),
  };
  await deps.runs.settled(project, run, total);
  return { ...step, partitions: total.partitions, foldedEvents: total.foldedEvents };
}

/** Where the oldest service that is due begins. The due index is in the order of closing, so only its first page is read. */
async function earliestService(project: ProjectId, asOf: Instant, reads: BillingReads): Promise<Instant> {
  let earliest = instantFromMillis(Math.max(0, millisOf(asOf) - LOOK_BACK_MILLIS));
  for await (const page of reads.dueSubscriptions(project, asOf)) {
    for (const { billedThrough } of page) if (billedThrough < earliest) earliest = billedThrough;
    if (page.length > 0) break;
  }
  return earliest;
}
