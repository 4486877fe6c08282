import { type Call, mergedMetadata, numberOf, textOf } from '../call.ts';
import { PAGE_PARAMS, page } from '../paging.ts';
import { decimal, fields, flag, integer, list, metadata, type ParamFields, type Params, text } from '../params.ts';
import { checkAmount } from '../stripe-currencies.ts';
import { refused } from '../stripe-fault.ts';
import { type Line, linesOf, MAX_LINES, mustBeDraft, readInvoice, type StoredInvoice, saved } from './invoice.ts';

const LINE: ParamFields = {
  amount: integer(),
  description: text(5000),
  discountable: flag,
  metadata,
  period: fields({ start: integer(), end: integer() }),
  quantity: integer(0),
  quantity_decimal: decimal,
};
export const ADD_LINES: ParamFields = { lines: list(fields(LINE)), expand: list(text(), 20) };
export const LIST_LINES: ParamFields = PAGE_PARAMS;
export const ITEM_CREATE: ParamFields = { ...LINE, customer: text(), currency: text(3), invoice: text() };

export function addLines(call: Call) {
  const invoice = readInvoice(call);
  const given = (call.params.lines ?? []) as Params[];
  if (given.length === 0) throw refused('Missing required param: lines.', 'parameter_missing', 'lines');
  append(call, invoice, given);
  return saved(call, invoice, 'invoice.updated');
}

export function listLines(call: Call) {
  const invoice = readInvoice(call);
  return page(linesOf(call, invoice.id), call.params, `/v1/invoices/${invoice.id}/lines`);
}

/** One line through the older endpoint; the double wants the invoice named, because pending items get swept into any invoice. */
export function createInvoiceItem(call: Call) {
  const { params } = call;
  const id = textOf(params, 'invoice');
  if (id === null)
    throw refused('The local double takes invoice items only with an invoice.', 'parameter_missing', 'invoice');
  const invoice = readInvoice(call, id);
  if (params.customer !== undefined && params.customer !== invoice.customer) {
    throw refused('The customer of the item differs from the customer of the invoice.', undefined, 'customer');
  }
  if (params.currency !== undefined && String(params.currency).toLowerCase() !== invoice.currency) {
    throw refused(
      `The currency of the item must be the invoice's currency (${invoice.currency}).`,
      undefined,
      'currency',
    );
  }
  const [line] = append(call, invoice, [params]);
  if (line === undefined) throw refused('Missing required param: amount.', 'parameter_missing', 'amount');
  saved(call, invoice, 'invoice.updated');
  const { id: lineId, object: _object, ...rest } = line;
  const item = {
    ...rest,
    id: lineId.replace(/^il/, 'ii'),
    object: 'invoiceitem',
    customer: invoice.customer,
    date: call.now,
  };
  call.emit('invoiceitem.created', item);
  return item;
}

function append(call: Call, invoice: StoredInvoice, given: readonly Params[]): Line[] {
  mustBeDraft(invoice);
  const before = linesOf(call, invoice.id);
  if (before.length + given.length > MAX_LINES) {
    throw refused(
      `An invoice can have at most ${MAX_LINES} line items; this would make ${before.length + given.length}.`,
      undefined,
      'lines',
    );
  }
  const added = given.map((params, index) => lineOf(call, invoice, params, `lines[${index}]`));
  call.journal.put('line', invoice.id, [...before, ...added]);
  return added;
}

function lineOf(call: Call, invoice: StoredInvoice, params: Params, path: string): Line {
  const amount = numberOf(params, 'amount');
  if (amount === null) {
    throw refused(
      'You must specify one of `amount`, `pricing`, or `price_data`.',
      'parameter_missing',
      `${path}[amount]`,
    );
  }
  checkAmount(amount, invoice.currency, `${path}[amount]`);
  const period = (params.period ?? { start: call.now, end: call.now }) as { start: number; end: number };
  if (period.end < period.start) {
    throw refused('The period end must not be before its start.', undefined, `${path}[period]`);
  }
  const quantity = numberOf(params, 'quantity') ?? 1;
  return {
    id: call.newId('il'),
    object: 'line_item',
    amount,
    subtotal: amount,
    currency: invoice.currency,
    description: textOf(params, 'description'),
    discountable: params.discountable !== false,
    discount_amounts: [],
    discounts: [],
    invoice: invoice.id,
    livemode: false,
    metadata: mergedMetadata({}, params.metadata),
    parent: {
      type: 'invoice_item_details',
      invoice_item_details: {
        invoice_item: call.newId('ii'),
        proration: false,
        proration_details: null,
        subscription: null,
      },
      subscription_item_details: null,
    },
    period,
    pretax_credit_amounts: [],
    pricing: null,
    quantity,
    quantity_decimal: textOf(params, 'quantity_decimal') ?? String(quantity),
    subscription: null,
    taxes: [],
  };
}
