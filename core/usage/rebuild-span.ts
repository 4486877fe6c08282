import type { SeenCustomers } from '../accounts/ports.ts';
import type { ProjectId } from '../ids.ts';
import { type Instant, millisOf } from '../time/instant.ts';
import { dayKey, dayStartMillis } from './log-partition.ts';
import { type RebuildDeps, type RebuiltDay, type RefusedDay, rebuildDay } from './rebuild-day.ts';
import { DAY_MILLIS } from './retention.ts';

/** Which views are counted again. */
export interface RebuildSpan {
  readonly project: ProjectId;
  /** UTC days, `20261121`, both included. */
  readonly from: string;
  readonly to: string;
  /** Null: every customer that usage has named. */
  readonly customers: readonly string[] | null;
  /** The meter whose past they are to hold, where that is what it is about. */
  readonly backfilled?: string;
}

/** Where a walk over a span stands: at a page of the customers of a day. */
export interface SpanPosition {
  readonly day: string;
  readonly page?: string | undefined;
}

/** What has been done so far. Lists hold at most 100 entries; the counts count all. */
export interface RebuildReport {
  readonly views: number;
  readonly daysMended: number;
  readonly daysRefused: number;
  readonly mended: readonly { readonly customer: string; readonly day: string }[];
  readonly refused: readonly RefusedDay[];
}

export interface RebuildSpanDeps extends RebuildDeps {
  readonly customers: SeenCustomers;
}

export const NOTHING_REBUILT: RebuildReport = { views: 0, daysMended: 0, daysRefused: 0, mended: [], refused: [] };
const LISTED = 100;
const CUSTOMERS_A_PAGE = 1_000;

/** Rebuilds from a position on until `stopAt`, days in order and the customers of a day page by page; at least one page. */
export async function rebuildSpan(
  span: RebuildSpan,
  start: { readonly at: SpanPosition; readonly report: RebuildReport; readonly stopAt: Instant },
  deps: RebuildSpanDeps,
): Promise<{ readonly at: SpanPosition; readonly report: RebuildReport; readonly isDone: boolean }> {
  const { project, to, backfilled } = span;
  let { at, report } = start;
  while (at.day <= to) {
    const { day } = at;
    const named =
      span.customers === null
        ? await deps.customers.list(project, { limit: CUSTOMERS_A_PAGE, cursor: at.page })
        : { items: span.customers, cursor: null };
    const customers = named.items;
    const input = { project, day, customers, ...(backfilled !== undefined && { backfilled }) };
    report = withDay(report, day, await rebuildDay(input, deps));
    at = named.cursor === null ? { day: dayAfter(day) } : { day, page: named.cursor };
    if (millisOf(deps.clock.now()) >= millisOf(start.stopAt)) break;
  }
  return { at, report, isDone: at.day > to };
}

/** Days from the first to the last, both included; 0 when the last lies before the first. */
export function daysBetween(from: string, to: string): number {
  return (dayStartMillis(to) - dayStartMillis(from)) / DAY_MILLIS + 1;
}

function dayAfter(day: string): string {
  return dayKey((dayStartMillis(day) + DAY_MILLIS) * 1000);
}

function withDay(report: RebuildReport, day: string, rebuilt: RebuiltDay): RebuildReport {
  const mended = rebuilt.mended.map((customer) => ({ customer, day }));
  return {
    views: report.views + rebuilt.views,
    daysMended: report.daysMended + mended.length,
    daysRefused: report.daysRefused + rebuilt.refused.length,
    mended: [...report.mended, ...mended].slice(0, LISTED),
    refused: [...report.refused, ...rebuilt.refused].slice(0, LISTED),
  };
}
