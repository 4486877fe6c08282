import type { Call, Metadata } from '../call.ts';
import { missing, refused } from '../stripe-fault.ts';

export const MAX_LINES = 250;

export interface Line {
  id: string;
  object: 'line_item';
  amount: number;
  subtotal: number;
  currency: string;
  description: string | null;
  discountable: boolean;
  discount_amounts: [];
  discounts: [];
  invoice: string;
  livemode: false;
  metadata: Metadata;
  parent: unknown;
  period: { start: number; end: number };
  pretax_credit_amounts: [];
  pricing: null;
  quantity: number;
  quantity_decimal: string;
  subscription: null;
  taxes: [];
}

/** An invoice as kept; lines and payments are kept apart and joined when it is shown. */
export interface StoredInvoice {
  id: string;
  object: 'invoice';
  created: number;
  livemode: false;
  status: 'draft' | 'open' | 'paid' | 'void' | 'uncollectible';
  customer: string;
  customer_email: string | null;
  customer_name: string | null;
  currency: string;
  number: string | null;
  auto_advance: boolean;
  collection_method: 'charge_automatically' | 'send_invoice';
  days_until_due: number | null;
  due_date: number | null;
  default_payment_method: string | null;
  description: string | null;
  footer: string | null;
  statement_descriptor: string | null;
  custom_fields: unknown;
  metadata: Metadata;
  amount_due: number;
  amount_paid: number;
  amount_paid_off_stripe: number;
  amount_remaining: number;
  amount_overpaid: number;
  attempt_count: number;
  attempted: boolean;
  starting_balance: number;
  ending_balance: number | null;
  status_transitions: Record<'finalized_at' | 'paid_at' | 'voided_at' | 'marked_uncollectible_at', number | null>;
  effective_at: number | null;
  last_finalization_error: null;
  billing_reason: 'manual';
}

/** An attempt to collect an invoice through a payment intent. */
export interface InvoicePayment {
  id: string;
  object: 'invoice_payment';
  invoice: string;
  created: number;
  currency: string;
  livemode: false;
  is_default: boolean;
  status: 'open' | 'paid' | 'canceled';
  amount_requested: number;
  amount_paid: number | null;
  payment: { type: 'payment_intent'; payment_intent: string };
  status_transitions: { paid_at: number | null; canceled_at: number | null };
}

export function readInvoice(call: Pick<Call, 'journal' | 'path'>, id = call.path.id ?? ''): StoredInvoice {
  const found = call.journal.get<StoredInvoice>('invoice', id);
  if (!found) throw missing('invoice', id, 'invoice');
  return found;
}

/** Throws the error Stripe gives when a finalized invoice is changed. */
export function mustBeDraft(invoice: StoredInvoice): void {
  if (invoice.status !== 'draft') {
    throw refused(
      "This invoice is no longer editable: it has been finalized. Amounts and lines can't be changed.",
      'invoice_not_editable',
      'invoice',
    );
  }
}

export function linesOf(call: Pick<Call, 'journal'>, invoice: string): Line[] {
  return call.journal.get<Line[]>('line', invoice) ?? [];
}

export function totalOf(lines: readonly Line[]): number {
  return lines.reduce((sum, line) => sum + line.amount, 0);
}

/** What `expand` may name on an invoice; anything else cannot be expanded. */
const EXPANDABLE = new Set(['payments', 'customer', 'payments.data.payment.payment_intent', 'default_payment_method']);

/** The invoice as Stripe answers it: the first ten lines inline, payments only when expanded. */
export function shownInvoice(call: Pick<Call, 'journal'>, invoice: StoredInvoice, expand: readonly string[] = []) {
  for (const path of expand) {
    if (!EXPANDABLE.has(path)) throw refused(`This property cannot be expanded (${path}).`, undefined, 'expand');
  }
  const lines = linesOf(call, invoice.id);
  const total = totalOf(lines);
  const { days_until_due: _notShown, ...rest } = invoice;
  return {
    ...rest,
    customer: expand.includes('customer') ? call.journal.get('customer', invoice.customer) : invoice.customer,
    subtotal: total,
    total,
    total_excluding_tax: total,
    subtotal_excluding_tax: total,
    ...(invoice.status === 'draft' ? { amount_due: Math.max(0, total), amount_remaining: Math.max(0, total) } : {}),
    hosted_invoice_url: invoice.status === 'draft' ? null : `https://stripe-double.invalid/${invoice.id}`,
    invoice_pdf: invoice.status === 'draft' ? null : `https://pay.stripe.com/invoice/local/${invoice.id}/pdf`,
    total_taxes: [],
    total_discount_amounts: [],
    discounts: [],
    parent: null,
    next_payment_attempt: null,
    lines: {
      object: 'list',
      url: `/v1/invoices/${invoice.id}/lines`,
      has_more: lines.length > 10,
      total_count: lines.length,
      data: lines.slice(0, 10),
    },
    ...(expand.some((path) => path.startsWith('payments')) ? { payments: paymentsOf(call, invoice.id, expand) } : {}),
  };
}

function paymentsOf(call: Pick<Call, 'journal'>, invoice: string, expand: readonly string[]) {
  const found = call.journal.all<InvoicePayment>('invoice_payment', (one) => one.invoice === invoice);
  const deep = expand.includes('payments.data.payment.payment_intent');
  const data = found.map((one) =>
    deep
      ? {
          ...one,
          payment: { ...one.payment, payment_intent: call.journal.get('payment_intent', one.payment.payment_intent) },
        }
      : one,
  );
  return { object: 'list', url: '/v1/invoice_payments', has_more: false, data };
}

export function expandOf(call: Pick<Call, 'params'>): string[] {
  const given = call.params.expand;
  return Array.isArray(given) ? (given as string[]) : [];
}

/** Keeps the invoice, tells the world, and answers it as the caller asked. */
export function saved(call: Call, invoice: StoredInvoice, ...events: string[]) {
  call.journal.put('invoice', invoice.id, invoice);
  for (const event of events) call.emit(event, shownInvoice(call, invoice));
  return shownInvoice(call, invoice, expandOf(call));
}
