import type { Meter } from '../catalog/meter.ts';
import { invalid } from '../errors.ts';
import type { ProjectId } from '../ids.ts';
import { billingPeriodAt } from '../time/billing-period.ts';
import { earlierOf, type Instant, instantFromMillis, microsOf, millisOf } from '../time/instant.ts';
import { localDate, nextLocalHour, startOfLocalDay } from '../time/local-day.ts';
import { dayKey } from './log-partition.ts';
import { meterQuantity } from './meter-quantity.ts';
import type { MicrosSpan } from './open-slice.ts';
import type { StoredView } from './ports.ts';
import { type CarriedMeter, type ReadUsageDeps, readOpening, withoutStale } from './read-usage.ts';
import { goesOn, type Opening, sliceUsage } from './slice-usage.ts';
import type { UsageSlice } from './usage-snapshot.ts';

export const USAGE_WINDOWS = ['quarter_hour', 'hour', 'day', 'month'] as const;
export type UsageWindow = (typeof USAGE_WINDOWS)[number];

export interface UsageReportInput {
  readonly project: ProjectId;
  readonly customer: string;
  /** Half-open, both on a quarter hour, at most 400 days apart. */
  readonly from: Instant;
  readonly to: Instant;
  /** One row per window that has usage; without it one row for the whole span. Hours, days and months are those of `timeZone`. */
  readonly window?: UsageWindow | undefined;
  readonly timeZone: string;
  /** The meters to report. */
  readonly meters: readonly Meter[];
  /** Dimensions to keep apart; a meter without one of them has it as "". */
  readonly groupBy: readonly string[];
  /** Only usage whose dimensions have one of these values, for every dimension named; a meter without one of them has it as "". */
  readonly filter?: Readonly<Record<string, readonly string[]>> | undefined;
}

export interface UsageRow {
  readonly meter: string;
  readonly start: Instant;
  readonly end: Instant;
  readonly quantity: string;
  readonly unit: string | null;
  readonly dimensions: Readonly<Record<string, string>>;
}

const MAX_DAYS = 400;
const MAX_WINDOWS = 3_000;
const DAY_MILLIS = 86_400_000;
const DAY_MICROS = DAY_MILLIS * 1000;

/**
 * Usage of a customer by meter, window and dimensions. The views are read once, however many windows there are. Without a
 * window every meter has a row, "0" when it has no usage; with one, windows without usage have none. A level that goes on
 * (a meter that carries over, a time-weighted sum) has a row in every window from its first change on. What a meter that does
 * not carry over was before `from` is not looked at: its level begins at zero there.
 * Throws `invalid`: `span_invalid`, `too_many_windows`.
 */
export async function usageReport(input: UsageReportInput, deps: ReadUsageDeps): Promise<readonly UsageRow[]> {
  refuseSpan(input);
  const spans = windowsOf(input);
  const goingOn = input.meters.filter(goesOn);
  const carried = goingOn.filter(({ reset }) => reset === 'carry_over').map(carriedForEver);
  const meters = new Map(goingOn.map(({ key, aggregation }) => [key, aggregation]));
  let opening: Opening = { ...(await readOpening({ ...input, carried }, deps)).opening, meters };
  const views = await readDays(input, deps);
  const rows: UsageRow[] = [];
  for (const { start, end } of spans) {
    const span = { from: microsOf(start), to: microsOf(end) };
    const slices = sliceUsage(daysIn(views, span), span, opening);
    opening = { meters, slices: slices.filter(({ meter }) => meters.has(meter)) };
    for (const meter of input.meters) {
      const own = slices.filter((slice) => slice.meter === meter.key && passes(slice, input.filter));
      if (own.length === 0 && (input.window !== undefined || input.groupBy.length > 0)) continue;
      for (const [dimensions, group] of groupsOf(own, input.groupBy)) {
        const quantity = meterQuantity(meter, group);
        rows.push({ meter: meter.key, start, end, quantity, unit: meter.unit ?? null, dimensions });
      }
    }
  }
  return rows;
}

function refuseSpan({ from, to }: UsageReportInput): void {
  if (to <= from) throw spanInvalid(to, `Got to ${to}; expected a time after from ${from}.`);
  if (millisOf(to) - millisOf(from) > MAX_DAYS * DAY_MILLIS) {
    throw spanInvalid(to, `Got a span from ${from} to ${to}; expected at most ${MAX_DAYS} days.`);
  }
}

function spanInvalid(to: Instant, detail: string) {
  return invalid('span_invalid', detail, [{ field: 'to', code: 'span_invalid', detail, got: to }]);
}

interface Span {
  readonly start: Instant;
  readonly end: Instant;
}

function windowsOf(input: UsageReportInput): readonly Span[] {
  const { from, to, window } = input;
  if (window === undefined) return [{ start: from, end: to }];
  const spans: Span[] = [];
  for (let start = from; start < to; ) {
    if (spans.length === MAX_WINDOWS) {
      throw invalid('too_many_windows', `The span has more than ${MAX_WINDOWS} windows of a ${window}; ask for less.`);
    }
    const end = earlierOf(windowEnd(start, window, input.timeZone), to);
    spans.push({ start, end });
    start = end;
  }
  return spans;
}

/** The end of the window that holds `start`: windows begin on round times of the zone, so the first may be shorter. */
function windowEnd(start: Instant, window: UsageWindow, timeZone: string): Instant {
  if (window === 'quarter_hour') return instantFromMillis(millisOf(start) + 900_000);
  if (window === 'hour') return nextLocalHour(start, timeZone);
  if (window === 'month') return billingPeriodAt(start, { billing: 'calendar', interval: 'month', timeZone }).end;
  return startOfLocalDay(localDate(start, timeZone).add({ days: 1 }), timeZone);
}

function carriedForEver({ key, aggregation }: Meter): CarriedMeter {
  return { meter: key, aggregation, since: null };
}

/** The views of all windows by day, from one read. */
async function readDays(input: UsageReportInput, deps: ReadUsageDeps): Promise<ReadonlyMap<string, StoredView[]>> {
  const days = [dayKey(microsOf(input.from)), dayKey(microsOf(input.to) - 1)] as const;
  return Map.groupBy(
    withoutStale(await deps.views.readViews(input.project, input.customer, ...days)),
    ({ key }) => key.day,
  );
}

/** The views of the UTC days that a span touches. */
function daysIn(views: ReadonlyMap<string, StoredView[]>, { from, to }: MicrosSpan): readonly StoredView[] {
  const found: StoredView[] = [];
  const first = Math.floor(from / DAY_MICROS) * DAY_MICROS;
  for (let day = first; day < to; day += DAY_MICROS) found.push(...(views.get(dayKey(day)) ?? []));
  return found;
}

function passes({ dimensions }: UsageSlice, filter: UsageReportInput['filter'] = {}): boolean {
  return Object.entries(filter).every(([name, values]) => values.includes(dimensions[name] ?? ''));
}

function groupsOf(
  slices: readonly UsageSlice[],
  groupBy: readonly string[],
): readonly (readonly [Readonly<Record<string, string>>, readonly UsageSlice[]])[] {
  if (groupBy.length === 0) return [[{}, slices]];
  const groups = new Map<string, UsageSlice[]>();
  for (const slice of slices) {
    const key = JSON.stringify(groupBy.map((name) => slice.dimensions[name] ?? ''));
    groups.set(key, [...(groups.get(key) ?? []), slice]);
  }
  return [...groups].map(([key, group]) => {
    const values: string[] = JSON.parse(key);
    return [Object.fromEntries(groupBy.map((name, index) => [name, values[index] ?? ''])), group];
  });
}
