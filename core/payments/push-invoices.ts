import type { BillingError } from '../errors.ts';
import type { BillingRunId, InvoiceId, ProjectId } from '../ids.ts';
import type { RunOutcome } from '../invoicing/billing-run.ts';
import type { BillingRuns, UncollectedInvoices } from '../invoicing/ports.ts';
import { isPushed } from './payment-record.ts';
import type { PaymentProviders, StoredPayment } from './ports.ts';
import { type PushInvoiceDeps, pushInvoice } from './push-invoice.ts';
import { isSettled, rereadInvoice } from './reread-invoice.ts';

export interface PushInvoicesDeps extends Omit<PushInvoiceDeps, 'provider'> {
  readonly providers: PaymentProviders;
  readonly runs: Pick<BillingRuns, 'recordOutcome'>;
  readonly uncollected: UncollectedInvoices;
  /** Whether there is time for one more invoice. */
  readonly hasTime: () => boolean;
  /** Any thrown value as a named failure. */
  readonly named: (error: unknown) => BillingError;
}

export interface PushInvoicesInput {
  readonly project: ProjectId;
  readonly run: BillingRunId;
  /** The accounts of a batch with their invoices in order; accounts go side by side, an account's invoices one by one. */
  readonly accounts: readonly { readonly invoiceIds: readonly InvoiceId[]; readonly openIds: readonly InvoiceId[] }[];
}

export interface PushedInvoices {
  readonly pushed: number;
  readonly failed: number;
  /** Of the failed: those for which trying again soon makes sense. */
  readonly retryable: number;
  /** Invoices read again at the provider that turned out to be settled, and those that could not be read: the next day's turn. */
  readonly settled: number;
  readonly unread: number;
}

type Counts = { -readonly [K in keyof PushedInvoices]: PushedInvoices[K] };

/** A call takes about a third of a second, and ten batches run at once: thirty in flight use the provider's limit. */
const ACCOUNTS_AT_ONCE = 3;

/**
 * Pushes the issued invoices of a batch, then reads those again whose money is out. Each pushed one ends with an outcome of its own;
 * one that fails never stops another, and one that could not be read again is no failure of the run.
 */
export async function pushInvoices(input: PushInvoicesInput, deps: PushInvoicesDeps): Promise<PushedInvoices> {
  const counts: Counts = { pushed: 0, failed: 0, retryable: 0, settled: 0, unread: 0 };
  const waiting = [...input.accounts];
  const worker = async () => {
    for (let account = waiting.shift(); account !== undefined; account = waiting.shift()) {
      for (const invoice of account.invoiceIds) await pushOne(input, invoice, deps, counts);
      for (const invoice of account.openIds) await rereadOne(input, invoice, deps, counts);
    }
  };
  await Promise.all(Array.from({ length: ACCOUNTS_AT_ONCE }, worker));
  return counts;
}

async function pushOne(
  { project, run }: PushInvoicesInput,
  invoice: InvoiceId,
  deps: PushInvoicesDeps,
  counts: Counts,
): Promise<void> {
  let stored: StoredPayment | null = null;
  try {
    stored = await deps.payments.find(project, invoice);
    // Not drafted or not issued, for a reason its outcome tells; or zero, and paid by being issued.
    if (stored === null || stored.invoice.status === 'draft') return;
    if (stored.payment === null && isPushed(stored.invoice.status, null)) return;
    if (!deps.hasTime()) {
      counts.retryable += 1;
      counts.failed += 1;
      await deps.runs.recordOutcome(project, run, failureOf(stored, OUT_OF_TIME));
      return;
    }
    const provider = await deps.providers.of(project);
    const done = await pushInvoice({ project, invoice }, { ...deps, provider });
    await deps.runs.recordOutcome(project, run, { ...about({ ...stored, ...done }), step: 'pushed' });
    if (isSettled(done.invoice.status)) await deps.uncollected.settled(project, invoice, deps.clock.now());
    else await deps.uncollected.pushed(project, invoice);
    counts.pushed += 1;
  } catch (error) {
    const failure = deps.named(error);
    counts.failed += 1;
    if (failure.retryable) counts.retryable += 1;
    if (stored !== null) {
      await deps.runs.recordOutcome(project, run, failureOf(stored, { code: failure.code, reason: failure.message }));
    }
  }
}

async function rereadOne(
  { project }: PushInvoicesInput,
  invoice: InvoiceId,
  deps: PushInvoicesDeps,
  counts: Counts,
): Promise<void> {
  try {
    if (!deps.hasTime()) {
      counts.unread += 1;
      return;
    }
    if (!isSettled(await rereadInvoice({ project, invoice }, deps))) return;
    await deps.uncollected.settled(project, invoice, deps.clock.now());
    counts.settled += 1;
  } catch (error) {
    deps.named(error);
    counts.unread += 1;
  }
}

const OUT_OF_TIME = {
  code: 'push_out_of_time',
  reason: 'The time of this step was up before the invoice was pushed; it is tried again.',
};

function about({ invoice, unbilledSlices = 0 }: StoredPayment): Omit<RunOutcome, 'step'> {
  return {
    invoice: invoice.id,
    customer: invoice.customer,
    account: invoice.account,
    period: invoice.period.key,
    currency: invoice.currency,
    totalMinor: String(invoice.totalMinor),
    ...(invoice.number === null ? {} : { number: invoice.number }),
    ...(unbilledSlices === 0 ? {} : { unbilledSlices }),
  };
}

function failureOf(stored: StoredPayment, failure: { code: string; reason: string }): RunOutcome {
  return { ...about(stored), step: 'failed', at: 'push', ...failure };
}
