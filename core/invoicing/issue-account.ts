import { BillingError } from '../errors.ts';
import type { BillingRunId, ProjectId } from '../ids.ts';
import type { Clock } from '../time/clock.ts';
import type { ManifestPeriod, ManifestRow, RunOutcome } from './billing-run.ts';
import type { BillingSettings } from './billing-settings.ts';
import { type IssuedAnswer, type IssueInvoiceInput, issueInvoice } from './issue-invoice.ts';
import type { Backoff, BillingReads, BillingRuns, Drafts, IssuingDesk } from './ports.ts';
import { type NameFailure, outcomeOf } from './run-outcome.ts';

export interface IssueAccountInput {
  readonly project: ProjectId;
  readonly run: BillingRunId;
  readonly row: ManifestRow;
  readonly settings: BillingSettings;
}

export interface IssueDeps {
  readonly reads: Pick<BillingReads, 'subscriptions'>;
  readonly drafts: Pick<Drafts, 'find'>;
  readonly desk: IssuingDesk;
  readonly runs: Pick<BillingRuns, 'recordOutcome'>;
  readonly clock: Clock;
  readonly backoff: Backoff;
  readonly nameFailure: NameFailure;
}

/**
 * Issues the drafts of one account, in order. A period without a draft was not rated (its outcome says why) and stops the
 * account there; one issued before is left as it is. Never throws for the account's own trouble: it becomes an outcome.
 */
export async function issueAccount(input: IssueAccountInput, deps: IssueDeps): Promise<readonly RunOutcome[]> {
  const outcomes: RunOutcome[] = [];
  for (const period of input.row.periods) {
    const outcome = await issuePeriod(input, period, deps);
    if (outcome === null) break;
    outcomes.push(outcome);
    if (outcome.step === 'failed') break;
  }
  return outcomes;
}

/** Null where there is nothing to issue. */
async function issuePeriod(
  { project, run, row, settings }: IssueAccountInput,
  period: ManifestPeriod,
  deps: IssueDeps,
): Promise<RunOutcome | null> {
  try {
    const stored = await deps.drafts.find(project, period.invoiceId);
    if (stored === null) return null;
    const answer = await issueNewest({ run, stored, settings }, deps);
    const outcome = outcomeOf(row, period, {
      step: 'issued',
      invoice: answer.invoice,
      unbilledSlices: stored.basis.unbilledSlices,
      creditLeftMinor: stored.basis.creditLeftMinor,
    });
    // Issued by this call: the outcome was part of the transaction. Issued before: this run has yet to say so.
    if (!answer.isNew) await deps.runs.recordOutcome(project, run, outcome);
    return outcome;
  } catch (error) {
    const outcome = outcomeOf(row, period, { at: 'issue', failure: deps.nameFailure(error) });
    await deps.runs.recordOutcome(project, run, outcome);
    return outcome;
  }
}

/** How often another run may replace the draft while this one issues it. */
const TRIES = 4;

/** Issues the draft; where another run replaced it since it was read, the one it left, which its own guards hold to the ledger. */
async function issueNewest(input: IssueInvoiceInput, deps: IssueDeps): Promise<IssuedAnswer> {
  let { stored } = input;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await issueInvoice({ ...input, stored }, deps);
    } catch (error) {
      if (!(error instanceof BillingError) || error.code !== 'draft_stale' || attempt === TRIES) throw error;
      const now = await deps.drafts.find(stored.invoice.project, stored.invoice.id);
      if (now === null || now.version === stored.version) throw error;
      stored = now;
    }
  }
}
