import { createHash } from 'node:crypto';
import { canonicalJson } from '../canonical-json.ts';
import type { Aggregation } from '../catalog/meter.ts';
import { invalid } from '../errors.ts';
import type { ProjectId } from '../ids.ts';
import { type Instant, instantFromMillis, microsOf, millisOf } from '../time/instant.ts';
import { isQuarterHour } from '../time/quarter-hour.ts';
import { isConsumedMeter } from './consumed-meter.ts';
import { dayKey, dayStartMillis } from './log-partition.ts';
import type { StoredView, UsageViews } from './ports.ts';
import { NOTHING_BEFORE, type Opening, sliceUsage } from './slice-usage.ts';
import type { UsageSlice, UsageSnapshot, ViewPosition } from './usage-snapshot.ts';

/** Reads usage from the views: any half-open span of quarter hours, by meter and dimension values. */
export interface ReadUsageInput extends UsageTerms {
  readonly project: ProjectId;
  readonly customer: string;
  /** Half-open span; both on a quarter hour. */
  readonly from: Instant;
  readonly to: Instant;
}

/** How the usage of a span is looked at, where that is more than what happened in it. */
export interface UsageTerms {
  /** Meters whose level does not begin at zero with the span; none when absent. */
  readonly carried?: readonly CarriedMeter[] | undefined;
  /** The span whose length time-weighted sums are divided by; the one that is read when absent. */
  readonly over?: { readonly start: Instant; readonly end: Instant } | undefined;
}

export interface CarriedMeter {
  readonly meter: string;
  readonly aggregation: Aggregation;
  /** Since when its level has been adding up: a quarter hour, or null for ever. */
  readonly since: Instant | null;
}

export interface ReadUsageDeps {
  readonly views: Pick<UsageViews, 'readViews' | 'firstDay'>;
}

/** Days read at once on the way to what is carried over: bounds the memory, however long a customer has been there. */
const DAYS_AT_ONCE = 64;

/**
 * The usage of a customer over a span, with the positions of the views it came from. Throws `invalid` (code `span_invalid`)
 * for a span that does not lie on quarter hours: rounding it would bill usage twice, or never.
 */
export async function readUsage(input: ReadUsageInput, deps: ReadUsageDeps): Promise<UsageSnapshot> {
  const { customer, from, to, over } = input;
  if (!isQuarterHour(from) || !isQuarterHour(to)) {
    throw invalid('span_invalid', `Got a span from ${from} to ${to}; expected both on a quarter hour.`);
  }
  const before = await readOpening(input, deps);
  const current = await viewsOf(input, from, to, deps);
  const span = { from: microsOf(from), to: microsOf(to) };
  const overMicros = over === undefined ? undefined : microsOf(over.end) - microsOf(over.start);
  return {
    customer,
    from,
    to,
    slices: sliceUsage(current, span, before.opening, overMicros).filter(({ meter }) => !isConsumedMeter(meter)),
    views: [...before.views, ...current.map(positionOf)],
  };
}

/**
 * The levels with which the span begins: of every carried meter what it came to from `since` on. The views of that time are
 * read a few weeks at a time, as many as the customer has; nothing is read where nothing is carried.
 */
export async function readOpening(
  input: ReadUsageInput,
  deps: ReadUsageDeps,
): Promise<{ readonly opening: Opening; readonly views: readonly ViewPosition[] }> {
  const { carried = [], from } = input;
  if (carried.length === 0) return { opening: NOTHING_BEFORE, views: [] };
  const slices: UsageSlice[] = [];
  const positions: ViewPosition[] = [];
  for (const [since, meters] of Map.groupBy(carried, (meter) => meter.since)) {
    const start = since ?? (await firstInstant(input, deps));
    let opening: Opening = { meters: byKey(meters), slices: [] };
    for (let at = start; at !== null && at < from; ) {
      const next: Instant = daysLater(at, from);
      const views = await viewsOf(input, at, next, deps);
      positions.push(...views.map(positionOf));
      const own = sliceUsage(views, { from: microsOf(at), to: microsOf(next) }, opening);
      opening = { ...opening, slices: own.filter(({ meter }) => opening.meters.has(meter)) };
      at = next;
    }
    slices.push(...opening.slices);
  }
  const views = positions.length === 0 ? [] : [inOne(positions, from)];
  return { opening: { meters: byKey(carried), slices }, views };
}

function byKey(meters: readonly CarriedMeter[]): Opening['meters'] {
  return new Map(meters.map(({ meter, aggregation }) => [meter, aggregation]));
}

async function firstInstant({ project, customer }: ReadUsageInput, deps: ReadUsageDeps): Promise<Instant | null> {
  const day = await deps.views.firstDay(project, customer);
  return day === undefined ? null : instantFromMillis(dayStartMillis(day));
}

/** `DAYS_AT_ONCE` days later, at `end` at the latest. */
function daysLater(at: Instant, end: Instant): Instant {
  const later = millisOf(at) + DAYS_AT_ONCE * 86_400_000;
  return later < millisOf(end) ? instantFromMillis(later) : end;
}

async function viewsOf(
  { project, customer }: ReadUsageInput,
  from: Instant,
  to: Instant,
  deps: ReadUsageDeps,
): Promise<readonly StoredView[]> {
  if (to <= from) return [];
  const days = [dayKey(microsOf(from)), dayKey(microsOf(to) - 1)] as const;
  return withoutStale(await deps.views.readViews(project, customer, ...days));
}

function positionOf({ key, version, view }: StoredView): ViewPosition {
  return { key: `${key.day}/${key.part}`, version, cursors: view.cursors };
}

/** One entry for all views before a span: their number and a hash that names what they were. */
function inOne(positions: readonly ViewPosition[], from: Instant): ViewPosition {
  const sha256 = createHash('sha256').update(canonicalJson(positions)).digest('hex');
  return { key: `before/${from}`, version: positions.length, cursors: {}, sha256 };
}

/**
 * A split moves content from an item to its parts in one transaction, but a query that reads them one after the other may
 * see the item from before and the parts from after. An item that still holds its content therefore hides its parts, and one
 * that still holds a meter the parts of that meter.
 */
export function withoutStale(stored: readonly StoredView[]): StoredView[] {
  const whole = new Set(stored.filter(({ view }) => view.split === null).map(({ key }) => `${key.day}/${key.part}`));
  if (stored.every(({ key }) => key.part === '')) return [...stored];
  for (const { key, view } of stored)
    if (key.part === '') for (const meter of Object.keys(view.meters)) whole.add(`${key.day}/${meter}~`);
  return stored.filter(({ key }) => !partsAbove(key.part).some((part) => whole.has(`${key.day}/${part}`)));
}

/**
 * The items that a part was split from, the day's first item among them: of `tokens~3~a` these are ``, its `tokens` as `tokens~`,
 * `tokens` and `tokens~3`.
 */
function partsAbove(part: string): readonly string[] {
  if (part === '') return [];
  const steps = part.split('~');
  return ['', `${steps[0]}~`, ...steps.slice(1).map((_, index) => steps.slice(0, index + 1).join('~'))];
}
