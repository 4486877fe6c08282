import type { ProjectId } from '../ids.ts';
import type { Clock } from '../time/clock.ts';
import { type Instant, millisOf } from '../time/instant.ts';
import { type CustomerDay, type DayGroupDeps, positionOf } from './day-groups.ts';
import type { UsageDisputes } from './ports.ts';
import { type DayFinding, reconcileDays } from './reconcile-days.ts';

export interface ReconcileUsageDeps extends DayGroupDeps {
  readonly disputes: Pick<UsageDisputes, 'open'>;
  readonly clock: Clock;
}

export interface ReconcileUsageInput {
  readonly project: ProjectId;
  /** In the order of `positionOf`. */
  readonly days: Iterable<CustomerDay>;
  /** Where the call before stopped; null at first. */
  readonly cursor: string | null;
  readonly stopAt: Instant;
}

export interface ReconciledUsage {
  readonly views: number;
  readonly findings: readonly DayFinding[];
  /** Customers' days whose log has expired in part: nothing is said of them. */
  readonly unprovable: number;
  /** Where the next call goes on; null when everything has been looked at. */
  readonly cursor: string | null;
}

/**
 * Holds views against the log until `stopAt`, at least one group of them. Where they do not agree, a dispute is opened, and
 * nothing is billed to the customer until the day has been rebuilt. Repeating it is safe.
 */
export async function reconcileUsage(input: ReconcileUsageInput, deps: ReconcileUsageDeps): Promise<ReconciledUsage> {
  const { project, stopAt } = input;
  const total = { views: 0, findings: [] as DayFinding[], unprovable: 0 };
  for await (const { days, views, findings, unprovable } of reconcileDays(project, daysAfter(input), deps)) {
    total.views += views;
    total.unprovable += unprovable.length;
    total.findings.push(...findings);
    for (const finding of findings)
      await deps.disputes.open(project, finding.customer, finding.day, JSON.stringify(finding).slice(0, 4_000));
    if (millisOf(deps.clock.now()) < millisOf(stopAt)) continue;
    return { ...total, cursor: days.map(positionOf).sort().at(-1) ?? null };
  }
  return { ...total, cursor: null };
}

function* daysAfter({ days, cursor }: ReconcileUsageInput): Generator<CustomerDay> {
  for (const one of days) if (cursor === null || positionOf(one) > cursor) yield one;
}
