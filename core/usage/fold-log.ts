import type { ProjectId } from '../ids.ts';
import { millisOf } from '../time/instant.ts';
import { type FoldDeps, foldPartition } from './fold-partitions.ts';
import { partitionsOfHour } from './log-partition.ts';
import type { UsageClaims } from './ports.ts';
import { FUTURE_TOLERANCE_MILLIS, HOUR_MILLIS, LOG_LIFE_MILLIS } from './retention.ts';

/** The hours of which the log holds something, or may, from the oldest on: the first millisecond of each. */
export function hoursOfLog(nowMillis: number): number[] {
  const oldest = Math.floor((nowMillis - LOG_LIFE_MILLIS) / HOUR_MILLIS) * HOUR_MILLIS;
  const hours: number[] = [];
  for (let hour = oldest; hour <= nowMillis + FUTURE_TOLERANCE_MILLIS; hour += HOUR_MILLIS) hours.push(hour);
  return hours;
}

/**
 * Folds everything that the log of a project still holds, hour by hour under the pinned headers: for views whose registry was
 * lost with them. Returns the events folded.
 */
export async function foldLog(
  input: { readonly project: ProjectId; readonly onHour?: () => void },
  deps: FoldDeps & { readonly headers: Pick<UsageClaims, 'findHeader'> },
): Promise<number> {
  const { project, onHour } = input;
  let events = 0;
  for (const hourMillis of hoursOfLog(millisOf(deps.clock.now()))) {
    const header = await deps.headers.findHeader(project, hourMillis);
    for (const partition of header === undefined ? [] : partitionsOfHour(header, hourMillis))
      events += await foldPartition({ project, partition }, deps);
    onHour?.();
  }
  return events;
}
