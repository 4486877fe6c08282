import type { ProjectId } from '../ids.ts';
import { millisOf } from '../time/instant.ts';
import { type FoldDeps, type FoldResult, foldPartitions } from './fold-partitions.ts';
import { dayKey, hourKey, type LogPartition } from './log-partition.ts';
import type { UsageRegistry } from './ports.ts';
import { DAY_MILLIS, HOUR_MILLIS } from './retention.ts';

/**
 * When to fold. The stream is a hint that something was appended; the sweep needs no hint. Both fold a partition once its last
 * fold is older than the views may be, and a hint also once there are enough unfolded events. Enough is a figure of its own or,
 * where usage is spread over many customers, some events for each day that the last fold wrote: a view is written whole, so
 * that writing thousands of them for an event or two each is what thin traffic would cost.
 */
export interface FoldPolicy {
  /** Unfolded events at which a partition is folded at once. */
  readonly flushEvents: number;
  /** How old a view may become. */
  readonly maxViewAgeMillis: number;
  /** The same where quotas are asked for; as other views when absent. */
  readonly maxQuotaAgeMillis?: number;
}

export interface SweepResult extends FoldResult {
  readonly partitions: number;
  /** The fold lag: how long ago the longest-waiting of the partitions with something to fold was folded before, in ms. */
  readonly lagMillis: number;
}

/** Unfolded events for each customer's day that a fold is expected to write. */
const EVENTS_A_DAY = 20;
const RECENT_HOURS = 3;
/** A daily sweep looks back over this many days: each day is swept on three days, and a billing run settles all of its own. */
const RECENT_DAYS = 3;

/** A stream record's word: the partition has grown to `total` events. */
export interface FoldHint {
  readonly place: LogPartition;
  readonly total: number;
}

/** Folds what stream records announced of one project, where there is enough of it or the view is old enough. */
export async function foldOnHints(hints: readonly FoldHint[], policy: FoldPolicy, deps: FoldDeps): Promise<FoldResult> {
  const targets = await Promise.all(
    hints.map(async ({ place, total }) => ({ place, total, cursor: await deps.views.readCursor(place) })),
  );
  const now = millisOf(deps.clock.now());
  const maxAgeMillis = await maxAgeOf(hints[0]?.place.project, policy, deps);
  const due = targets.filter(({ total, cursor }) => {
    const isEnough = total - cursor.total >= Math.max(policy.flushEvents, EVENTS_A_DAY * cursor.days);
    const isOld = now - cursor.foldedAtMillis >= maxAgeMillis;
    return total > cursor.total && (isEnough || isOld);
  });
  return foldPartitions(due, deps);
}

/** How old the views of a project may become. */
async function maxAgeOf(project: ProjectId | undefined, policy: FoldPolicy, { quotas }: FoldDeps): Promise<number> {
  const { maxViewAgeMillis, maxQuotaAgeMillis = maxViewAgeMillis } = policy;
  if (project === undefined || maxQuotaAgeMillis >= maxViewAgeMillis) return maxViewAgeMillis;
  return (await quotas?.isUsed(project)) === true ? maxQuotaAgeMillis : maxViewAgeMillis;
}

/** Folds the partitions appended to in the last three hours (`recent`) or days (`daily`). */
export async function sweepUsage(
  input: { readonly project: ProjectId; readonly scope: 'recent' | 'daily'; readonly policy: FoldPolicy },
  deps: FoldDeps & { registry: UsageRegistry },
): Promise<SweepResult> {
  const { project, scope, policy } = input;
  const now = millisOf(deps.clock.now());
  const since = now - (scope === 'recent' ? (RECENT_HOURS - 1) * HOUR_MILLIS : (RECENT_DAYS - 1) * DAY_MILLIS);
  const from = scope === 'recent' ? hourKey(since) : dayKey(since * 1000);
  const swept = new Set<string>();
  for (let day = Math.floor(since / DAY_MILLIS) * DAY_MILLIS; day <= now; day += DAY_MILLIS) {
    for (const partition of await deps.registry.partitionsOf(project, dayKey(day * 1000), from)) swept.add(partition);
  }
  const targets = await Promise.all(
    [...swept].map(async (partition) => {
      const place = { project, partition };
      return { place, cursor: await deps.views.readCursor(place) };
    }),
  );
  const maxAgeMillis = await maxAgeOf(project, policy, deps);
  const due = targets.filter(({ cursor }) => scope === 'daily' || now - cursor.foldedAtMillis >= maxAgeMillis);
  const folded = await foldPartitions(due, deps);
  return { ...folded, partitions: swept.size, lagMillis: now - (folded.oldestFoldMillis ?? now) };
}
