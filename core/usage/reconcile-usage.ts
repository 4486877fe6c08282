import type { SeenCustomers } from '../accounts/ports.ts';
import type { ProjectId } from '../ids.ts';
import type { Clock } from '../time/clock.ts';
import { type Instant, millisOf } from '../time/instant.ts';
import type { DayGroupDeps } from './day-groups.ts';
import { dayKey, placementHash } from './log-partition.ts';
import type { UsageDisputes } from './ports.ts';
import { type DayFinding, reconcileDay } from './reconcile-day.ts';
import { DAY_MILLIS, logExpirySeconds } from './retention.ts';

/** A customer whose usage is about to be billed. */
export interface DueUsage {
  readonly customer: string;
  /** What of it has not been billed begins here. */
  readonly from: Instant;
}

export interface ReconcileUsageDeps extends DayGroupDeps {
  readonly customers: SeenCustomers;
  readonly disputes: Pick<UsageDisputes, 'open'>;
  /** Page by page, the customers whose periods close at the instant or before. */
  readonly due: (project: ProjectId, closesAt: Instant) => AsyncIterable<readonly DueUsage[]>;
  readonly clock: Clock;
}

export interface ReconcileUsageInput {
  readonly project: ProjectId;
  /** Periods that close until then count as about to be billed. */
  readonly billedUntil: Instant;
  /** Of the sample, one customer in so many. */
  readonly oneIn: number;
  readonly stopAt: Instant;
}

export interface ReconciledUsage {
  readonly views: number;
  readonly findings: readonly DayFinding[];
  /** Whether everything was looked at before `stopAt`. */
  readonly isWhole: boolean;
}

const CUSTOMERS_A_PAGE = 1_000;
/** The sample is of the day before yesterday, which nearly everything that is late has reached. */
const SAMPLED_DAYS_AGO = 2;

/**
 * Holds views against the log: those of every customer who is about to be billed, on all days since they were billed whose log
 * is there, and a sample, which changes with the date so that everybody has a turn every `oneIn` days. Where they do not
 * agree, a dispute is opened, and nothing is billed to the customer until the day has been rebuilt.
 */
export async function reconcileUsage(input: ReconcileUsageInput, deps: ReconcileUsageDeps): Promise<ReconciledUsage> {
  const total = { views: 0, findings: [] as DayFinding[] };
  const { project, stopAt } = input;
  for await (const { day, customers } of workOf(input, deps)) {
    if (millisOf(deps.clock.now()) >= millisOf(stopAt)) return { ...total, isWhole: false };
    const { views, findings } = await reconcileDay({ project, day, customers }, deps);
    total.views += views;
    total.findings.push(...findings);
    for (const finding of findings)
      await deps.disputes.open(project, finding.customer, day, JSON.stringify(finding).slice(0, 4_000));
  }
  return { ...total, isWhole: true };
}

interface DayOfWork {
  readonly day: string;
  readonly customers: readonly string[];
}

async function* workOf(input: ReconcileUsageInput, deps: ReconcileUsageDeps): AsyncGenerator<DayOfWork> {
  const { project, billedUntil, oneIn } = input;
  const now = millisOf(deps.clock.now());
  const oldest = now - logExpirySeconds(0) * 1000 + DAY_MILLIS;
  let waiting: DueUsage[] = [];
  for await (const page of deps.due(project, billedUntil)) {
    waiting.push(...page);
    if (waiting.length < CUSTOMERS_A_PAGE) continue;
    yield* daysOf(waiting, oldest, now);
    waiting = [];
  }
  yield* daysOf(waiting, oldest, now);
  const today = Math.floor(now / DAY_MILLIS);
  const day = dayKey((today - SAMPLED_DAYS_AGO) * DAY_MILLIS * 1000);
  let cursor: string | undefined;
  do {
    const page = await deps.customers.list(project, { limit: CUSTOMERS_A_PAGE, cursor });
    yield { day, customers: page.items.filter((customer) => placementHash(customer) % oneIn === today % oneIn) };
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
}

/** The unbilled days of some customers, each with those whom it concerns. */
function* daysOf(due: readonly DueUsage[], oldestMillis: number, nowMillis: number): Generator<DayOfWork> {
  const first = Math.max(oldestMillis, Math.min(nowMillis, ...due.map(({ from }) => millisOf(from))));
  for (let day = Math.floor(first / DAY_MILLIS); day * DAY_MILLIS <= nowMillis; day++) {
    const ends = (day + 1) * DAY_MILLIS;
    const customers = [...new Set(due.filter(({ from }) => millisOf(from) < ends).map(({ customer }) => customer))];
    if (customers.length > 0) yield { day: dayKey(day * DAY_MILLIS * 1000), customers };
  }
}
