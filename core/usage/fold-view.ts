import { BillingError } from '../errors.ts';
import { entryOf } from './entry-of.ts';
import type { UsageViews, ViewKey } from './ports.ts';
import { nextSplit, partOf, splitOf } from './split-view.ts';
import {
  addReadings,
  encodeView,
  isTaken,
  type Reading,
  replacePartition,
  takeOut,
  type UsageView,
} from './usage-view.ts';
import { addsUp, keepsContributions } from './view-cell.ts';

/**
 * Adds what some partitions say about one customer and day to the view of that day, in one write. Read, add the chunks above
 * the view's own cursors, write if the version is still the one read; otherwise read again. Two folders at once, a folder that died in
 * between and chunks seen twice are all harmless, because the cursor and the content are one write.
 *
 * A void is folded like a reading: it takes out what its event had added, in the write that moves the cursor past it.
 *
 * What does not fit into an item that can be split no further is refused by the same write: `closed` names its partition.
 *
 * A day is one item while it stays small; then it is split by meter, a meter by slices of its dimensions, and a slice of a
 * unique count by its members, twice. A split moves the content and the cursors in one transaction.
 */
export interface SequencedReadings {
  readonly sequence: number;
  readonly readings: readonly Reading[];
  /** Readings of earlier chunks that this chunk's voids take out again. */
  readonly undone?: readonly UndoneReading[];
}

/** A reading whose event was voided after it had been stored. */
export interface UndoneReading extends Reading {
  /** The chunk of the event, and the later one of its void. */
  readonly countedAt: number;
  readonly undoneAt: number;
}

/** What one partition says about the day. */
export interface PartitionFold {
  readonly partition: string;
  /** The sequence up to which the partition has been read: what the view's cursor becomes. */
  readonly upTo: number;
  readonly chunks: readonly SequencedReadings[];
  /**
   * All readings of the partition up to `upTo` that are not voided, of meters that keep contributions; given where one of
   * those is undone, because what a maximum did not choose it has forgotten.
   */
  readonly left?: readonly Reading[];
}

export interface DayFold {
  readonly key: ViewKey;
  /** Meters that look back on this day, as the folder knows them: a view that is new holds the past of all of them. */
  readonly backfilled?: readonly string[];
  readonly partitions: readonly PartitionFold[];
}

export interface ViewLimits {
  /** Stored bytes above which an item is split, so that a write stays a few units. */
  readonly splitBytes: number;
  /** Stored bytes that no item may pass: DynamoDB takes 400 KB. */
  readonly maxBytes: number;
  /**
   * Combinations of dimension values that a meter may have in one item. A meter is spread over 16 items by its combinations,
   * so a customer's day has room for this many in any case and for some 15 times as many as a rule. Every one is written anew
   * with every fold of its item, which is what a dimension like a request id would cost.
   */
  readonly maxCombinations: number;
}

export const VIEW_LIMITS: ViewLimits = { splitBytes: 8 * 1024, maxBytes: 340 * 1024, maxCombinations: 2_000 };
const MAX_TRIES = 50;

/** What a part begins with that the split of its item had no content for. */
type Inherited = Pick<UsageView, 'cursors' | 'backfilled'>;

/**
 * Folds one day. Answers with the readings that no item has room for: their items are closed to their partition, so nobody
 * will ever count them, and their events belong in quarantine. Whoever folds the same chunks again is told the same ones, so
 * that a folder which dies before parking them loses none. Among them are the readings that a void should take out of a
 * closed item and that count until it is rebuilt. An empty list means that everything is folded.
 */
export function foldView(fold: DayFold, views: UsageViews, limits = VIEW_LIMITS): Promise<readonly Reading[]> {
  const { backfilled = [] } = fold;
  return foldItem(fold, { cursors: {}, ...(backfilled.length > 0 && { backfilled }) }, { views, limits });
}

interface Into {
  readonly views: UsageViews;
  readonly limits: ViewLimits;
}

async function foldItem(fold: DayFold, inherited: Inherited, into: Into): Promise<readonly Reading[]> {
  const { views, limits } = into;
  const { cursors, backfilled } = inherited;
  const begun = { cursors, ...(backfilled !== undefined && { backfilled }) };
  for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
    const read = await views.readView(fold.key);
    const stored = read.version === 0 ? { ...read, view: { ...read.view, ...begun } } : read;
    refuseUnknown(stored.view, fold);
    if (stored.view.split !== null) {
      if (Object.keys(stored.view.meters).length === 0) return foldParts(fold, stored.view, into);
      // What the first transaction had no room for moves before anybody folds into its parts, so that they can take voids.
      await views.splitView(...splitOf(stored, stored.view.split));
      continue;
    }
    const fresh = freshOf(stored.view, fold.partitions);
    const open = fresh.filter(({ partition }) => !isClosed(stored.view, partition));
    if (open.length === 0) return fresh.flatMap((one) => leftOf(stored.view, one));
    const next = open.reduce(withFresh, stored.view);
    const bytes = encodeView(next).length;
    const isFitting = hasRoom(next, bytes, limits);
    // What is written for the first time may stay whole, unless it does not fit at all.
    const isSplitDue = !isFitting || (stored.version > 0 && bytes > limits.splitBytes);
    const split = isSplitDue && Object.keys(next.meters).length > 0 ? nextSplit(fold.key, next) : null;
    if (split !== null) {
      await views.splitView(...splitOf(stored, split));
      continue;
    }
    const written = isFitting ? next : open.reduce(addedOrClosed(limits), stored.view);
    if ((await views.writeView({ ...stored, view: written })) === 'stored') {
      return fresh.flatMap((one) => (isClosed(written, one.partition) ? leftOf(written, one) : []));
    }
  }
  throw new Error(`The view of day ${fold.key.day} is contended: ${MAX_TRIES} writes were refused.`);
}

/**
 * A view may hold the past of a meter that is newer than what this folder knows of: it would miss what that meter counts. The
 * fold is done again, with the meters read anew.
 */
function refuseUnknown({ backfilled = [] }: UsageView, fold: DayFold): void {
  if (backfilled.every((meter) => fold.backfilled?.includes(meter))) return;
  throw new BillingError({
    kind: 'not-ready',
    code: 'meters_outdated',
    message: `A view of day ${fold.key.day} counts by meters that were made while it was being folded; fold it again.`,
  });
}

/** What the view does not have yet of a partition. A view takes what is counted for its meters' past only if it holds it. */
interface Fresh {
  readonly partition: string;
  readonly upTo: number;
  readonly readings: readonly Reading[];
  readonly undone: readonly UndoneReading[];
  readonly left: readonly Reading[];
}

function freshOf(view: UsageView, partitions: readonly PartitionFold[]): Fresh[] {
  return partitions.flatMap(({ partition, upTo, chunks, left = [] }) => {
    const from = view.cursors[partition] ?? 0;
    const above = chunks.filter((chunk) => chunk.sequence > from);
    const readings = above.flatMap((chunk) => chunk.readings);
    const undone = above.flatMap((chunk) => chunk.undone ?? []);
    if (readings.length + undone.length === 0) return [];
    const taken = <R extends Reading>(list: readonly R[]) => list.filter((reading) => isTaken(view, reading));
    // The cursor moves over what is not taken too: whoever counts the past later finds the view where this folder left it.
    return [{ partition, upTo, readings: taken(readings), undone: taken(undone), left: taken(left) }];
  });
}

function withFresh(view: UsageView, { partition, upTo, readings, undone, left }: Fresh): UsageView {
  const added = addReadings(view, partition, upTo, readings);
  if (undone.length === 0) return added;
  const without = takeOut(
    added,
    undone.filter(({ aggregation }) => addsUp(aggregation)),
  );
  const isReplaced = undone.some(({ aggregation }) => keepsContributions(aggregation));
  return isReplaced ? replacePartition(without, partition, left) : without;
}

/** What a closed item does not take of a partition. A void of an event that it never counted has nothing to take out. */
function leftOf(view: UsageView, { partition, readings, undone }: Fresh): Reading[] {
  const cursor = view.cursors[partition] ?? 0;
  return [...readings, ...undone.filter(({ countedAt }) => countedAt <= cursor)];
}

/** Adds what fits; to a partition of which something does not, the item is closed. */
function addedOrClosed(limits: ViewLimits) {
  return (view: UsageView, fresh: Fresh): UsageView => {
    const added = withFresh(view, fresh);
    return fits(added, limits) ? added : { ...view, closed: [...(view.closed ?? []), fresh.partition].sort() };
  };
}

/** Whether a view may be stored as one item. */
export function fits(view: UsageView, limits: ViewLimits): boolean {
  return hasRoom(view, encodeView(view).length, limits);
}

function hasRoom({ meters }: UsageView, bytes: number, { maxBytes, maxCombinations }: ViewLimits): boolean {
  const isNarrow = ({ dimensions }: UsageView['meters'][string]) => Object.keys(dimensions).length <= maxCombinations;
  return bytes <= maxBytes && Object.values(meters).every(isNarrow);
}

function isClosed({ closed = [] }: UsageView, partition: string): boolean {
  return closed.includes(partition);
}

/** Folds into the views one level down, each with the readings that belong to it. */
async function foldParts(fold: DayFold, parent: UsageView, into: Into): Promise<readonly Reading[]> {
  const parts = new Map<string, Map<string, PartChunks>>();
  const nameOf = (reading: Reading) => partOf(fold.key, reading);
  for (const { partition, upTo, chunks, left = [] } of fold.partitions) {
    const chunkOf = (reading: Reading, sequence: number) => {
      const shares = entryOf(parts, nameOf(reading), () => new Map<string, PartChunks>());
      const share = entryOf(shares, partition, () => ({ partition, upTo, chunks: [], left: [] }));
      if (share.chunks.at(-1)?.sequence !== sequence) share.chunks.push({ sequence, readings: [], undone: [] });
      return share.chunks.at(-1);
    };
    for (const { sequence, readings, undone = [] } of chunks) {
      for (const reading of readings) chunkOf(reading, sequence)?.readings.push(reading);
      for (const reading of undone) chunkOf(reading, sequence)?.undone.push(reading);
    }
    for (const reading of left) parts.get(nameOf(reading))?.get(partition)?.left.push(reading);
  }
  const left: Reading[] = [];
  for (const [part, shares] of parts) {
    const partitions = [...shares.values()];
    left.push(...(await foldItem({ ...fold, key: { ...fold.key, part }, partitions }, parent, into)));
  }
  return left;
}

interface PartChunks extends PartitionFold {
  readonly chunks: { sequence: number; readings: Reading[]; undone: UndoneReading[] }[];
  readonly left: Reading[];
}
