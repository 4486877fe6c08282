import type { ProjectId } from '../ids.ts';
import { compareViews, type ViewDifference } from './compare-views.ts';
import { type CustomerDay, type DayGroupDeps, recountInGroups } from './day-groups.ts';
import type { Uncounted } from './day-recount.ts';
import type { RecountedDay } from './recount-days.ts';

/** A customer's day whose views and log do not agree. Each list holds at most 20 entries. */
export interface DayFinding {
  readonly customer: string;
  readonly day: string;
  readonly differences: readonly ViewDifference[];
  readonly uncounted: readonly Uncounted[];
}

export interface ReconciledDays {
  /** What was looked at, by day. */
  readonly days: readonly CustomerDay[];
  /** Items that were compared. */
  readonly views: number;
  readonly findings: readonly DayFinding[];
  /** Days whose log is not all there any more: nothing is said of them. */
  readonly unprovable: readonly CustomerDay[];
}

const LISTED = 20;

/**
 * Holds customers' days against the log, group by group: each item against the chunks up to its own cursors, and every
 * partition that was appended to about then against the views that should have taken it in. What is found is looked at a
 * second time before it is told, so that nothing which happens in the middle of it can look like a difference.
 */
export async function* reconcileDays(
  project: ProjectId,
  days: Iterable<CustomerDay>,
  deps: DayGroupDeps,
): AsyncGenerator<ReconciledDays> {
  for await (const group of recountInGroups({ project, days }, deps)) {
    const looked = foundIn(group);
    yield looked.findings.length === 0 ? looked : { ...looked, findings: await again(project, looked.findings, deps) };
  }
}

async function again(project: ProjectId, days: readonly DayFinding[], deps: DayGroupDeps): Promise<DayFinding[]> {
  const findings: DayFinding[] = [];
  for await (const group of recountInGroups({ project, days }, deps)) findings.push(...foundIn(group).findings);
  return findings;
}

function foundIn(group: readonly RecountedDay[]): ReconciledDays {
  const days = group.map(({ views: { customer, day } }) => ({ customer, day }));
  const isUnprovable = ({ unreadable }: RecountedDay) => unreadable.length > 0;
  return {
    days,
    views: group.reduce((sum, { views }) => sum + views.items.length, 0),
    findings: group.flatMap((counted) => (isUnprovable(counted) ? [] : findingsOf(counted))),
    unprovable: days.filter((_, i) => group[i] !== undefined && isUnprovable(group[i])),
  };
}

function findingsOf({ views, items, uncounted }: RecountedDay): DayFinding[] {
  const differences = items.flatMap(compareViews);
  if (differences.length === 0 && uncounted.length === 0) return [];
  const { customer, day } = views;
  return [{ customer, day, differences: differences.slice(0, LISTED), uncounted: uncounted.slice(0, LISTED) }];
}
