import type { Page, PageRequest } from '../accounts/ports.ts';
import type { CustomerId, InvoiceId, ProjectId } from '../ids.ts';
import type { Currency } from '../money/currency.ts';
import { formatMinor } from '../money/money.ts';
import type { Instant } from '../time/instant.ts';
import { type BillingRun, runStatusAt } from './billing-run.ts';
import type { Invoice, InvoiceLine } from './invoice.ts';

/** How invoices and runs are shown to people and clients: amounts in major units, as text, beside their currency. */

/** What of an invoice's payment is shown; the attribute `payment` of its item holds more. */
export interface ShownPayment {
  readonly provider: string;
  readonly providerInvoice: string | null;
  readonly status: string | null;
  /** Minor units, as decimal strings. */
  readonly amounts: Readonly<Record<'due' | 'received' | 'outOfBand' | 'toBalance', string>> | null;
  readonly failedAttempts: number;
  readonly lastFailure: { readonly code: string; readonly at: Instant } | null;
  readonly hostedUrl: string | null;
  readonly paidAt: Instant | null;
}

export interface InvoiceWithPayment {
  readonly invoice: Invoice;
  readonly payment: ShownPayment | null;
}

/** Reading invoices for the API. */
export interface InvoiceList {
  find(project: ProjectId, id: InvoiceId): Promise<InvoiceWithPayment | undefined>;
  /** Newest draft first; of one customer when given. Read from an index that may lag by moments. */
  list(project: ProjectId, page: PageRequest, customer?: CustomerId): Promise<Page<InvoiceWithPayment>>;
}

export interface BillingRunList {
  /** Newest first. */
  list(project: ProjectId, page: PageRequest): Promise<Page<BillingRun>>;
}

/** An invoice with amounts in major units. */
export function shownInvoice({ invoice, payment }: InvoiceWithPayment) {
  const { totalMinor, lines, project: _project, ...rest } = invoice;
  return {
    ...rest,
    total: formatMinor(totalMinor, invoice.currency),
    lines: lines.map((line) => shownLine(line, invoice.currency)),
    payment: payment && shownPayment(payment, invoice.currency),
  };
}

/** An entry of a list: everything but lines and evidence. */
export function listedInvoice(entry: InvoiceWithPayment) {
  const { lines: _lines, evidence: _evidence, ...rest } = shownInvoice(entry);
  return rest;
}

/** A line with amounts in major units. */
export function shownLine(line: InvoiceLine, currency: Currency) {
  const { amountMinor, carriedMinor, adjusts, ...rest } = line;
  return {
    ...rest,
    amount: formatMinor(amountMinor, currency),
    carried: formatMinor(carriedMinor, currency),
    ...(adjusts && {
      adjusts: {
        period: adjusts.period,
        line: adjusts.line,
        previousAmount: formatMinor(adjusts.previousAmountMinor, currency),
        currentAmount: formatMinor(adjusts.currentAmountMinor, currency),
      },
    }),
  };
}

function shownPayment(payment: ShownPayment, currency: Currency) {
  const { amounts } = payment;
  const major = (minor: string) => formatMinor(BigInt(minor), currency);
  return {
    provider: payment.provider,
    providerInvoice: payment.providerInvoice,
    status: payment.status,
    amounts: amounts && {
      due: major(amounts.due),
      received: major(amounts.received),
      outOfBand: major(amounts.outOfBand),
      toBalance: major(amounts.toBalance),
    },
    failedAttempts: payment.failedAttempts,
    lastFailure: payment.lastFailure,
    hostedUrl: payment.hostedUrl,
    paidAt: payment.paidAt,
  };
}

/** A run as it stands at an instant, with the totals of its report in major units. */
export function shownRun(run: BillingRun, now: Instant) {
  const { project: _project, report, ...known } = run;
  const rest = { ...known, status: runStatusAt(run, now) };
  if (report === null) return { ...rest, report };
  const totals = report.totals.map(({ currency, totalMinor, invoices }) => ({
    currency,
    total: formatMinor(BigInt(totalMinor), currency as Currency),
    invoices,
  }));
  const credits = report.credits.map(({ amountMinor, ...credit }) => ({
    ...credit,
    amount: formatMinor(BigInt(amountMinor), credit.currency as Currency),
  }));
  return { ...rest, report: { ...report, totals, credits } };
}
