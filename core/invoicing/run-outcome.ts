import type { ManifestPeriod, ManifestRow, OutcomeStep, RunOutcome } from './billing-run.ts';
import type { Invoice } from './invoice.ts';

/** What went wrong, in words for the report. */
export interface NamedFailure {
  readonly code: string;
  readonly message: string;
}

/** Any thrown value as a code and a sentence; the one table of errors lives with the handlers. */
export type NameFailure = (error: unknown) => NamedFailure;

type Ending =
  | {
      readonly step: Exclude<OutcomeStep, 'failed'>;
      readonly invoice?: Invoice;
      readonly unbilledSlices?: number;
      readonly creditLeftMinor?: string | undefined;
    }
  | { readonly at: 'rate' | 'issue' | 'push'; readonly failure: NamedFailure };

/** The outcome of one invoice of a run. */
export function outcomeOf(
  row: Pick<ManifestRow, 'account' | 'customer' | 'currency'>,
  period: Pick<ManifestPeriod, 'key' | 'invoiceId'>,
  ending: Ending,
): RunOutcome {
  const basis = {
    invoice: period.invoiceId,
    customer: row.customer,
    account: row.account,
    period: period.key,
    currency: row.currency,
  };
  if ('failure' in ending) {
    return { ...basis, step: 'failed', at: ending.at, code: ending.failure.code, reason: ending.failure.message };
  }
  const { invoice, unbilledSlices = 0, creditLeftMinor } = ending;
  return {
    ...basis,
    step: ending.step,
    ...(invoice === undefined ? {} : { totalMinor: invoice.totalMinor.toString() }),
    ...(invoice?.number == null ? {} : { number: invoice.number }),
    ...(unbilledSlices === 0 ? {} : { unbilledSlices }),
    ...(creditLeftMinor === undefined ? {} : { creditLeftMinor }),
  };
}
