import type { StoredSubscription } from '../accounts/subscription.ts';
import { BillingError, conflict } from '../errors.ts';
import { invoiceIssued, invoicePaidAtOnce } from '../events/invoice-events.ts';
import type { BillingRunId } from '../ids.ts';
import type { Clock } from '../time/clock.ts';
import { type Instant, instantFromMillis, millisOf } from '../time/instant.ts';
import { type BillingSettings, invoiceNumber } from './billing-settings.ts';
import type { Invoice } from './invoice.ts';
import type { Backoff, BillingReads, Drafts, IssueTransaction, IssuingDesk, StoredInvoice } from './ports.ts';
import { outcomeOf } from './run-outcome.ts';

export interface IssueInvoiceInput {
  readonly run: BillingRunId;
  readonly stored: StoredInvoice;
  readonly settings: BillingSettings;
}

export interface IssueInvoiceDeps {
  readonly reads: Pick<BillingReads, 'subscriptions'>;
  readonly drafts: Pick<Drafts, 'find'>;
  readonly desk: IssuingDesk;
  readonly clock: Clock;
  readonly backoff: Backoff;
}

export interface IssuedAnswer {
  readonly invoice: Invoice;
  /** False when it had been issued before this call. */
  readonly isNew: boolean;
}

/** Tries per invoice. With full jitter up to a second between them they outlast ten workers at one counter many times over. */
const MAX_ATTEMPTS = 40;

/**
 * Issues a draft: the next number of the project, the frozen invoice, the ledger, the subscriptions' progress and the events
 * in one transaction. A number that another worker takes is asked for again; since number and issue are one write, none is
 * ever skipped or given twice. An invoice of zero is paid by being issued.
 *
 * A lost answer is healed by reading: if the invoice is issued, it is issued. Throws `conflict` (`draft_stale`) when the draft,
 * its ledger or a subscription changed since it was rated, `not-ready` (`numbering_contended`) when no number was to be had.
 */
export async function issueInvoice(input: IssueInvoiceInput, deps: IssueInvoiceDeps): Promise<IssuedAnswer> {
  const { project, status } = input.stored.invoice;
  if (status !== 'draft') return { invoice: input.stored.invoice, isNew: false };
  const subscriptions = await billedSubscriptions(input.stored, deps.reads);
  if (typeof subscriptions === 'string') return issuedByOther(input.stored, subscriptions, deps.drafts);
  let count = await deps.desk.count(project);
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
    const transaction = transactionOf(input, subscriptions, count + 1, deps.clock.now());
    const answer = await deps.desk.issue(transaction);
    if (answer.result === 'issued') return { invoice: transaction.issued, isNew: true };
    if (answer.result === 'stale') return issuedByOther(input.stored, answer.what, deps.drafts);
    if (answer.result === 'number_taken') count = answer.count;
    else count = await deps.desk.count(project);
    await deps.backoff.wait(attempt);
  }
  throw new BillingError({
    kind: 'not-ready',
    code: 'numbering_contended',
    message: `No invoice number was to be had in ${MAX_ATTEMPTS} tries; other workers took them. Run it again.`,
  });
}

/**
 * Something changed since the draft was rated. Perhaps this very call succeeded and its answer was lost, or another run issued
 * the invoice: then the invoice says so. Throws `draft_stale` otherwise.
 */
async function issuedByOther(
  { invoice }: StoredInvoice,
  what: string,
  drafts: Pick<Drafts, 'find'>,
): Promise<IssuedAnswer> {
  const now = await drafts.find(invoice.project, invoice.id);
  if (now !== null && now.invoice.status !== 'draft') return { invoice: now.invoice, isNew: false };
  throw conflict(
    'draft_stale',
    `Since the draft was rated, ${what} changed. Nothing was issued; the next run rates it again.`,
  );
}

/** The subscriptions as the issue will leave them; the name of one that changed, where the transaction would be refused. */
async function billedSubscriptions(
  { invoice, basis }: StoredInvoice,
  reads: Pick<BillingReads, 'subscriptions'>,
): Promise<readonly StoredSubscription[] | string> {
  const found = await reads.subscriptions(
    invoice.project,
    basis.subscriptions.map(({ id }) => id),
  );
  const after: StoredSubscription[] = [];
  for (const { id, version, billedThrough, advanceThrough } of basis.subscriptions) {
    const stored = found.find(({ subscription }) => subscription.id === id);
    if (stored === undefined || stored.version !== version) return `the subscription ${id}`;
    after.push({ subscription: { ...stored.subscription, billedThrough, advanceThrough }, version: version + 1 });
  }
  return after;
}

function transactionOf(
  { run, stored, settings }: IssueInvoiceInput,
  subscriptions: readonly StoredSubscription[],
  count: number,
  now: Instant,
): IssueTransaction {
  const { invoice, basis } = stored;
  const isZero = invoice.totalMinor === 0n;
  const issued: Invoice = {
    ...invoice,
    status: isZero ? 'paid' : 'issued',
    number: invoiceNumber(settings, count),
    issuedAt: now,
    dueAt: instantFromMillis(millisOf(now) + settings.paymentTermDays * 86_400_000),
  };
  const { account, customer, currency, period, id } = issued;
  return {
    draft: stored,
    issued,
    count,
    subscriptions: subscriptions.map((subscription) => ({ stored: subscription, timeZone: basis.timeZone })),
    events: [invoiceIssued(issued, run), ...(isZero ? [invoicePaidAtOnce(issued)] : [])],
    run,
    outcome: outcomeOf(
      { account, customer, currency },
      { key: period.key, invoiceId: id },
      {
        step: 'issued',
        invoice: issued,
        unbilledSlices: basis.unbilledSlices,
        creditLeftMinor: basis.creditLeftMinor,
      },
    ),
    isToBePushed: !isZero,
  };
}
