import type { ProjectId } from '../ids.ts';
import type { DayViews } from './day-recount.ts';
import { inLanes } from './in-lanes.ts';
import { dayKey, dayStartMillis, hourKey } from './log-partition.ts';
import type { UsageRegistry, UsageViews } from './ports.ts';
import { withoutStale } from './read-usage.ts';
import { type RecountDeps, type RecountedDay, recountDays } from './recount-days.ts';
import { DAY_MILLIS, HOUR_MILLIS } from './retention.ts';

/** A customer's UTC day (`20261121`). */
export interface CustomerDay {
  readonly customer: string;
  readonly day: string;
}

/** Where a customer's day stands in the order of days, and within a day of customers: all days have eight digits. */
export function positionOf({ day, customer }: CustomerDay): string {
  return `${day}/${customer}`;
}

export interface DayGroupDeps extends RecountDeps {
  readonly views: Pick<UsageViews, 'readViews' | 'readCursor'>;
  readonly registry: Pick<UsageRegistry, 'partitionsOf'>;
}

const READS_AT_ONCE = 16;
/** What is held of the views at a time, in quarter hours by meter and dimension values, and in customers' days. */
const CELLS_AT_ONCE = 200_000;
const VIEWS_AT_ONCE = 2_000;
/** Events of the log's partitions that one pass is to read: a group of days ends with the day that passes it. */
const EVENTS_AT_ONCE = 10_000_000;

export interface RecountGroups {
  readonly project: ProjectId;
  /** By day, each customer's day once. */
  readonly days: Iterable<CustomerDay>;
  /** A meter whose past the views are to hold: only those that do not hold it yet are counted. */
  readonly backfilled?: string;
}

/** Counts days again, group by group: each as many views as memory holds, and each one pass over the log. */
export async function* recountInGroups(
  { project, days: all, backfilled }: RecountGroups,
  deps: DayGroupDeps,
): AsyncGenerator<readonly RecountedDay[]> {
  const rest = all[Symbol.iterator]();
  const waiting: CustomerDay[] = [];
  for (;;) {
    fill(waiting, rest);
    if (waiting.length === 0) return;
    // Before the views: what was folded by then is in them.
    const near = await nearDays(project, new Set(waiting.map(({ day }) => day)), deps);
    const { folded } = near;
    const later = waiting.findIndex(({ day }) => !near.days.has(day));
    const now = waiting.splice(0, later === -1 ? waiting.length : later);
    const group = await nextGroup(project, now, deps);
    waiting.unshift(...now);
    const days = backfilled === undefined ? group : group.filter(({ items }) => lacksPast(items, backfilled));
    yield await recountDays({ project, days, folded, backfilled: backfilled ?? null }, deps);
  }
}

function fill(waiting: CustomerDay[], rest: Iterator<CustomerDay>): void {
  while (waiting.length < VIEWS_AT_ONCE) {
    const next = rest.next();
    if (next.done === true) return;
    waiting.push(next.value);
  }
}

/** Whether an item that counts by the meter lacks its past. A day without any gets it with its first. */
function lacksPast(items: DayViews['items'], meter: string): boolean {
  return items.some(
    ({ key, view }) =>
      (key.part === '' || key.part.split('~')[0] === meter) && view.backfilled?.includes(meter) !== true,
  );
}

/**
 * As many of the days as one pass may count, at least one, with the fold cursors of the partitions where nearly everything of
 * them lies. What came later still is in partitions that the views themselves name.
 */
async function nearDays(project: ProjectId, all: ReadonlySet<string>, deps: DayGroupDeps) {
  const days = new Set<string>();
  const lists = new Map<string, readonly string[]>();
  const folded = new Map<string, number>();
  let events = 0;
  for (const day of all) {
    const start = dayStartMillis(day);
    // A time may be minutes ahead, so the chunk may have been appended in the hour before.
    const hour = hourKey(start - HOUR_MILLIS);
    const appended = [start - DAY_MILLIS, start, start + DAY_MILLIS].map((millis) => dayKey(millis * 1000));
    await inLanes(
      appended.filter((key) => !lists.has(key)),
      READS_AT_ONCE,
      async (key) => void lists.set(key, await deps.registry.partitionsOf(project, key, hour)),
    );
    const partitions = [...new Set(appended.flatMap((key) => lists.get(key) ?? []))];
    await inLanes(
      partitions.filter((partition) => !folded.has(partition)),
      READS_AT_ONCE,
      async (partition) => {
        const { sequence, total } = await deps.views.readCursor({ project, partition });
        folded.set(partition, sequence);
        events += total;
      },
    );
    days.add(day);
    if (events >= EVENTS_AT_ONCE) break;
  }
  return { days, folded };
}

/** The views of the next customers' days; takes them off the list. */
async function nextGroup(project: ProjectId, waiting: CustomerDay[], { views }: DayGroupDeps): Promise<DayViews[]> {
  const group: DayViews[] = [];
  let cells = 0;
  while (waiting.length > 0 && cells < CELLS_AT_ONCE) {
    const some = waiting.splice(0, READS_AT_ONCE);
    const read = await Promise.all(
      some.map(async ({ customer, day }) => {
        const items = withoutStale(await views.readViews(project, customer, day, day));
        return { project, customer, day, items };
      }),
    );
    group.push(...read);
    for (const { items } of read) cells += cellsIn(items);
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
