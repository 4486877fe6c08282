import type { ProjectId } from '../ids.ts';
import type { Clock } from '../time/clock.ts';
import { millisOf } from '../time/instant.ts';
import { compareViews } from './compare-views.ts';
import { type DayGroupDeps, recountInGroups } from './day-groups.ts';
import type { DayViews, RecountedItem } from './day-recount.ts';
import { type FoldedQuotas, isLate } from './fold-partitions.ts';
import { fits, VIEW_LIMITS, type ViewLimits } from './fold-view.ts';
import type { UsageDisputes, UsageViews } from './ports.ts';
import type { RecountedDay } from './recount-days.ts';

export interface RebuildDeps extends DayGroupDeps {
  readonly views: Pick<UsageViews, 'readViews' | 'readCursor' | 'writeView' | 'markSeen' | 'markLate'>;
  readonly clock: Clock;
  readonly disputes: Pick<UsageDisputes, 'openDays' | 'settle'>;
  /** Keeps quotas up with the views, as when folding. */
  readonly quotas?: FoldedQuotas;
  /** Whether anything prices the meter, so that a change of it may change what was billed. */
  readonly isPriced: (meter: string) => boolean;
  /** How large a view may grow; only tests of full views set it. */
  readonly viewLimits?: ViewLimits;
}

/** Some customers' views of one UTC day. */
export interface DayOfCustomers {
  readonly project: ProjectId;
  /** `20261121`. */
  readonly day: string;
  readonly customers: readonly string[];
  /** A meter whose past the views are to hold that is newer than they are. */
  readonly backfilled?: string;
}

/** A customer's day that could not be rebuilt; its views stay as they were. */
export interface RefusedDay {
  readonly customer: string;
  readonly day: string;
  readonly code: 'log_incomplete' | 'view_full' | 'view_contended';
  readonly reason: string;
}

export interface RebuiltDay {
  /** Items that were counted again. */
  readonly views: number;
  /** Customers whose views said something else than the log, and now do not. */
  readonly mended: readonly string[];
  readonly refused: readonly RefusedDay[];
}

/** A view of a busy customer may be folded into while it is counted again. */
const TRIES = 12;

/**
 * Rebuilds the views of a UTC day in place: counts each item again exactly up to its own cursors and writes it at the version
 * that was read. Refused means that a folder was faster: everything is read again. An item is never deleted and its version
 * never restarts, so folding goes on all the while. What the fold cursors have passed and a view has missed is taken in too,
 * and the view's cursor moves with it. A day whose log is not all there is left alone.
 */
export async function rebuildDay(input: DayOfCustomers, deps: RebuildDeps): Promise<RebuiltDay> {
  const { project, day, backfilled } = input;
  const past = backfilled === undefined ? {} : { backfilled };
  const done = { views: 0, mended: new Set<string>(), refused: [] as RefusedDay[] };
  let customers = input.customers;
  for (let attempt = 0; attempt < TRIES && customers.length > 0; attempt++) {
    const again: string[] = [];
    const days = customers.map((customer) => ({ customer, day }));
    for await (const group of recountInGroups({ project, days, ...past }, deps)) {
      for (const counted of group) {
        if (attempt === 0) done.views += counted.views.items.length;
        const outcome = await writeDay(counted, deps);
        if (outcome === 'mended' || outcome === 'equal') await settleDispute(counted.views, deps);
        if (outcome === 'mended') done.mended.add(counted.views.customer);
        else if (outcome === 'again') again.push(counted.views.customer);
        else if (outcome !== 'equal') done.refused.push(outcome);
      }
    }
    customers = again;
  }
  await deps.quotas?.refresh(input.customers.map((customer) => ({ project, customer, day })));
  const reason = `Its views were written ${TRIES} times while they were counted again; try in a quieter hour.`;
  const contended = customers.map((customer) => ({ customer, day, code: 'view_contended' as const, reason }));
  return { views: done.views, mended: [...done.mended], refused: [...done.refused, ...contended] };
}

/** What was found wrong has been put right, or is right by now. */
async function settleDispute({ project, customer, day }: DayViews, { disputes }: RebuildDeps): Promise<void> {
  const open = await disputes.openDays(project, customer);
  if (open.includes(day)) await disputes.settle(project, customer, day);
}

async function writeDay(
  { views, items, unreadable, uncounted }: RecountedDay,
  deps: RebuildDeps,
): Promise<'equal' | 'mended' | 'again' | RefusedDay> {
  const { customer, day, project } = views;
  if (unreadable.length > 0) {
    const reason = `The log no longer holds everything its views rest on: chunks are missing in ${unreadable.slice(0, 5).join(', ')}.`;
    return { customer, day, code: 'log_incomplete', reason };
  }
  const changed = items.filter((item) => compareViews(item).length > 0 || hasMoved(item));
  if (changed.length === 0) return 'equal';
  const limits = deps.viewLimits ?? VIEW_LIMITS;
  const large = changed.find(({ view }) => !fits(view, limits));
  if (large !== undefined) {
    const reason = `Rebuilt, the item ${large.stored.key.part || 'of the day'} would hold more than ${limits.maxCombinations} combinations of dimension values, or be larger than ${limits.maxBytes} bytes.`;
    return { customer, day, code: 'view_full', reason };
  }
  if (uncounted.length > 0) await deps.views.markSeen(project, customer);
  // Before the views, like a fold: a mark too many costs a look, one too few money.
  const isBilled = changed.flatMap(compareViews).some(({ meter }) => deps.isPriced(meter));
  if (isBilled && isLate(day, millisOf(deps.clock.now()))) await deps.views.markLate(project, customer, day);
  let wasRefused = false;
  for (const { stored, view } of changed)
    wasRefused ||= (await deps.views.writeView({ ...stored, view })) === 'refused';
  return wasRefused ? 'again' : 'mended';
}

/** Whether the item has taken in what its cursors said it had not, or a meter's past. */
function hasMoved({ stored, view }: RecountedItem): boolean {
  const isOlder = view.backfilled?.length !== stored.view.backfilled?.length;
  return isOlder || Object.entries(view.cursors).some(([name, sequence]) => stored.view.cursors[name] !== sequence);
}
