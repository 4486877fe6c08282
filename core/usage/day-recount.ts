import type { ProjectId } from '../ids.ts';
import type { StoredView } from './ports.ts';
import { partOf } from './split-view.ts';
import { addReadings, EMPTY_VIEW, isTaken, type Reading, type UsageView } from './usage-view.ts';

/** The items that hold one customer's UTC day; none when the day has no view. `withoutStale` has been over them. */
export interface DayViews {
  readonly project: ProjectId;
  readonly customer: string;
  readonly day: string;
  readonly items: readonly StoredView[];
}

/** An item as it is stored, and as the log says it must be: at the item's own cursors, unless it has missed something. */
export interface RecountedItem {
  readonly stored: StoredView;
  readonly view: UsageView;
}

/** A chunk that the fold cursor of its log partition has passed, and what of it no item of the day has taken in. */
export interface Uncounted {
  readonly partition: string;
  readonly sequence: number;
  readonly readings: number;
}

interface OpenItem {
  readonly stored: StoredView;
  view: UsageView;
  /** Readings that are not added yet, by partition. */
  readonly waiting: Map<string, Reading[]>;
}

type Inherited = Pick<UsageView, 'cursors' | 'backfilled'>;

/**
 * One day being counted again. A reading goes to the item that the day's splits send it to, if that item's own cursor has
 * passed it: then, and only then, the item has to contain it. Of a split by meter, an item may keep meters that did not fit
 * the transaction: it has them up to its own cursors, their parts what came after.
 *
 * What the partition's fold cursor has passed should be in the items too. Where it is not, it is told, and the item is counted
 * up to there.
 */
export class DayRecount {
  readonly views: DayViews;
  readonly #items = new Map<string, OpenItem>();
  readonly #uncounted = new Map<string, Uncounted>();
  readonly #cursors: ReadonlyMap<string, number>;
  /** The meter whose past the day's items are to hold from now on. */
  readonly #backfilled: string | null;

  constructor(views: DayViews, backfilled: string | null) {
    this.views = views;
    this.#backfilled = backfilled;
    this.#cursors = cursorsOf(views);
    for (const stored of views.items) this.#open(stored);
  }

  /** The highest sequence that any item has applied, by partition. */
  cursors(): ReadonlyMap<string, number> {
    return this.#cursors;
  }

  /**
   * Takes one reading of the chunk at `sequence`; `voidedAt` is the sequence of the chunk that voided its event, and
   * `folded` the fold cursor of the partition, 0 where it is not known.
   */
  add(reading: Reading, at: { partition: string; sequence: number; voidedAt: number | null; folded: number }): void {
    const { partition, sequence, voidedAt, folded } = at;
    const item = this.#itemOf(reading, partition, sequence);
    const cursor = item.stored.view.cursors[partition] ?? 0;
    const isParked = item.stored.view.closed?.includes(partition) === true;
    const limit =
      isParked || item.view.split !== null ? cursor : Math.max(cursor, folded, this.#reachOf(item, partition));
    if (sequence > limit || !isTaken(item.view, reading)) return;
    const isVoided = voidedAt !== null && voidedAt <= limit;
    if (isVoided && (sequence > cursor || voidedAt <= cursor)) return;
    if (isVoided) this.#miss(item, partition, { sequence: voidedAt, limit });
    else if (sequence > cursor) this.#miss(item, partition, { sequence, limit });
    if (isVoided) return;
    const waiting = item.waiting.get(partition);
    if (waiting === undefined) item.waiting.set(partition, [reading]);
    else waiting.push(reading);
  }

  /**
   * A part of the meter that is backfilled has not been there, or not been touched, by what other parts of the day took in
   * meanwhile. It is counted as far as any of them has come.
   */
  #reachOf({ stored }: OpenItem, partition: string): number {
    return this.#isBackfilling(stored.key.part) ? (this.#cursors.get(partition) ?? 0) : 0;
  }

  #isBackfilling(part: string): boolean {
    const meter = this.#backfilled;
    return meter !== null && (part === '' || part === meter || part.startsWith(`${meter}~`));
  }

  /** Adds up what has been taken since the last call; calling it now and then bounds the memory. */
  addUp(): void {
    for (const item of this.#items.values()) {
      for (const [partition, readings] of item.waiting)
        item.view = addReadings(item.view, partition, item.view.cursors[partition] ?? 0, readings);
      item.waiting.clear();
    }
  }

  /** What the items have to hold; one that is missing, and should hold something, has version 0. */
  items(): RecountedItem[] {
    this.addUp();
    return [...this.#items.values()]
      .filter(({ stored, view }) => stored.version > 0 || Object.keys(view.meters).length > 0)
      .map(({ stored, view }) => ({ stored, view }));
  }

  uncounted(): Uncounted[] {
    return [...this.#uncounted].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, chunk]) => chunk);
  }

  #open(stored: StoredView): OpenItem {
    const view = { ...this.#withPast(stored), meters: {} };
    const item = { stored, view, waiting: new Map<string, Reading[]>() };
    this.#items.set(stored.key.part, item);
    return item;
  }

  #withPast({ key, view }: StoredView): UsageView {
    const { backfilled = [] } = view;
    const meter = this.#backfilled;
    if (meter === null || !this.#isBackfilling(key.part) || backfilled.includes(meter)) return view;
    return { ...view, backfilled: [...backfilled, meter].sort() };
  }

  #itemOf(reading: Reading, partition: string, sequence: number): OpenItem {
    const whole = this.#part('', { cursors: {} });
    if (whole.view.split === null) return whole;
    const isKept = Object.hasOwn(whole.stored.view.meters, reading.meter);
    if (isKept && sequence <= (whole.view.cursors[partition] ?? 0)) return whole;
    let item = whole;
    while (item.view.split !== null) item = this.#part(partOf(item.stored.key, reading), item.view);
    return item;
  }

  /** A part that is not there begins at the cursors of the item that was split. */
  #part(part: string, { cursors, backfilled }: Inherited): OpenItem {
    const { project, customer, day } = this.views;
    const missing = () => ({
      key: { project, customer, day, part },
      version: 0,
      view: { ...EMPTY_VIEW, cursors, ...(backfilled !== undefined && { backfilled }) },
    });
    return this.#items.get(part) ?? this.#open(missing());
  }

  /** The item's cursor moves to `limit`, up to which it is then counted. */
  #miss(item: OpenItem, partition: string, { sequence, limit }: { sequence: number; limit: number }): void {
    item.view = { ...item.view, cursors: { ...item.view.cursors, [partition]: limit } };
    const key = `${partition}/${sequence}`;
    const readings = (this.#uncounted.get(key)?.readings ?? 0) + 1;
    this.#uncounted.set(key, { partition, sequence, readings });
  }
}

function cursorsOf({ items }: DayViews): Map<string, number> {
  const highest = new Map<string, number>();
  for (const { view } of items) {
    for (const [partition, sequence] of Object.entries(view.cursors))
      highest.set(partition, Math.max(highest.get(partition) ?? 0, sequence));
  }
  return highest;
}
