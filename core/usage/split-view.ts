import { entryOf } from './entry-of.ts';
import { GrowingMeters } from './growing-meters.ts';
import { placementHash } from './log-partition.ts';
import type { StoredView, ViewKey } from './ports.ts';
import { decodeMembers, shareOfMember } from './unique-members.ts';
import { EMPTY_VIEW, type MeterUsage, type Reading, type UsageView } from './usage-view.ts';
import { memberSetsOf } from './view-cell.ts';

/**
 * How a view that has grown too large for its item is spread over more of them: by meter, a meter by slices of its dimensions, a
 * slice of a unique count by its members. Where a reading belongs follows from the item's key and the reading alone.
 */
type Split = NonNullable<UsageView['split']>;

const SLICES = 16;
/** A slice of a unique count is split by its members this often, into 16 each time: some million of them a day fit. */
const MEMBER_LEVELS = 2;
/** A transaction takes 100 writes, and one of them is the item that is split. */
const MAX_PARTS_MOVED = 99;

/** How an item is split when it has grown too large; null when it can be split no further. */
export function nextSplit({ part }: ViewKey, { meters }: UsageView): Split | null {
  if (part === '') return 'by_meter';
  const depth = depthOf(part);
  if (depth === 0) return 'by_dimension';
  const isUnique = Object.values(meters).every(({ aggregation }) => aggregation === 'unique_count');
  return isUnique && depth <= MEMBER_LEVELS ? 'by_member' : null;
}

function depthOf(part: string): number {
  return part.split('~').length - 1;
}

/** The part of a split item that a reading, or a cell like it, belongs to. */
export function partOf(
  { part }: ViewKey,
  { meter, dimensionKey, value }: Pick<Reading, 'meter' | 'dimensionKey' | 'value'>,
) {
  if (part === '') return meter;
  const depth = depthOf(part);
  return depth === 0
    ? `${meter}~${(placementHash(dimensionKey) % SLICES).toString(16)}`
    : `${part}~${shareOfMember(value, depth - 1).toString(16)}`;
}

/**
 * The item after its split, and the parts that take over its content, each with the cursors of the whole. Meters beyond what
 * one transaction moves stay where they are until the next, which whoever folds next makes first.
 */
export function splitOf(stored: StoredView, split: Split): [parent: StoredView, parts: StoredView[]] {
  const { cursors, meters, backfilled } = stored.view;
  const past = backfilled === undefined ? {} : { backfilled };
  const contents =
    split === 'by_meter'
      ? Object.entries(meters).map(contentOfMeter)
      : split === 'by_dimension'
        ? slicesOf(stored.key, meters)
        : sharesOf(stored.key, meters);
  const moved = contents.slice(0, MAX_PARTS_MOVED);
  const kept = contents.slice(MAX_PARTS_MOVED).map(({ meter, usage }) => [meter, usage] as const);
  return [
    { ...stored, view: { ...past, cursors, meters: Object.fromEntries(kept), split } },
    moved.map(({ name, meter, usage }) => ({
      key: { ...stored.key, part: name },
      version: 0,
      view: { ...EMPTY_VIEW, ...past, cursors, meters: { [meter]: usage } },
    })),
  ];
}

interface PartContent {
  readonly name: string;
  readonly meter: string;
  readonly usage: MeterUsage;
}

function contentOfMeter([meter, usage]: [string, MeterUsage]): PartContent {
  return { name: meter, meter, usage };
}

type Dimensions = Record<string, MeterUsage['dimensions'][string]>;

/** The slices of an item that holds one meter. */
function slicesOf(key: ViewKey, meters: UsageView['meters']): PartContent[] {
  const slices = new Map<string, { name: string; meter: string; usage: MeterUsage }>();
  for (const [meter, usage] of Object.entries(meters)) {
    const dimensionsOf = new Map<string, Dimensions>();
    for (const [dimensionKey, cells] of Object.entries(usage.dimensions)) {
      const name = partOf(key, { meter, dimensionKey, value: '' });
      const dimensions = entryOf(dimensionsOf, name, (): Dimensions => ({}));
      dimensions[dimensionKey] = cells;
      slices.set(name, { name, meter, usage: { ...usage, dimensions } });
    }
  }
  return [...slices.values()];
}

/** The shares of a slice of a unique count, by its members: each member goes where a reading of it would go. */
function sharesOf(key: ViewKey, meters: UsageView['meters']): PartContent[] {
  const shares = new Map<string, { readonly meter: string; readonly growing: GrowingMeters }>();
  for (const { partition, ...reading } of memberReadings(meters)) {
    const { meter } = reading;
    const share = entryOf(shares, partOf(key, reading), () => ({ meter, growing: new GrowingMeters({}) }));
    share.growing.add(partition, reading);
  }
  return [...shares].flatMap(([name, { meter, growing }]) => {
    const usage = growing.finished()[meter];
    return usage === undefined ? [] : [{ name, meter, usage }];
  });
}

/** Every member of every set as the reading that it came from, as far as sets remember it. */
function* memberReadings(meters: UsageView['meters']): Iterable<Reading & { readonly partition: string }> {
  for (const [meter, { aggregation, names, dimensions }] of Object.entries(meters)) {
    for (const [dimensionKey, cells] of Object.entries(dimensions)) {
      for (const [quarter, cell] of Object.entries(cells)) {
        const known = { meter, aggregation, names, dimensionKey, quarter: Number(quarter) };
        for (const [partition, members] of Object.entries(memberSetsOf(cell))) {
          for (const value of decodeMembers(members, new Set())) {
            yield { ...known, partition, value, occurredAtMicros: 0, fingerprint: '' };
          }
        }
      }
    }
  }
}
