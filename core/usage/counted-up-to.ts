import type { ProjectId } from '../ids.ts';
import type { Clock } from '../time/clock.ts';
import { type Instant, instantFromMillis, millisOf } from '../time/instant.ts';
import { dayKey, hourKey } from './log-partition.ts';
import type { UsageLog, UsageRegistry, UsageViews } from './ports.ts';
import { DAY_MILLIS, HOUR_MILLIS } from './retention.ts';

export interface FreshnessDeps {
  readonly registry: Pick<UsageRegistry, 'partitionsOf'>;
  readonly views: Pick<UsageViews, 'readCursor'>;
  readonly log: Pick<UsageLog, 'oldestAbove'>;
  readonly clock: Clock;
}

/** What was appended before is folded by the sweep, or an alarm rings. */
const LOOK_BACK_MILLIS = 2 * HOUR_MILLIS;
/** More partitions than these in three hours are not looked at one by one. */
const MAX_PARTITIONS = 200;

/**
 * How fresh the views of a project are: everything appended to its log before the instant is in them, as of a read of the
 * views that begins after this call. Looks at the partitions appended to in this hour and the two before, two small reads
 * each; with more than 200 of them it answers the beginning of those hours.
 */
export async function countedUpTo(project: ProjectId, deps: FreshnessDeps): Promise<Instant> {
  const now = millisOf(deps.clock.now());
  const since = Math.floor((now - LOOK_BACK_MILLIS) / HOUR_MILLIS) * HOUR_MILLIS;
  const partitions = new Set<string>();
  for (let day = Math.floor(since / DAY_MILLIS) * DAY_MILLIS; day <= now; day += DAY_MILLIS) {
    const listed = await deps.registry.partitionsOf(project, dayKey(day * 1000), hourKey(since));
    for (const partition of listed) partitions.add(partition);
  }
  if (partitions.size > MAX_PARTITIONS) return instantFromMillis(since);
  const unfolded = await Promise.all(
    [...partitions].map(async (partition) => {
      const place = { project, partition };
      const { sequence } = await deps.views.readCursor(place);
      return deps.log.oldestAbove(place, sequence);
    }),
  );
  return instantFromMillis(unfolded.reduce<number>((oldest, millis) => Math.min(oldest, millis ?? oldest), now));
}
