import type { Logger } from '@aws-lambda-powertools/logger';
import type { RunOutcome } from '../../core/invoicing/billing-run.ts';
import { type IssueDeps, issueAccount } from '../../core/invoicing/issue-account.ts';
import type { BillingReads } from '../../core/invoicing/ports.ts';
import { toAslError } from '../shared/error-map.ts';
import { readBatchInput } from '../shared/run-input.ts';
import { wireIssueInvoices } from '../shared/wire/billing.ts';
import { wired } from '../shared/wire.ts';

export interface IssueInvoicesDeps extends IssueDeps {
  readonly reads: BillingReads;
  readonly logger: Logger;
}

/** Issues a batch's drafts, one after the other: a worker never competes with itself for the next number. */
export function handle(deps: IssueInvoicesDeps) {
  return async (input: unknown): Promise<{ issued: number; failed: number }> => {
    try {
      const { project, run, rows } = readBatchInput(input);
      const settings = await deps.reads.settings(project);
      const outcomes: RunOutcome[] = [];
      for (const row of rows) outcomes.push(...(await issueAccount({ project, run, row, settings }, deps)));
      const failed = outcomes.filter((outcome) => outcome.step === 'failed');
      for (const { invoice, code, reason } of failed) deps.logger.warn('invoice not issued', { invoice, code, reason });
      return { issued: outcomes.length - failed.length, failed: failed.length };
    } catch (error) {
      throw toAslError(error);
    }
  };
}

export const handler = wired(() => handle(wireIssueInvoices()));
