import { compareViews, type ViewDifference } from './compare-views.ts';
import { type DayGroupDeps, type DayOfCustomers, recountInGroups } from './day-groups.ts';
import type { Uncounted } from './day-recount.ts';
import type { RecountedDay } from './recount-days.ts';

/** A customer's day whose views and log do not agree. Each list holds at most 20 entries. */
export interface DayFinding {
  readonly customer: string;
  readonly day: string;
  readonly differences: readonly ViewDifference[];
  readonly uncounted: readonly Uncounted[];
}

export interface ReconciledDay {
  /** Items that were compared. */
  readonly views: number;
  readonly findings: readonly DayFinding[];
  /** Customers whose log is not all there any more: nothing is said of them. */
  readonly unprovable: readonly string[];
}

const LISTED = 20;

/**
 * Holds the views of a UTC day against the log: each item against the chunks up to its own cursors, and every partition that
 * was appended to on the day or the one after against the views that should have taken it in. What is found is looked at a
 * second time before it is told, so that nothing which happens in the middle of it can look like a difference.
 */
export async function reconcileDay(input: DayOfCustomers, deps: DayGroupDeps): Promise<ReconciledDay> {
  const first = await look(input, deps);
  if (first.findings.length === 0) return first;
  const customers = first.findings.map(({ customer }) => customer);
  const { findings } = await look({ ...input, customers }, deps);
  return { ...first, findings };
}

async function look(input: DayOfCustomers, deps: DayGroupDeps): Promise<ReconciledDay> {
  let views = 0;
  const findings: DayFinding[] = [];
  const unprovable: string[] = [];
  for await (const group of recountInGroups(input, deps)) {
    for (const counted of group) {
      views += counted.views.items.length;
      const finding = findingOf(counted);
      if (counted.unreadable.length > 0) unprovable.push(counted.views.customer);
      else if (finding !== null) findings.push(finding);
    }
  }
  return { views, findings, unprovable };
}

function findingOf({ views, items, uncounted }: RecountedDay): DayFinding | null {
  const differences = items.flatMap(compareViews);
  if (differences.length === 0 && uncounted.length === 0) return null;
  const { customer, day } = views;
  return { customer, day, differences: differences.slice(0, LISTED), uncounted: uncounted.slice(0, LISTED) };
}
