import { opensAt } from '../accounts/next-close.ts';
import type { ProjectId } from '../ids.ts';
import { type Instant, instantFromMillis, millisOf } from '../time/instant.ts';
import type { AccountLooks, BillingReads, UncollectedInvoices } from './ports.ts';

export interface IsRunDueDeps {
  readonly reads: Pick<BillingReads, 'settings' | 'dueSubscriptions'>;
  readonly looks: Pick<AccountLooks, 'due'>;
  readonly uncollected: Pick<UncollectedInvoices, 'list'>;
}

/**
 * Whether a run at `asOf` would find anything to do: a period that has closed with its grace, fees in advance whose period has
 * begun, an ended account to look at, or an issued invoice whose money is still out. Asked before the daily run is
 * started, so that a quiet day costs a few reads and no run.
 */
export async function isRunDue(
  { project, asOf }: { readonly project: ProjectId; readonly asOf: Instant },
  deps: IsRunDueDeps,
): Promise<boolean> {
  const { graceHours } = await deps.reads.settings(project);
  const closedBy = instantFromMillis(millisOf(asOf) - graceHours * 3_600_000);
  for await (const page of deps.reads.dueSubscriptions(project, closedBy)) if (page.length > 0) return true;
  for await (const page of deps.reads.dueSubscriptions(project, asOf)) {
    // The instant does not depend on the zone, which only decides where the period ends.
    if (page.some((subscription) => opensAt(subscription, 'UTC') !== null)) return true;
  }
  if ((await deps.looks.due(project, asOf)).length > 0) return true;
  return (await deps.uncollected.list(project)).length > 0;
}
