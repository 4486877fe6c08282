import type { Logger } from '@aws-lambda-powertools/logger';
import { forEachAccount } from '../../core/invoicing/for-each-account.ts';
import { type RateAccountDeps, rateAccount } from '../../core/invoicing/rate-account.ts';
import { toAslError } from '../shared/error-map.ts';
import { readBatchInput } from '../shared/run-input.ts';
import { wireRateAccounts } from '../shared/wire/billing.ts';
import { wired } from '../shared/wire.ts';

export interface RateAccountsDeps extends RateAccountDeps {
  readonly logger: Logger;
}

/** Rates a batch of accounts. What fails is an outcome of the run; the batch itself goes on. */
export function handle(deps: RateAccountsDeps) {
  return async (input: unknown): Promise<{ rated: number; failed: number }> => {
    try {
      const { project, run, asOf, rows } = readBatchInput(input);
      const outcomes = await forEachAccount(rows, (row) => rateAccount({ project, run, row, asOf }, deps));
      const failed = outcomes.filter((outcome) => outcome.step === 'failed');
      for (const { invoice, code, reason } of failed) deps.logger.warn('account not rated', { invoice, code, reason });
      return { rated: outcomes.length - failed.length, failed: failed.length };
    } catch (error) {
      throw toAslError(error);
    }
  };
}

export const handler = wired(() => handle(wireRateAccounts()));
