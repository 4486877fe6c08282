import type { Currency } from '../money/currency.ts';
import { formatMinor } from '../money/money.ts';
import type {
  BillingRun,
  ManifestRow,
  OpenCredit,
  OutcomeStep,
  RunFailure,
  RunOutcome,
  RunReport,
} from './billing-run.ts';

const MAX_LISTED = 100;

export interface ReportInput {
  readonly run: BillingRun;
  readonly rows: readonly ManifestRow[];
  /** By invoice id. */
  readonly outcomes: ReadonlyMap<string, RunOutcome>;
  /** Invoices of the project that are issued and not at the provider. */
  readonly unpushed: number;
  readonly error: string | null;
}

/** What became of everything that was planned. Pure: the same outcomes give the same report. */
export function reportOf({ run, rows, outcomes, unpushed, error }: ReportInput): RunReport {
  const steps: Record<OutcomeStep, number> = { rated: 0, issued: 0, pushed: 0, failed: 0, nothing_to_bill: 0 };
  const missing: RunReport['missing'][number][] = [];
  const failures: RunFailure[] = [];
  let notProcessed = 0;
  for (const row of rows) {
    for (const { key, invoiceId } of row.periods) {
      if (outcomes.has(invoiceId)) continue;
      notProcessed += 1;
      missing.push({ invoice: invoiceId, account: row.account, period: key });
    }
  }
  for (const outcome of outcomes.values()) {
    steps[outcome.step] += 1;
    if (outcome.step === 'failed') failures.push(failureOf(outcome));
  }
  const invoicesPlanned = run.planned?.invoices ?? 0;
  if (rows.length === 0) notProcessed = Math.max(0, invoicesPlanned - outcomes.size);
  return {
    accounts: run.planned?.accounts ?? 0,
    invoicesPlanned,
    steps,
    notProcessed,
    totals: totalsOf(outcomes.values()),
    failures: failures.slice(0, MAX_LISTED),
    credits: creditsOf(outcomes.values()).slice(0, MAX_LISTED),
    missing: missing.slice(0, MAX_LISTED),
    warnings: warningsOf({ run, steps, outcomes, unpushed, notProcessed }),
    error,
  };
}

function failureOf(outcome: RunOutcome): RunFailure {
  const { invoice, customer, account, period, at = 'rate', code = 'unknown', reason = '' } = outcome;
  return { invoice, customer, account, period, at, code, reason, action: actionOf(at, code) };
}

function creditsOf(outcomes: Iterable<RunOutcome>): readonly OpenCredit[] {
  return [...outcomes].flatMap(({ account, customer, currency = '', creditLeftMinor }) =>
    creditLeftMinor === undefined ? [] : [{ account, customer, currency, amountMinor: creditLeftMinor }],
  );
}

/** What to do about a failure. Every failure is tried again by the next run, because the period stays due. */
function actionOf(at: string, code: string): string {
  if (code === 'customer_not_found') return 'Create the customer; the next run bills it.';
  if (code === 'plan_version_not_found')
    return 'Create the plan version the subscription names; the next run bills it.';
  if (code === 'usage_disputed')
    return 'Rebuild the days that the reason names (docs/rebuilding.md); the next run bills the account.';
  if (code === 'draft_stale' || code === 'draft_changed' || code === 'earlier_period_failed') {
    return 'Nothing, unless it comes back: the next run rates it again.';
  }
  if (at === 'push')
    return 'The invoice is issued and stays so. Mend what the reason says; the next run pushes it again.';
  return 'Mend what the reason says and start a run for the same period; what is billed stays billed.';
}

/** Totals of the invoices that this run found or made issued, by currency. */
function totalsOf(outcomes: Iterable<RunOutcome>): RunReport['totals'] {
  const totals = new Map<string, { total: bigint; invoices: number }>();
  for (const { number, currency = '', totalMinor = '0' } of outcomes) {
    if (number === undefined) continue;
    const before = totals.get(currency) ?? { total: 0n, invoices: 0 };
    totals.set(currency, { total: before.total + BigInt(totalMinor), invoices: before.invoices + 1 });
  }
  return [...totals]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([currency, { total, invoices }]) => ({ currency, totalMinor: total.toString(), invoices }));
}

interface WarningInput {
  readonly run: BillingRun;
  readonly steps: RunReport['steps'];
  readonly outcomes: ReadonlyMap<string, RunOutcome>;
  readonly unpushed: number;
  readonly notProcessed: number;
}

/** Usage that was accepted and not counted when the run froze it. */
function unsettledWarnings({ settled }: BillingRun): readonly string[] {
  const warnings: string[] = [];
  const { parked = 0, queued = 0, deadLettered = 0 } = settled ?? {};
  if (parked > 0) {
    warnings.push(
      `${parked} usage messages are parked: what they hold is on no invoice. Replayed, it becomes an adjustment.`,
    );
  }
  if (queued > 0) {
    warnings.push(
      `About ${queued} usage messages of all projects waited in the queue when usage was settled: what they hold of these periods becomes an adjustment.`,
    );
  }
  if (deadLettered > 0) {
    warnings.push(
      `About ${deadLettered} usage messages of all projects waited in the dead-letter queue when usage was settled: they are parked next, and on no invoice.`,
    );
  }
  return warnings;
}

/** What holding the views against the log had to say. */
function disputeWarnings({ settled, reconciled }: BillingRun): readonly string[] {
  if (reconciled === null)
    return settled === null ? [] : ['Usage was not held against the log: no invoice of this run should exist.'];
  const { disputedDays, unprovableDays } = reconciled;
  const warnings: string[] = [];
  if (disputedDays > 0) {
    warnings.push(
      `On ${disputedDays} days of customers, what is counted is not what the log says: they are not billed until the days are rebuilt (docs/rebuilding.md).`,
    );
  }
  if (unprovableDays > 0) {
    warnings.push(
      `${unprovableDays} days of customers could not be held against the log, which has expired in part; they are billed as counted.`,
    );
  }
  return warnings;
}

function warningsOf({ run, steps, outcomes, unpushed, notProcessed }: WarningInput): readonly string[] {
  const warnings: string[] = [];
  const unbilled = [...outcomes.values()].filter((outcome) => (outcome.unbilledSlices ?? 0) > 0);
  if (run.settled === null) warnings.push('Usage was not settled: no invoice of this run should exist.');
  warnings.push(...unsettledWarnings(run), ...disputeWarnings(run));
  if (unbilled.length > 0) {
    warnings.push(
      `${unbilled.length} invoices have usage that nothing bills (no charge takes it, or it lies in a trial or a pause), the first ${unbilled[0]?.invoice}.`,
    );
  }
  const [owed, ...others] = creditsOf(outcomes.values());
  if (owed !== undefined) {
    const amount = `${formatMinor(BigInt(owed.amountMinor), owed.currency as Currency)} ${owed.currency}`;
    const more = others.length === 0 ? '' : ` and ${others.length} others`;
    warnings.push(
      `Account ${owed.account}${more} ended with a credit of ${amount} that no invoice will give: pay it back by hand.`,
    );
  }
  if (steps.rated > 0) warnings.push(`${steps.rated} invoices were rated and not issued; the next run issues them.`);
  if (notProcessed > 0) warnings.push(`${notProcessed} planned invoices were not processed; the next run takes them.`);
  if (unpushed > 0) warnings.push(`${unpushed} issued invoices are not at the provider yet; the next run pushes them.`);
  return warnings;
}
