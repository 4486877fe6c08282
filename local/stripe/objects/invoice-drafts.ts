import { type Call, mergedMetadata, numberOf, textOf, textOr } from '../call.ts';
import { isInRange, PAGE_PARAMS, page } from '../paging.ts';
import { clearable, fields, flag, integer, list, metadata, oneOf, type ParamFields, range, text } from '../params.ts';
import { checkCurrency } from '../stripe-currencies.ts';
import { refused } from '../stripe-fault.ts';
import { balanceOf, readCustomer } from './customer-record.ts';
import { expandOf, mustBeDraft, readInvoice, type StoredInvoice, saved, shownInvoice } from './invoice.ts';

const EXPAND = list(text(), 20);
const SHARED: ParamFields = {
  auto_advance: flag,
  collection_method: oneOf('charge_automatically', 'send_invoice'),
  days_until_due: integer(0),
  due_date: integer(),
  default_payment_method: clearable(),
  description: clearable(1500),
  footer: clearable(5000),
  statement_descriptor: text(22),
  custom_fields: list(fields({ name: text(40), value: text(140) }), 4),
  metadata,
  number: clearable(26),
  expand: EXPAND,
};
export const INVOICE_CREATE: ParamFields = {
  ...SHARED,
  customer: text(),
  currency: text(3),
  pending_invoice_items_behavior: oneOf('exclude', 'include'),
};
export const INVOICE_UPDATE: ParamFields = SHARED;
export const INVOICE_RETRIEVE: ParamFields = { expand: EXPAND };
export const INVOICE_LIST: ParamFields = {
  ...PAGE_PARAMS,
  customer: text(),
  status: oneOf('draft', 'open', 'paid', 'uncollectible', 'void'),
  collection_method: oneOf('charge_automatically', 'send_invoice'),
  created: range,
  due_date: range,
  expand: EXPAND,
};
/** What may still change once an invoice is finalized. */
const EDITABLE_LATER = new Set(['metadata', 'auto_advance', 'expand', 'default_payment_method']);

export function createInvoice(call: Call) {
  const { params } = call;
  const customerId = textOf(params, 'customer');
  if (customerId === null) throw refused('Missing required param: customer.', 'parameter_missing', 'customer');
  const customer = readCustomer(call, customerId, 'customer');
  if (params.pending_invoice_items_behavior === 'include') {
    throw refused('The local double keeps no pending invoice items.', undefined, 'pending_invoice_items_behavior');
  }
  const currency = checkCurrency(textOf(params, 'currency') ?? customer.currency ?? 'usd');
  const blank: StoredInvoice = {
    id: call.newId('in'),
    object: 'invoice',
    created: call.now,
    livemode: false,
    status: 'draft',
    customer: customer.id,
    customer_email: customer.email,
    customer_name: customer.name,
    currency,
    number: null,
    auto_advance: false,
    collection_method: 'charge_automatically',
    days_until_due: null,
    due_date: null,
    default_payment_method: null,
    description: null,
    footer: null,
    statement_descriptor: null,
    custom_fields: null,
    metadata: {},
    amount_due: 0,
    amount_paid: 0,
    amount_paid_off_stripe: 0,
    amount_remaining: 0,
    amount_overpaid: 0,
    attempt_count: 0,
    attempted: false,
    starting_balance: balanceOf(customer, currency),
    ending_balance: null,
    status_transitions: { finalized_at: null, paid_at: null, voided_at: null, marked_uncollectible_at: null },
    effective_at: null,
    last_finalization_error: null,
    billing_reason: 'manual',
  };
  return saved(call, changed(call, blank), 'invoice.created');
}

export function updateInvoice(call: Call) {
  const invoice = readInvoice(call);
  const frozen = Object.keys(call.params).filter((name) => !EDITABLE_LATER.has(name));
  if (frozen.length > 0) mustBeDraft(invoice);
  return saved(call, changed(call, invoice), 'invoice.updated');
}

export function retrieveInvoice(call: Call) {
  return shownInvoice(call, readInvoice(call), expandOf(call));
}

export function listInvoices(call: Call) {
  const { customer, status, collection_method: method, created, due_date: due } = call.params;
  const expand = expandOf(call).map((path) => path.replace(/^data\./, ''));
  const found = call.journal.all<StoredInvoice>(
    'invoice',
    (one) =>
      (customer === undefined || one.customer === customer) &&
      (status === undefined || one.status === status) &&
      (method === undefined || one.collection_method === method) &&
      isInRange(one.created, created) &&
      (due === undefined || (one.due_date !== null && isInRange(one.due_date, due))),
  );
  const shown = page(found.reverse(), call.params, '/v1/invoices');
  return { ...shown, data: shown.data.map((one) => shownInvoice(call, one, expand)) };
}

export function deleteInvoice(call: Call) {
  const invoice = readInvoice(call);
  if (invoice.status !== 'draft') {
    throw refused(
      'You can only delete draft invoices. If this invoice is finalized, you can void it instead.',
      undefined,
      'invoice',
    );
  }
  call.emit('invoice.deleted', shownInvoice(call, invoice));
  call.journal.remove('invoice', invoice.id);
  call.journal.remove('line', invoice.id);
  return { id: invoice.id, object: 'invoice', deleted: true };
}

function changed(call: Call, before: StoredInvoice): StoredInvoice {
  const { params } = call;
  const after: StoredInvoice = {
    ...before,
    auto_advance: typeof params.auto_advance === 'boolean' ? params.auto_advance : before.auto_advance,
    collection_method: (textOf(params, 'collection_method') ??
      before.collection_method) as StoredInvoice['collection_method'],
    days_until_due: numberOf(params, 'days_until_due') ?? before.days_until_due,
    due_date: numberOf(params, 'due_date') ?? before.due_date,
    default_payment_method: textOr(params, 'default_payment_method', before.default_payment_method),
    description: textOr(params, 'description', before.description),
    footer: textOr(params, 'footer', before.footer),
    statement_descriptor: textOr(params, 'statement_descriptor', before.statement_descriptor),
    custom_fields: params.custom_fields ?? before.custom_fields,
    number: textOr(params, 'number', before.number),
    metadata: mergedMetadata(before.metadata, params.metadata),
  };
  if (after.auto_advance)
    throw refused(
      'The local double does not advance invoices on its own; pass auto_advance false.',
      undefined,
      'auto_advance',
    );
  checkDueDate(after, call.now);
  if (after.number !== null && after.number !== before.number) checkNumber(call, after);
  return after;
}

function checkDueDate(invoice: StoredInvoice, now: number): void {
  const given = Number(invoice.days_until_due !== null) + Number(invoice.due_date !== null);
  if (invoice.collection_method === 'charge_automatically' && given > 0) {
    throw refused(
      "You can only specify a due date if the invoice's `collection_method` is `send_invoice`.",
      undefined,
      'days_until_due',
    );
  }
  if (invoice.collection_method === 'send_invoice' && given !== 1) {
    throw refused(
      'If `collection_method` is `send_invoice` you must specify exactly one of `due_date` or `days_until_due`.',
      undefined,
      'days_until_due',
    );
  }
  if (invoice.status === 'draft' && invoice.due_date !== null && invoice.due_date <= now) {
    throw refused('The due date must be in the future.', undefined, 'due_date');
  }
}

export function checkNumber(call: Pick<Call, 'journal'>, invoice: StoredInvoice): void {
  const taken = call.journal.all<StoredInvoice>(
    'invoice',
    (one) => one.number === invoice.number && one.id !== invoice.id,
  );
  if (taken.length > 0) throw refused(`The invoice number ${invoice.number} is already in use.`, undefined, 'number');
}
