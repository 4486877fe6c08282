import type { ProjectId } from '../ids.ts';
import { type Instant, millisOf } from '../time/instant.ts';
import { type FoldDeps, foldPartitions } from './fold-partitions.ts';
import { dayKey, hourKey } from './log-partition.ts';
import type { UsageRegistry } from './ports.ts';
import { DAY_MILLIS, HOUR_MILLIS } from './retention.ts';

/**
 * Before rating: everything accepted since `since` is folded. The registry names every partition that was appended to in an
 * hour, written before the partition's first chunk of that hour, so nothing can be missed; each partition is read strongly
 * above its cursor. It begins an hour early: a time may be minutes ahead, so usage of a period may be registered before it
 * begins. Neither stream lag nor approximate queue figures are trusted. What is appended later is an adjustment.
 */
export interface SettleInput {
  readonly project: ProjectId;
  readonly since: Instant;
  /** Where an earlier call stopped; null at first. */
  readonly cursor: string | null;
  /** When to stop and hand back a cursor. */
  readonly stopAt: Instant;
}

export interface SettleResult {
  readonly done: boolean;
  readonly cursor: string | null;
  /** Partitions looked at in this call. */
  readonly partitions: number;
  readonly foldedEvents: number;
}

const DAYS_AT_ONCE = 7;

/** Settles as many append days as fit before `stopAt`. Repeating it is safe and cheap. */
export async function settleUsage(
  input: SettleInput,
  deps: FoldDeps & { registry: UsageRegistry },
): Promise<SettleResult> {
  const { project, cursor, since, stopAt } = input;
  const end = millisOf(deps.clock.now());
  // An event may be ahead of the clock it was accepted by, so its chunk may lie in the hour before.
  const start = millisOf(since) - HOUR_MILLIS;
  let day = cursor === null ? Math.floor(start / DAY_MILLIS) * DAY_MILLIS : Number(cursor);
  const settled = new Set<string>();
  let foldedEvents = 0;
  while (day <= end) {
    const days: string[] = [];
    for (let next = day; next <= end && days.length < DAYS_AT_ONCE; next += DAY_MILLIS) days.push(dayKey(next * 1000));
    const lists = await Promise.all(days.map((key) => deps.registry.partitionsOf(project, key, hourKey(start))));
    const open = lists.flat().filter((partition) => {
      const isNew = !settled.has(partition);
      settled.add(partition);
      return isNew;
    });
    const folded = await foldPartitions(
      open.map((partition) => ({ place: { project, partition } })),
      deps,
    );
    // Nothing may be rated without it, so the run stops here and tries again.
    if (folded.failed[0] !== undefined) throw folded.failed[0].error;
    foldedEvents += folded.foldedEvents;
    day += days.length * DAY_MILLIS;
    if (day <= end && millisOf(deps.clock.now()) >= millisOf(stopAt)) {
      return { done: false, cursor: String(day), partitions: settled.size, foldedEvents };
    }
  }
  return { done: true, cursor: null, partitions: settled.size, foldedEvents };
}
