import type { BillingRunId, InvoiceId, ProjectId } from '../ids.ts';
import { type Instant, millisOf } from '../time/instant.ts';
import type { InvoicePurpose } from './invoice.ts';

export type RunReason = 'schedule' | 'request';

/** One execution of the monthly workflow: from which instant it looks, and how far it got. */
export interface BillingRun {
  readonly id: BillingRunId;
  readonly project: ProjectId;
  /** Periods that closed, grace included, at this instant or before are due. */
  readonly asOf: Instant;
  /** When set, no period after this one is billed; a key such as `2026-11`. */
  readonly through: string | null;
  readonly reason: RunReason;
  readonly status: 'running' | 'finished' | 'failed';
  readonly startedAt: Instant;
  readonly finishedAt: Instant | null;
  readonly settled: SettledUsage | null;
  /** Null until the views have been held against the log. */
  readonly reconciled: ReconciledViews | null;
  /** Null until the manifest is written. */
  readonly planned: PlannedWork | null;
  readonly report: RunReport | null;
}

/** What the workflow as a whole may take (`TimeoutSeconds` of monthly-billing.asl.json); a test holds the two together. */
export const RUN_LIFE_HOURS = 24;

/**
 * The status of a run at an instant. The workflow itself writes how it ended, unless it was stopped from outside or ran out of its 24
 * hours: then nobody is left to write, and what has not ended by then has failed.
 */
export function runStatusAt(run: Pick<BillingRun, 'status' | 'startedAt'>, now: Instant): BillingRun['status'] {
  const isOver = millisOf(now) > millisOf(run.startedAt) + RUN_LIFE_HOURS * 3_600_000;
  return run.status === 'running' && isOver ? 'failed' : run.status;
}

export interface PlannedWork {
  readonly accounts: number;
  readonly invoices: number;
}

/** How usage stood when it was frozen for rating. */
export interface SettledUsage {
  readonly partitions: number;
  readonly foldedEvents: number;
  /** Messages parked because they could not be counted; what they hold is on no invoice of this run. */
  readonly parked: number;
  /** Messages, of all projects, that about then waited to be appended; what came of them is an adjustment. */
  readonly queued: number;
  /** Messages, of all projects, that about then waited in the dead-letter queue to be parked. */
  readonly deadLettered: number;
}

/** What came of holding the views to be rated against the log. */
export interface ReconciledViews {
  /** View items compared. */
  readonly views: number;
  /** Customers' days on which they did not agree: nothing is billed to those customers. */
  readonly disputedDays: number;
  /** Customers' days whose log has expired in part, so that nothing can be said of them. */
  readonly unprovableDays: number;
}

export type OutcomeStep = 'rated' | 'issued' | 'pushed' | 'failed' | 'nothing_to_bill';

/** How one invoice of one run ended; the last step written counts. */
export interface RunOutcome {
  readonly invoice: InvoiceId;
  readonly customer: string;
  readonly account: string;
  readonly period: string;
  readonly step: OutcomeStep;
  readonly currency?: string;
  readonly totalMinor?: string;
  readonly number?: string;
  /** Meter and dimension combinations with usage that no charge of the customer takes; absent when there are none. */
  readonly unbilledSlices?: number;
  /** Minor units that an account is owed although all of its subscriptions have ended and no invoice follows. */
  readonly creditLeftMinor?: string;
  /** For `failed`: the stable code of the error and a sentence. */
  readonly code?: string;
  readonly reason?: string;
  /** For `failed`: the step that failed. */
  readonly at?: 'rate' | 'issue' | 'push';
}

/** Money owed to an account that no further invoice will give. */
export interface OpenCredit {
  readonly account: string;
  readonly customer: string;
  readonly currency: string;
  readonly amountMinor: string;
}

export interface RunFailure {
  readonly invoice: InvoiceId;
  readonly customer: string;
  readonly account: string;
  readonly period: string;
  readonly at: string;
  readonly code: string;
  readonly reason: string;
  /** What a person should do about it. */
  readonly action: string;
}

/** The report of a run. Lists hold at most 100 entries; the counts count all. */
export interface RunReport {
  readonly accounts: number;
  readonly invoicesPlanned: number;
  readonly steps: Readonly<Record<OutcomeStep, number>>;
  readonly notProcessed: number;
  readonly totals: readonly { readonly currency: string; readonly totalMinor: string; readonly invoices: number }[];
  readonly failures: readonly RunFailure[];
  /** Credits left to accounts that have ended. Somebody has to pay them back. */
  readonly credits: readonly OpenCredit[];
  readonly missing: readonly { readonly invoice: InvoiceId; readonly account: string; readonly period: string }[];
  /** Sentences that a person should read before trusting the figures. */
  readonly warnings: readonly string[];
  /** Why the run itself stopped; null when it went to its end. */
  readonly error: string | null;
}

/** ISO 4217's "no currency": of an account whose plan version is not there. It fails with that reason when it is rated. */
export const NO_CURRENCY = 'XXX';

/** One billing account in the manifest. */
export interface ManifestRow {
  readonly account: string;
  readonly customer: string;
  readonly currency: string;
  /** The closed and unbilled periods and what else is due, in the order in which it is issued. */
  readonly periods: readonly ManifestPeriod[];
  /** Every invoice to push: those issued earlier and not yet pushed, then those of `periods`. */
  readonly invoiceIds: readonly InvoiceId[];
  /** Invoices that the provider has and whose money is out: read again there, in case its webhooks were lost. */
  readonly openIds: readonly InvoiceId[];
}

/** An invoice to make: of a closed period, of fees due when a period begins, or a last look at an account that has ended. */
export interface ManifestPeriod {
  readonly purpose: InvoicePurpose;
  readonly key: string;
  readonly start: Instant;
  readonly end: Instant;
  /** 1 for the first invoice of this account, period and purpose, 2 for a second one, and so on. */
  readonly ordinal: number;
  readonly invoiceId: InvoiceId;
}
