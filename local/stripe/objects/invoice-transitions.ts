import type { Call } from '../call.ts';
import { flag, list, type ParamFields, text } from '../params.ts';
import { checkAmount, LARGEST_AMOUNT, minimumCharge } from '../stripe-currencies.ts';
import { refused } from '../stripe-fault.ts';
import { balanceOf, readCustomer, withBalance } from './customer-record.ts';
import { linesOf, readInvoice, type StoredInvoice, saved, totalOf } from './invoice.ts';

export const FINALIZE: ParamFields = { auto_advance: flag, expand: list(text(), 20) };
export const TRANSITION: ParamFields = { expand: list(text(), 20) };
const DAY_SECONDS = 86_400;

export function finalizeInvoice(call: Call) {
  const { invoice, events } = finalized(call, readInvoice(call));
  return saved(call, invoice, ...events);
}

/**
 * draft -> open, or straight to paid when nothing is due: the customer's balance is applied first, and an amount below the
 * minimum charge moves to that balance and the invoice counts as paid although no money came.
 */
export function finalized(call: Call, draft: StoredInvoice): { invoice: StoredInvoice; events: string[] } {
  if (draft.status !== 'draft') {
    throw refused("This invoice is already finalized, you can't re-finalize a non-draft invoice.");
  }
  const lines = linesOf(call, draft.id);
  if (lines.length === 0) throw refused('Nothing to invoice for customer.', 'invoice_no_customer_line_items');
  const customer = readCustomer(call, draft.customer, 'customer');
  const starting = balanceOf(customer, draft.currency);
  const owed = totalOf(lines) + starting;
  const isCharged = owed > 0 && owed >= minimumCharge(draft.currency);
  const due = isCharged ? owed : 0;
  if (due > LARGEST_AMOUNT) throw refused('Amount must be no more than 99999999.', 'amount_too_large', 'amount');
  checkAmount(due, draft.currency);
  const ending = owed - due;
  const next = customer.next_invoice_sequence;
  const numbered = draft.number === null ? next + 1 : next;
  call.journal.put('customer', customer.id, {
    ...withBalance(customer, draft.currency, ending),
    next_invoice_sequence: numbered,
  });
  const invoice: StoredInvoice = {
    ...draft,
    status: isCharged ? 'open' : 'paid',
    number: draft.number ?? `${customer.invoice_prefix}-${String(next).padStart(4, '0')}`,
    due_date: draft.due_date ?? (draft.days_until_due === null ? null : call.now + draft.days_until_due * DAY_SECONDS),
    effective_at: call.now,
    amount_due: due,
    amount_remaining: due,
    starting_balance: starting,
    ending_balance: ending,
    attempted: !isCharged,
    status_transitions: {
      ...draft.status_transitions,
      finalized_at: call.now,
      paid_at: isCharged ? null : call.now,
    },
  };
  const paid = isCharged ? [] : ['invoice.paid', 'invoice.payment_succeeded'];
  return { invoice, events: ['invoice.updated', 'invoice.finalized', ...paid] };
}

export function voidInvoice(call: Call) {
  const invoice = readInvoice(call);
  if (invoice.status !== 'open' && invoice.status !== 'uncollectible') {
    throw refused(`You can only void open or uncollectible invoices; this invoice is ${invoice.status}.`);
  }
  const transitions = { ...invoice.status_transitions, voided_at: call.now };
  return saved(
    call,
    { ...invoice, status: 'void', status_transitions: transitions },
    'invoice.updated',
    'invoice.voided',
  );
}

export function markUncollectible(call: Call) {
  const invoice = readInvoice(call);
  if (invoice.status !== 'open') {
    throw refused(`You can only mark open invoices as uncollectible; this invoice is ${invoice.status}.`);
  }
  const transitions = { ...invoice.status_transitions, marked_uncollectible_at: call.now };
  return saved(
    call,
    { ...invoice, status: 'uncollectible', status_transitions: transitions },
    'invoice.updated',
    'invoice.marked_uncollectible',
  );
}

export function sendInvoice(call: Call) {
  const before = readInvoice(call);
  if (before.collection_method !== 'send_invoice') {
    throw refused('You can only manually send an invoice whose collection method is `send_invoice`.');
  }
  const { invoice, events } = before.status === 'draft' ? finalized(call, before) : { invoice: before, events: [] };
  return saved(call, invoice, ...events, 'invoice.sent');
}
