import { invariantBroken } from '../errors.ts';
import type { BillingRunId } from '../ids.ts';
import type { Invoice } from '../invoicing/invoice.ts';
import { formatMinor } from '../money/money.ts';
import type { Instant } from '../time/instant.ts';
import { type ProductEvent, productEvent } from './product-event.ts';

/** What every event about an issued invoice says. Throws `invariant-broken` for one that was not issued. */
function issuedFacts(invoice: Invoice) {
  const { id, number, customer, currency, totalMinor, issuedAt, dueAt } = invoice;
  if (number === null || issuedAt === null || dueAt === null) {
    throw invariantBroken('invoice_not_issued', `The invoice ${id} was not issued; nothing can be told about it.`);
  }
  const total = formatMinor(totalMinor, currency);
  return { facts: { invoice_id: id, number, customer, currency, total }, issuedAt, dueAt };
}

/** An invoice got its number and is frozen. */
export function invoiceIssued(invoice: Invoice, run: BillingRunId): ProductEvent<'InvoiceIssued'> {
  const { facts, issuedAt, dueAt } = issuedFacts(invoice);
  return productEvent({
    type: 'InvoiceIssued',
    project: invoice.project,
    occurredAt: issuedAt,
    subject: [invoice.id],
    data: { ...facts, period: invoice.period.key, issued_at: issuedAt, due_at: dueAt, billing_run_id: run },
  });
}

/** An invoice of zero is paid by being issued: no provider, no money. */
export function invoicePaidAtOnce(invoice: Invoice): ProductEvent<'InvoicePaid'> {
  const { facts, issuedAt } = issuedFacts(invoice);
  return productEvent({
    type: 'InvoicePaid',
    project: invoice.project,
    occurredAt: issuedAt,
    subject: [invoice.id],
    data: {
      ...facts,
      amount_paid: facts.total,
      amount_to_balance: facts.total,
      provider: 'none',
      provider_invoice_id: null,
      paid_at: issuedAt,
    },
  });
}

/** What the provider said when the invoice became paid. Amounts in minor units. */
export interface PaidFacts {
  /** Money that arrived, out of band included. */
  readonly receivedMinor: bigint;
  /** Moved to the customer's balance, or covered by it. */
  readonly toBalanceMinor: bigint;
  readonly providerInvoice: string;
  readonly paidAt: Instant;
  readonly at: Instant;
}

/** The provider counts the invoice as paid. */
export function invoicePaid(invoice: Invoice, paid: PaidFacts): ProductEvent<'InvoicePaid'> {
  const { facts } = issuedFacts(invoice);
  return productEvent({
    type: 'InvoicePaid',
    project: invoice.project,
    occurredAt: paid.at,
    subject: [invoice.id],
    data: {
      ...facts,
      amount_paid: formatMinor(paid.receivedMinor, invoice.currency),
      amount_to_balance: formatMinor(paid.toBalanceMinor, invoice.currency),
      provider: 'stripe',
      provider_invoice_id: paid.providerInvoice,
      paid_at: paid.paidAt,
    },
  });
}

/** A charge that failed; `attempt` counts from 1 and makes the event one of its kind. */
export interface FailedFacts {
  readonly attempt: number;
  readonly reason: string;
  readonly dueMinor: bigint;
  readonly providerInvoice: string;
  readonly at: Instant;
}

/** A payment was tried and failed; the invoice stays open. */
export function paymentFailed(invoice: Invoice, failed: FailedFacts): ProductEvent<'PaymentFailed'> {
  const { invoice_id, number, customer, currency } = issuedFacts(invoice).facts;
  return productEvent({
    type: 'PaymentFailed',
    project: invoice.project,
    occurredAt: failed.at,
    subject: [invoice.id, String(failed.attempt)],
    data: {
      invoice_id,
      number,
      customer,
      currency,
      amount_due: formatMinor(failed.dueMinor, currency),
      attempt: failed.attempt,
      reason: failed.reason,
      provider: 'stripe',
      provider_invoice_id: failed.providerInvoice,
    },
  });
}
