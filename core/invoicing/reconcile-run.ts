import { partsOfAccount } from '../accounts/customer.ts';
import type { BillingRunId, CustomerId, ProjectId } from '../ids.ts';
import type { Clock } from '../time/clock.ts';
import { type Instant, instantFromMillis, millisOf } from '../time/instant.ts';
import { type CustomerDay, positionOf } from '../usage/day-groups.ts';
import { dayKey, dayStartMillis } from '../usage/log-partition.ts';
import { DAY_MILLIS, logExpirySeconds } from '../usage/retention.ts';
import type { ReconciledViews } from './billing-run.ts';
import type { AccountLooks, BillingReads, BillingRuns, ReconcileUsage, UsageReads } from './ports.ts';

export interface ReconcileRunInput {
  readonly project: ProjectId;
  readonly run: BillingRunId;
  readonly asOf: Instant;
  /** Where the call before stopped; null at first. */
  readonly cursor: string | null;
  /** How long this call may take, in milliseconds. */
  readonly budgetMillis: number;
}

export interface ReconcileRunDeps {
  readonly reads: Pick<BillingReads, 'dueSubscriptions'>;
  readonly looks: Pick<AccountLooks, 'due'>;
  readonly usage: Pick<UsageReads, 'lateDays'>;
  readonly runs: Pick<BillingRuns, 'reconciled'>;
  readonly reconcile: ReconcileUsage;
  readonly clock: Clock;
}

export interface ReconcileStep extends ReconciledViews {
  readonly done: boolean;
  readonly cursor: string | null;
}

const READS_AT_ONCE = 32;

/**
 * Between settling and rating: holds the views that the run is going to rate against the log they were counted from. For
 * every customer with something due these are the days since it was billed, and the days of earlier periods that received
 * usage since and will be adjusted. Called until it is done. What does not agree becomes a dispute, which rating heeds.
 */
export async function reconcileRun(input: ReconcileRunInput, deps: ReconcileRunDeps): Promise<ReconcileStep> {
  const { project, run, cursor } = input;
  const now = millisOf(deps.clock.now());
  const span = {
    // Of days before, the log has expired, but for what was sent much later.
    logBegins: now - logExpirySeconds(0) * 1000 + DAY_MILLIS,
    until: Math.min(now, millisOf(input.asOf)),
  };
  const days = daysOf(await dueCustomers(input, deps), span);
  const stopAt = instantFromMillis(now + input.budgetMillis);
  const { at, before } = positionIn(cursor);
  const step = await deps.reconcile({ project, days, cursor: at, stopAt });
  const total: ReconciledViews = {
    views: step.views + before.views,
    disputedDays: step.disputedDays + before.disputedDays,
    unprovableDays: step.unprovableDays + before.unprovableDays,
  };
  await deps.runs.reconciled(project, run, total);
  const next: Position = { at: step.cursor, before: total };
  return { ...total, done: step.cursor === null, cursor: step.cursor === null ? null : JSON.stringify(next) };
}

/** The cursor carries what the calls before found, so that a call that is repeated counts nothing twice. */
interface Position {
  readonly at: string | null;
  readonly before: ReconciledViews;
}

function positionIn(cursor: string | null): Position {
  if (cursor === null) return { at: null, before: { views: 0, disputedDays: 0, unprovableDays: 0 } };
  return JSON.parse(cursor) as Position;
}

/** Whose usage is rated, from which instant on, and which earlier days of it. */
interface DueCustomer {
  readonly customer: CustomerId;
  readonly fromMillis: number;
  readonly lateDays: readonly string[];
}

async function dueCustomers({ project, asOf }: ReconcileRunInput, deps: ReconcileRunDeps): Promise<DueCustomer[]> {
  const from = new Map<CustomerId, number>();
  for await (const page of deps.reads.dueSubscriptions(project, asOf)) {
    for (const { customer, billedThrough } of page)
      from.set(customer, Math.min(from.get(customer) ?? Number.POSITIVE_INFINITY, millisOf(billedThrough)));
  }
  // Accounts that are only looked at again, for what came late.
  for (const account of await deps.looks.due(project, asOf)) {
    const { customer } = partsOfAccount(account);
    if (!from.has(customer)) from.set(customer, Number.POSITIVE_INFINITY);
  }
  const entries = [...from];
  const due: DueCustomer[] = [];
  for (let i = 0; i < entries.length; i += READS_AT_ONCE) {
    const some = entries.slice(i, i + READS_AT_ONCE).map(async ([customer, fromMillis]) => {
      return { customer, fromMillis, lateDays: await deps.usage.lateDays(project, customer) };
    });
    due.push(...(await Promise.all(some)));
  }
  return due;
}

/** By day, and within it by customer. Late days that were billed before the log began have had their look in an earlier run. */
function daysOf(
  due: readonly DueCustomer[],
  { logBegins, until }: { readonly logBegins: number; readonly until: number },
): readonly CustomerDay[] {
  const days: CustomerDay[] = [];
  for (const { customer, fromMillis, lateDays } of due) {
    const first = Math.floor(Math.max(fromMillis, logBegins) / DAY_MILLIS) * DAY_MILLIS;
    for (let start = first; start < until; start += DAY_MILLIS) days.push({ customer, day: dayKey(start * 1000) });
    for (const day of lateDays) {
      const start = dayStartMillis(day);
      if (start < first && start < until && start + DAY_MILLIS > Math.min(fromMillis, logBegins))
        days.push({ customer, day });
    }
  }
  return days.sort((a, b) => (positionOf(a) < positionOf(b) ? -1 : 1));
}
