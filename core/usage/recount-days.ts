import type { MeterStore } from '../catalog/ports.ts';
import type { ProjectId } from '../ids.ts';
import { isConsumedMeter } from './consumed-meter.ts';
import { DayRecount, type DayViews, type RecountedItem, type Uncounted } from './day-recount.ts';
import { foldEvents } from './fold.ts';
import { inLanes } from './in-lanes.ts';
import { dayKey, dayStartMillis } from './log-partition.ts';
import { Revisions, readRevisions } from './meter-revisions.ts';
import { type PartitionEvent, partitionEvents } from './partition-events.ts';
import type { UsageLog } from './ports.ts';
import { DAY_MILLIS } from './retention.ts';

/** Where a recount reads: the log, or what has been kept of it. */
export interface RecountDeps {
  readonly log: Pick<UsageLog, 'readChunks'>;
  readonly meters: Pick<MeterStore, 'revision' | 'newest'>;
}

export interface RecountInput {
  readonly project: ProjectId;
  readonly days: readonly DayViews[];
  /** Fold cursors that were read before the views: events up to them that no view has taken in are told too. */
  readonly folded: ReadonlyMap<string, number>;
  /** A meter whose past the views are to hold that do not yet; null for none. */
  readonly backfilled: string | null;
}

export interface RecountedDay {
  readonly views: DayViews;
  readonly items: readonly RecountedItem[];
  readonly uncounted: readonly Uncounted[];
  /** Partitions whose chunks are not all there up to the views' cursors: then nothing can be said of the day. */
  readonly unreadable: readonly string[];
}

const PARTITIONS_AT_ONCE = 4;
/** Events between two additions: bounds what is held of a partition besides its bytes. */
const EVENTS_AT_ONCE = 5_000;

/**
 * Counts days of some customers again, from nothing but the log: each item exactly up to its own cursors, so that what comes
 * in meanwhile makes no difference. Every log partition is read once, for all days together.
 */
export async function recountDays(
  { project, days, folded, backfilled }: RecountInput,
  deps: RecountDeps,
): Promise<RecountedDay[]> {
  if (days.length === 0) return [];
  const recounts = new Map(days.map((views) => [nameOf(views), new DayRecount(views, backfilled)]));
  const needed = new Map<string, number>();
  for (const recount of recounts.values()) {
    for (const [partition, sequence] of recount.cursors())
      needed.set(partition, Math.max(needed.get(partition) ?? 0, sequence));
  }
  const unreadable = new Set<string>();
  // After the views: what they hold the past of is known by then.
  const revisions = await Revisions.asOfNow(project, deps);
  const partitions = [...new Set([...needed.keys(), ...folded.keys()])].sort();
  await inLanes(partitions, PARTITIONS_AT_ONCE, async (partition) => {
    const upTo = Math.max(needed.get(partition) ?? 0, folded.get(partition) ?? 0);
    const reading = { project, partition, upTo, folded: folded.get(partition) ?? 0 };
    const head = await readInto(recounts, reading, revisions, deps);
    if (head < (needed.get(partition) ?? 0)) unreadable.add(partition);
  });
  return [...recounts.values()].map((recount) => {
    const { views } = recount;
    const items = recount.items();
    const rests = [...recount.cursors().keys()].filter((partition) => unreadable.has(partition));
    return { views, items, uncounted: recount.uncounted(), unreadable: rests };
  });
}

interface PartitionReading {
  readonly project: ProjectId;
  readonly partition: string;
  readonly upTo: number;
  readonly folded: number;
}

/** Reads one partition into all days; answers the last sequence that is there. */
async function readInto(
  recounts: ReadonlyMap<string, DayRecount>,
  { project, partition, upTo, folded }: PartitionReading,
  revisions: Revisions,
  deps: RecountDeps,
): Promise<number> {
  const counted = countingReads(deps.log);
  const query = { upTo, ...rangeOf(recounts) };
  const recountOf = ({ customer, occurredAtMicros }: PartitionEvent['event']) =>
    recounts.get(nameOf({ customer, day: dayKey(occurredAtMicros) }));
  let batch: PartitionEvent[] = [];
  const take = async () => {
    await readRevisions(
      project,
      batch.map(({ event }) => event),
      revisions,
      deps,
    );
    for (const { event, sequence, voidedBy } of batch) {
      const at = { partition, sequence, voidedAt: voidedBy?.sequence ?? null, folded };
      const recount = recountOf(event);
      // A void takes no consumption from its quota, only the usage.
      for (const { readings } of foldEvents(project, [event], revisions).days)
        for (const entry of readings)
          recount?.add(entry, isConsumedMeter(entry.meter) ? { ...at, voidedAt: null } : at);
    }
    batch = [];
    for (const recount of recounts.values()) recount.addUp();
  };
  for await (const found of partitionEvents({ project, partition }, query, { log: counted.log })) {
    if (recountOf(found.event) !== undefined) batch.push(found);
    if (batch.length >= EVENTS_AT_ONCE) await take();
  }
  await take();
  return counted.head();
}

/** What of a partition may matter to these days. */
function rangeOf(recounts: ReadonlyMap<string, DayRecount>) {
  const customers = new Set<string>();
  let from = Number.POSITIVE_INFINITY;
  let to = 0;
  for (const name of recounts.keys()) {
    const day = name.slice(0, name.indexOf('\0'));
    customers.add(name.slice(day.length + 1));
    from = Math.min(from, dayStartMillis(day) * 1000);
    to = Math.max(to, (dayStartMillis(day) + DAY_MILLIS) * 1000 - 1);
  }
  return { customers, occurred: { from, to } };
}

function countingReads(log: RecountDeps['log']) {
  let head = 0;
  const readChunks: UsageLog['readChunks'] = async function* (place, sequence) {
    for await (const page of log.readChunks(place, sequence)) {
      head = page.at(-1)?.sequence ?? head;
      yield page;
    }
  };
  return { log: { readChunks }, head: () => head };
}

function nameOf({ day, customer }: { readonly day: string; readonly customer: string }): string {
  return `${day}\0${customer}`;
}
