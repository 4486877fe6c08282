import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Aggregation } from '../catalog/meter.ts';
import { GrowingMeters } from './growing-meters.ts';
import { type Cell, keepsContributions } from './view-cell.ts';

/**
 * A view: the usage of one customer on one UTC day, by meter, dimension values and quarter hour, and how far into each log
 * partition it has been folded. Immutable; adding returns the next view. Adding is commutative over events, so the order of
 * chunks, folders and partitions does not matter.
 *
 * A cell is what one quarter hour knows: a sum or count as one exact decimal; for max, min and latest one contribution per
 * log partition, so that taking an event back needs only its own partition folded again; of transactions every amount. A total
 * of zero is no cell: adding something and taking it out again leaves nothing behind.
 */
export interface UsageView {
  /** Highest sequence applied, by log partition. */
  readonly cursors: Readonly<Record<string, number>>;
  readonly meters: Readonly<Record<string, MeterUsage>>;
  /** How the content was moved away, once the item had grown too large for its size. */
  readonly split: 'by_meter' | 'by_dimension' | 'by_member' | null;
  /**
   * Log partitions of which something did not fit: their cursors here stand still for good, and whatever lies above them is
   * parked. Decided by the write that says so, never by whoever came to park.
   */
  readonly closed?: readonly string[];
  /**
   * Meters whose past is in here: of events up to the cursors that were accepted before there was the meter, what it counts.
   * Of a meter that looks back and is not named, such events are left out, until the job that backfills it has come by.
   */
  readonly backfilled?: readonly string[];
}

export interface MeterUsage {
  readonly aggregation: Aggregation;
  /** Dimension values as a JSON array in the meter's order, to quarter hours (0 to 95), to cells. */
  readonly dimensions: Readonly<Record<string, Readonly<Record<string, Cell>>>>;
  /** The names of the dimensions, in order. */
  readonly names: readonly string[];
}

/** One counted event, ready to be added. */
export interface Reading {
  readonly meter: string;
  readonly aggregation: Aggregation;
  readonly names: readonly string[];
  readonly dimensionKey: string;
  readonly quarter: number;
  /** The event's quantity: 1 for a count; of a unique count the member (`memberOf`). */
  readonly value: string;
  readonly occurredAtMicros: number;
  readonly fingerprint: string;
  /** The event was accepted before there was the meter: only for views that hold the meter's past. */
  readonly isBackfilled?: true;
}

export const EMPTY_VIEW: UsageView = { cursors: {}, meters: {}, split: null };

/** A view takes what is counted for a meter's past only if it holds that past. */
export function isTaken({ backfilled }: UsageView, { meter, isBackfilled }: Reading): boolean {
  return isBackfilled !== true || backfilled?.includes(meter) === true;
}

/** Adds the readings of one log partition and moves that partition's cursor to `sequence`. */
export function addReadings(
  view: UsageView,
  partition: string,
  sequence: number,
  readings: readonly Reading[],
): UsageView {
  const growing = new GrowingMeters(view.meters);
  for (const reading of readings) growing.add(partition, reading);
  return { ...view, cursors: { ...view.cursors, [partition]: sequence }, meters: growing.finished() };
}

/**
 * Takes readings out again that were added: those of aggregations that add up (`addsUp`), in any order. The cursors stay.
 * Throws `invariant-broken` for a reading the view cannot have, as far as that shows.
 */
export function takeOut(view: UsageView, readings: readonly Reading[]): UsageView {
  const growing = new GrowingMeters(view.meters);
  for (const reading of readings) growing.takeOut(reading);
  return { ...view, meters: growing.finished() };
}

/**
 * Replaces all that a partition contributed to the view's meters that keep contributions (`keepsContributions`) by those of
 * `readings`, which are what is left of that partition in this very item. Readings that add up are none of its business and
 * passed over. The cursors stay.
 */
export function replacePartition(view: UsageView, partition: string, readings: readonly Reading[]): UsageView {
  const growing = new GrowingMeters(view.meters);
  growing.takeOutPartition(partition);
  for (const reading of readings) if (keepsContributions(reading.aggregation)) growing.add(partition, reading);
  return { ...view, meters: growing.finished() };
}

/** The bytes of a view's content as it is stored. */
export function encodeView(view: UsageView): Uint8Array {
  return deflateRawSync(JSON.stringify(view));
}

/** The inverse of `encodeView`. */
export function decodeView(bytes: Uint8Array): UsageView {
  return JSON.parse(inflateRawSync(bytes, { maxOutputLength: 64 * 1024 * 1024 }).toString('utf8')) as UsageView;
}
