import type { ProjectId } from '../ids.ts';
import type { DayViews } from './day-recount.ts';
import { inLanes } from './in-lanes.ts';
import { dayKey, dayStartMillis, hourKey } from './log-partition.ts';
import type { UsageRegistry, UsageViews } from './ports.ts';
import { withoutStale } from './read-usage.ts';
import { type RecountDeps, type RecountedDay, recountDays } from './recount-days.ts';
import { DAY_MILLIS, HOUR_MILLIS } from './retention.ts';

/** Some customers' views of one UTC day. */
export interface DayOfCustomers {
  readonly project: ProjectId;
  /** `20261121`. */
  readonly day: string;
  readonly customers: readonly string[];
}

/** A day whose views are to hold the past of a meter that is newer than they are. */
export interface BackfilledDay extends DayOfCustomers {
  readonly backfilled: string;
}

export interface DayGroupDeps extends RecountDeps {
  readonly views: Pick<UsageViews, 'readViews' | 'readCursor'>;
  readonly registry: Pick<UsageRegistry, 'partitionsOf'>;
}

const READS_AT_ONCE = 16;
/** What is held of the views at a time, in quarter hours by meter and dimension values, and in customers. */
const CELLS_AT_ONCE = 200_000;
const CUSTOMERS_AT_ONCE = 2_000;

/**
 * Counts a day again, group by group: each as many customers as memory holds, and each one pass over the log. Where a meter is
 * backfilled, only the customers whose views do not hold its past yet.
 */
export async function* recountInGroups(
  input: DayOfCustomers | BackfilledDay,
  deps: DayGroupDeps,
): AsyncGenerator<readonly RecountedDay[]> {
  const { project, day, customers } = input;
  const backfilled = 'backfilled' in input ? input.backfilled : null;
  const partitions = await partitionsAround(project, day, deps);
  const waiting = [...customers];
  while (waiting.length > 0) {
    // Before the views: what was folded by then is in them.
    const folded = await cursorsOf(project, partitions, deps);
    const group = await nextGroup(project, day, waiting, deps);
    const days = backfilled === null ? group : group.filter(({ items }) => lacksPast(items, backfilled));
    yield await recountDays({ project, days, folded, backfilled }, deps);
  }
}

/** Whether an item that counts by the meter lacks its past. A day without any gets it with its first. */
function lacksPast(items: DayViews['items'], meter: string): boolean {
  return items.some(
    ({ key, view }) =>
      (key.part === '' || key.part.split('~')[0] === meter) && view.backfilled?.includes(meter) !== true,
  );
}

/** Where nearly everything of a day lies. What came later still is in partitions that the views themselves name. */
async function partitionsAround(project: ProjectId, day: string, deps: DayGroupDeps): Promise<string[]> {
  const start = dayStartMillis(day);
  // A time may be minutes ahead, so the chunk may have been appended in the hour before.
  const days = [start - DAY_MILLIS, start, start + DAY_MILLIS].map((millis) => dayKey(millis * 1000));
  const lists = await Promise.all(
    days.map((key) => deps.registry.partitionsOf(project, key, hourKey(start - HOUR_MILLIS))),
  );
  return [...new Set(lists.flat())];
}

async function cursorsOf(project: ProjectId, partitions: readonly string[], { views }: DayGroupDeps) {
  const cursors = new Map<string, number>();
  await inLanes(partitions, READS_AT_ONCE, async (partition) => {
    cursors.set(partition, (await views.readCursor({ project, partition })).sequence);
  });
  return cursors;
}

/** The views of the next customers; takes them off the list. */
async function nextGroup(
  project: ProjectId,
  day: string,
  waiting: string[],
  { views }: DayGroupDeps,
): Promise<DayViews[]> {
  const group: DayViews[] = [];
  let cells = 0;
  while (waiting.length > 0 && group.length < CUSTOMERS_AT_ONCE && cells < CELLS_AT_ONCE) {
    await inLanes(waiting.splice(0, READS_AT_ONCE), READS_AT_ONCE, async (customer) => {
      const items = withoutStale(await views.readViews(project, customer, day, day));
      group.push({ project, customer, day, items });
      cells += cellsIn(items);
    });
  }
  return group;
}

function cellsIn(items: DayViews['items']): number {
  let cells = 0;
  for (const { view } of items) {
    for (const { dimensions } of Object.values(view.meters))
      for (const quarters of Object.values(dimensions)) cells += Object.keys(quarters).length;
  }
  return cells;
}
