import type { Logger } from '@aws-lambda-powertools/logger';
import type { Context } from 'aws-lambda';
import { BillingError } from '../../core/errors.ts';
import { type PushInvoicesDeps, pushInvoices } from '../../core/payments/push-invoices.ts';
import { toAslError } from '../shared/error-map.ts';
import { readBatchInput } from '../shared/run-input.ts';
import { wirePushInvoices } from '../shared/wire/payments.ts';
import { wired } from '../shared/wire.ts';

export interface PushInvoicesHandlerDeps extends Omit<PushInvoicesDeps, 'hasTime'> {
  /** No invoice is begun with less than this of the Lambda's time left. */
  readonly reserveMs: number;
  readonly logger: Logger;
}

/**
 * Pushes a batch's issued invoices to Stripe and reads unpaid ones again there. Every pushed invoice has its outcome before this ends; when some failed for a reason that
 * may pass, it throws `Retryable.NotReady`, and the workflow's retry goes through the batch again, where done is done.
 */
export function handle(deps: PushInvoicesHandlerDeps) {
  return async (input: unknown, context: Pick<Context, 'getRemainingTimeInMillis'>) => {
    try {
      const { project, run, rows } = readBatchInput(input);
      const hasTime = () => context.getRemainingTimeInMillis() > deps.reserveMs;
      const counts = await pushInvoices({ project, run, accounts: rows }, { ...deps, hasTime });
      if (counts.failed + counts.unread > 0) deps.logger.warn('invoices not pushed or not read', { run, ...counts });
      if (counts.settled > 0) deps.logger.info('payments found that no webhook told', { run, settled: counts.settled });
      if (counts.retryable > 0) throw unfinished(counts.retryable);
      return { pushed: counts.pushed, failed: counts.failed };
    } catch (error) {
      throw toAslError(error);
    }
  };
}

function unfinished(count: number): BillingError {
  return new BillingError({
    kind: 'not-ready',
    code: 'push_unfinished',
    message: `${count} invoices of the batch could not be pushed yet; they are tried again.`,
  });
}

export const handler = wired(() => handle(wirePushInvoices()));
