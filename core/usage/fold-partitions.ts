import type { MeterStore } from '../catalog/ports.ts';
import { BillingError } from '../errors.ts';
import type { ProjectId } from '../ids.ts';
import { millisOf } from '../time/instant.ts';
import { deadEvents, decodeChunkBody, type LoggedEvent, liveEvents, type StoredChunk } from './chunk.ts';
import { isConsumedMeter } from './consumed-meter.ts';
import { foldConsumed, foldEvents } from './fold.ts';
import { type QuarantineDeps, quarantineLeft, quarantineUnfoldable } from './fold-quarantine.ts';
import { type DayFold, foldView, type PartitionFold, type SequencedReadings, type ViewLimits } from './fold-view.ts';
import { FINGERPRINT_BYTES } from './identity.ts';
import { inLanes } from './in-lanes.ts';
import { dayStartMillis, type LogPartition } from './log-partition.ts';
import { backfilledOn, Revisions, readRevisions } from './meter-revisions.ts';
import type { FoldCursor, UsageLog, UsageViews } from './ports.ts';
import { DAY_MILLIS, HOUR_MILLIS } from './retention.ts';
import { type UndoneDays, undoneDays } from './undone-days.ts';
import type { Reading } from './usage-view.ts';

/**
 * The only writer of the views: brings every view that some partitions touch up to the partitions' heads. Partitions are
 * folded in groups, so that a view which several of them touch is written once.
 *
 * Order is everything: the items first, the partitions' cursors after. A folder that dies in between leaves items ahead of
 * the cursors, and their own cursors keep the next folder from adding anything twice.
 */
export interface FoldDeps extends QuarantineDeps {
  readonly log: UsageLog;
  readonly views: UsageViews;
  readonly meters: Pick<MeterStore, 'revision' | 'newest'>;
  /** Customers this worker has marked as seen. */
  readonly seen: Set<string>;
  /** Keeps quotas up with the views; absent where none are asked for. */
  readonly quotas?: FoldedQuotas;
  /** How large a view may grow; only tests of full views set it. */
  readonly viewLimits?: ViewLimits;
}

/** What follows the views of a customer. */
export interface FoldedQuotas {
  /** Whether the project asks for quotas, as far as this worker knows. */
  isUsed(project: ProjectId): Promise<boolean>;
  /** Brings the quotas of the customers up to their views, which have been written. Repeating it is harmless. */
  refresh(touched: readonly { project: ProjectId; customer: string; day: string }[]): Promise<void>;
}

/** A partition to fold, with its cursor if the caller has just read it. */
export interface FoldTarget {
  readonly place: LogPartition;
  readonly cursor?: FoldCursor;
}

export interface FoldResult {
  readonly foldedEvents: number;
  /** Entries of the parking lot made, or made again, for events that could not be counted. */
  readonly parkedEvents: number;
  /** The earliest earlier fold among the partitions that had something to fold; null when none had both. */
  readonly oldestFoldMillis: number | null;
  /** Partitions that could not be folded; the others were. */
  readonly failed: readonly { readonly place: LogPartition; readonly error: unknown }[];
}

/** Events of a group folded before its cursors move: bounds the work that a crash repeats, and the memory (about 1 KB each). */
const FLUSH_EVENTS = 100_000;
const PARTITIONS_AT_ONCE = 32;
const VIEWS_AT_ONCE = 16;
/** A day that receives usage this long after its end may have been billed: the next billing run must look at it again. */
const LATE_AFTER_MILLIS = HOUR_MILLIS;

/** Whether usage of a UTC day (`20261121`) that comes at `millis` may find the day billed. */
export function isLate(day: string, millis: number): boolean {
  return millis > dayStartMillis(day) + DAY_MILLIS + LATE_AFTER_MILLIS;
}

/** What of a partition is read and not yet folded. */
interface Unfolded {
  readonly place: LogPartition;
  readonly chunks: readonly StoredChunk[];
  readonly events: number;
  /** When the partition was folded before; 0 for never. */
  readonly foldedAtMillis: number;
  readonly hasMore: boolean;
}

/** Folds everything above the cursors of partitions of one project. One that fails does not keep the others from being folded. */
export async function foldPartitions(targets: readonly FoldTarget[], deps: FoldDeps): Promise<FoldResult> {
  let known: Revisions | undefined;
  const failed: { place: LogPartition; error: unknown }[] = [];
  let foldedEvents = 0;
  let parkedEvents = 0;
  let oldestFoldMillis: number | null = null;
  let queue = [...targets];
  while (queue.length > 0) {
    const group = queue.slice(0, PARTITIONS_AT_ONCE);
    queue = queue.slice(PARTITIONS_AT_ONCE);
    try {
      known ??= await Revisions.asOfNow(targets[0]?.place.project, deps);
      const { unfolded, parked } = await foldGroup(group, known, deps);
      parkedEvents += parked;
      for (const { place, events, foldedAtMillis, hasMore } of unfolded) {
        foldedEvents += events;
        if (foldedAtMillis > 0) oldestFoldMillis = Math.min(oldestFoldMillis ?? foldedAtMillis, foldedAtMillis);
        if (hasMore) queue.push({ place });
      }
    } catch (error) {
      const [only] = group;
      if (error instanceof BillingError && error.code === 'meters_outdated') {
        known = undefined;
        queue.unshift(...group);
        continue;
      }
      if (group.length === 1 && only !== undefined) failed.push({ place: only.place, error });
      else {
        // Each by itself: what is wrong with one is then the trouble of that one alone.
        for (const { place } of group) {
          const alone = await foldPartitions([{ place }], deps);
          foldedEvents += alone.foldedEvents;
          parkedEvents += alone.parkedEvents;
          oldestFoldMillis ??= alone.oldestFoldMillis;
          failed.push(...alone.failed);
        }
      }
    }
  }
  return { foldedEvents, parkedEvents, oldestFoldMillis, failed };
}

/** Folds one partition. Throws what went wrong; returns the events folded. */
export async function foldPartition(place: LogPartition, deps: FoldDeps): Promise<number> {
  const { foldedEvents, failed } = await foldPartitions([{ place }], deps);
  if (failed[0] !== undefined) throw failed[0].error;
  return foldedEvents;
}

async function foldGroup(
  group: readonly FoldTarget[],
  revisions: Revisions,
  deps: FoldDeps,
): Promise<{ readonly unfolded: readonly Unfolded[]; readonly parked: number }> {
  const limit = Math.ceil(FLUSH_EVENTS / group.length);
  const read = await Promise.all(group.map((target) => readUnfolded(target, limit, deps)));
  const unfolded = read.filter(({ chunks }) => chunks.length > 0);
  const { days, undone, unfoldable } = await dayFoldsOf(unfolded, revisions, deps);
  let parked = unfoldable;
  await inLanes([...days.values()], VIEWS_AT_ONCE, async (fold) => {
    const { project, customer } = fold.key;
    await markSeen(project, customer, deps);
    // Before the view: a marker without late usage costs a look, late usage without a marker would cost money.
    if (fold.isLate) await deps.views.markLate(project, customer, fold.key.day);
    const backfilled = backfilledOn(fold.key.day, revisions.backfilled);
    const day = { key: fold.key, backfilled, partitions: [...fold.byPartition.values()] };
    const left = await foldView(day, deps.views, deps.viewLimits);
    if (left.length > 0) parked += await quarantineLeft(left, unfolded, undone, deps);
  });
  // Before the cursors: a folder that dies here leaves them to the next one, which refreshes again.
  await deps.quotas?.refresh([...days.values()].map(({ key }) => key));
  const foldedAtMillis = millisOf(deps.clock.now());
  await Promise.all(
    unfolded.map(async ({ place, chunks }) => {
      const last = chunks.at(-1);
      if (last === undefined) return;
      const written = [...days.values()].filter(({ byPartition }) => byPartition.has(place.partition)).length;
      const { sequence, total } = last;
      await deps.views.advanceCursor(place, { sequence, total, foldedAtMillis, days: written });
    }),
  );
  return { unfolded, parked };
}

/** Chunks above the cursor, at least `limit` events of them if there are so many. */
async function readUnfolded({ place, cursor }: FoldTarget, limit: number, deps: FoldDeps): Promise<Unfolded> {
  const { sequence, foldedAtMillis } = cursor ?? (await deps.views.readCursor(place));
  const chunks: StoredChunk[] = [];
  let events = 0;
  for await (const page of deps.log.readChunks(place, sequence)) {
    for (const chunk of page) {
      if (events >= limit) return { place, chunks, events, foldedAtMillis, hasMore: true };
      chunks.push(chunk);
      events += chunk.events + chunk.voided.length / FINGERPRINT_BYTES;
    }
  }
  return { place, chunks, events, foldedAtMillis, hasMore: false };
}

interface PartitionFolding extends PartitionFold {
  readonly chunks: SequencedReadings[];
  left?: readonly Reading[];
}

interface DayFolding {
  readonly key: DayFold['key'];
  readonly byPartition: Map<string, PartitionFolding>;
  isLate: boolean;
}

/** What the chunks say, by customer and day. Events that no meter counts are set aside on the way. */
async function dayFoldsOf(
  unfolded: readonly Unfolded[],
  revisions: Revisions,
  deps: FoldDeps,
): Promise<{
  days: ReadonlyMap<string, DayFolding>;
  undone: ReadonlyMap<string, LoggedEvent>;
  /** How many events no meter counts. */
  unfoldable: number;
}> {
  let unfoldableEvents = 0;
  const folds = new Map<string, DayFolding>();
  const undone = new Map<string, LoggedEvent>();
  const foldOf = (project: ProjectId, { customer, day }: { customer: string; day: string }) => {
    const name = `${day}\0${customer}`;
    const known = folds.get(name);
    if (known !== undefined) return known;
    const fold: DayFolding = { key: { project, customer, day, part: '' }, byPartition: new Map(), isLate: false };
    folds.set(name, fold);
    return fold;
  };
  for (const { place, chunks } of unfolded) {
    const upTo = chunks.at(-1)?.sequence ?? 0;
    const shareOf = (fold: DayFolding) => {
      const share = fold.byPartition.get(place.partition) ?? { partition: place.partition, upTo, chunks: [] };
      fold.byPartition.set(place.partition, share);
      return share;
    };
    for (const chunk of chunks) {
      if (chunk.events === 0) continue;
      const body = decodeChunkBody(chunk.body);
      const events = liveEvents(body);
      await readRevisions(place.project, events, revisions, deps);
      const { days, unfoldable } = foldEvents(place.project, events, revisions);
      await quarantineUnfoldable(place, chunk.sequence, unfoldable, deps);
      unfoldableEvents += unfoldable.length;
      for (const one of [...days, ...foldConsumed(place.project, deadEvents(body))]) {
        const fold = foldOf(place.project, one);
        shareOf(fold).chunks.push({ sequence: chunk.sequence, readings: one.readings });
        fold.isLate ||= isLate(one.day, chunk.appendedAtMillis);
      }
    }
    const taken = await undoneIn(place, chunks, revisions, deps);
    for (const [identity, event] of taken.events) undone.set(identity, event);
    for (const day of taken.days) {
      const fold = foldOf(place.project, day);
      const share = shareOf(fold);
      for (const reading of day.undone)
        share.chunks.push({ sequence: reading.undoneAt, readings: [], undone: [reading] });
      if (day.left !== undefined) share.left = day.left;
      fold.isLate ||= chunks.some((chunk) => chunk.voided.length > 0 && isLate(day.day, chunk.appendedAtMillis));
    }
  }
  return { days: folds, undone, unfoldable: unfoldableEvents };
}

/** What the voids among the chunks take out again. */
function undoneIn(
  place: LogPartition,
  chunks: readonly StoredChunk[],
  revisions: Revisions,
  deps: FoldDeps,
): Promise<UndoneDays> {
  const readingsOf = async (events: readonly LoggedEvent[]) => {
    await readRevisions(place.project, events, revisions, deps);
    // What was consumed stays known to its quota: that the usage is gone gives the quantity back.
    const { days } = foldEvents(place.project, events, revisions);
    return days.map((day) => ({ ...day, readings: day.readings.filter(({ meter }) => !isConsumedMeter(meter)) }));
  };
  return undoneDays(place, chunks, { log: deps.log, readingsOf });
}

async function markSeen(project: ProjectId, customer: string, deps: FoldDeps): Promise<void> {
  const name = `${project}\0${customer}`;
  if (deps.seen.has(name)) return;
  await deps.views.markSeen(project, customer);
  if (deps.seen.size > 100_000) deps.seen.clear();
  deps.seen.add(name);
}
