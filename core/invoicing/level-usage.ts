import { isLevel, type Meter } from '../catalog/meter.ts';
import type { RatingInput } from '../rating/rate.ts';
import type { Instant } from '../time/instant.ts';
import { withSharedMembers } from '../usage/shared-members.ts';
import type { UsageSnapshot, ViewPosition } from '../usage/usage-snapshot.ts';
import type { BilledService } from './account-ledger.ts';

export interface LevelUsage {
  /** What rating needs of the parts beside the service; nothing where it needs nothing. */
  readonly input: Pick<RatingInput, 'running' | 'levels'>;
  /** Where in the log the levels were read, the service's own places included. */
  readonly views: readonly ViewPosition[];
}

/**
 * Reads what a part of a period needs of the others: the usage of its meters of levels over all of
 * them. Nothing is read where the service is all there is, or none of its `meters` is a level.
 */
export async function levelUsage(
  service: BilledService,
  meters: readonly Meter[],
  read: (from: Instant, to: Instant) => Promise<UsageSnapshot>,
): Promise<LevelUsage> {
  const levels = new Set(meters.filter(isLevel).map(({ key }) => key));
  // What carries over holds all that was before, so the last part says everything.
  const carried = new Set(meters.filter(({ reset }) => reset === 'carry_over').map(({ key }) => key));
  const { running } = service;
  if (running === undefined || levels.size === 0) return { input: {}, views: [] };
  const snapshots: UsageSnapshot[] = [];
  for (const { start, end } of running) snapshots.push(await read(start, end));
  const slices = snapshots.flatMap((snapshot) => {
    const isLast = snapshot === snapshots.at(-1);
    return snapshot.slices.filter(({ meter }) => levels.has(meter) && (isLast || !carried.has(meter)));
  });
  const views = new Map(snapshots.flatMap((snapshot) => snapshot.views.map((view) => [view.key, view] as const)));
  return { input: { running, levels: withSharedMembers(slices) }, views: [...views.values()] };
}
