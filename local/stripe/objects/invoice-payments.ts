import { type Call, textOf } from '../call.ts';
import { clearable, flag, list, type ParamFields, text } from '../params.ts';
import { checkAmount } from '../stripe-currencies.ts';
import { missing, refused, StripeFault } from '../stripe-fault.ts';
import { readCustomer } from './customer-record.ts';
import { type InvoicePayment, readInvoice, type StoredInvoice, saved } from './invoice.ts';
import { finalized } from './invoice-transitions.ts';
import { type PaymentMethod, readMethod, shown } from './payment-methods.ts';

export const PAY: ParamFields = {
  expand: list(text(), 20),
  forgive: flag,
  mandate: clearable(),
  off_session: flag,
  paid_out_of_band: flag,
  payment_method: text(),
};
export const INTENT_RETRIEVE: ParamFields = { expand: list(text(), 20) };

interface PaymentIntent {
  id: string;
  object: 'payment_intent';
  amount: number;
  amount_received: number;
  currency: string;
  created: number;
  livemode: false;
  customer: string;
  status: 'succeeded' | 'requires_payment_method';
  payment_method: string | null;
  last_payment_error: { type: 'card_error'; code: string; decline_code: string; message: string } | null;
  metadata: Record<string, string>;
}

export function payInvoice(call: Call) {
  const before = readInvoice(call);
  const { invoice, events } = before.status === 'draft' ? finalized(call, before) : { invoice: before, events: [] };
  if (before.status === 'draft') saved(call, invoice, ...events);
  if (invoice.status === 'paid') {
    if (before.status === 'draft') return saved(call, invoice);
    throw refused('Invoice is already paid');
  }
  if (invoice.status === 'void') throw refused('This invoice has been voided and can no longer be paid.');
  if (call.params.paid_out_of_band === true) return settled(call, invoice, 'off_stripe');
  const method = methodFor(call, invoice);
  checkAmount(invoice.amount_remaining, invoice.currency);
  const intent = attempt(call, invoice, method);
  if (method.declines === null) return settled(call, invoice, 'charged');
  const failed: StoredInvoice = { ...invoice, attempt_count: invoice.attempt_count + 1, attempted: true };
  saved(call, failed, 'invoice.updated', 'invoice.payment_failed');
  throw new StripeFault(
    402,
    {
      type: 'card_error',
      code: 'card_declined',
      decline_code: method.declines,
      message: intent.last_payment_error?.message ?? 'Your card was declined.',
      payment_intent: intent,
      payment_method: shown(method),
    },
    { keepEffects: true },
  );
}

export function retrieveIntent(call: Call): PaymentIntent {
  const found = call.journal.get<PaymentIntent>('payment_intent', call.path.id ?? '');
  if (!found) throw missing('payment_intent', call.path.id ?? '', 'intent');
  return found;
}

function settled(call: Call, invoice: StoredInvoice, how: 'charged' | 'off_stripe') {
  const paid: StoredInvoice = {
    ...invoice,
    status: 'paid',
    amount_paid: invoice.amount_due,
    amount_paid_off_stripe: how === 'off_stripe' ? invoice.amount_due : 0,
    amount_remaining: 0,
    attempt_count: how === 'charged' ? invoice.attempt_count + 1 : invoice.attempt_count,
    attempted: true,
    status_transitions: { ...invoice.status_transitions, paid_at: call.now },
  };
  return saved(call, paid, 'invoice.updated', 'invoice.paid', 'invoice.payment_succeeded');
}

function methodFor(call: Call, invoice: StoredInvoice): PaymentMethod {
  const given = textOf(call.params, 'payment_method');
  const customer = readCustomer(call, invoice.customer, 'customer');
  const id = given ?? invoice.default_payment_method ?? customer.invoice_settings.default_payment_method;
  if (id === null) {
    throw refused(
      'This customer has no attached payment source or default payment method. Please consider adding a default payment method.',
      'resource_missing',
      'payment_method',
    );
  }
  const method = readMethod(call, id);
  if (method.customer !== customer.id)
    throw refused('The payment method belongs to another customer.', undefined, 'payment_method');
  return method;
}

/** One charge of what remains, on the invoice's payment intent. */
function attempt(call: Call, invoice: StoredInvoice, method: PaymentMethod): PaymentIntent {
  const isPaid = method.declines === null;
  const [before] = call.journal.all<InvoicePayment>('invoice_payment', (one) => one.invoice === invoice.id);
  const amount = invoice.amount_remaining;
  const reason =
    method.declines === 'insufficient_funds' ? 'Your card has insufficient funds.' : 'Your card was declined.';
  const intent: PaymentIntent = {
    id: before?.payment.payment_intent ?? call.newId('pi'),
    object: 'payment_intent',
    amount,
    amount_received: isPaid ? amount : 0,
    currency: invoice.currency,
    created: call.now,
    livemode: false,
    customer: invoice.customer,
    status: isPaid ? 'succeeded' : 'requires_payment_method',
    payment_method: isPaid ? method.id : null,
    last_payment_error:
      method.declines === null
        ? null
        : { type: 'card_error', code: 'card_declined', decline_code: method.declines, message: reason },
    metadata: {},
  };
  const payment: InvoicePayment = {
    id: before?.id ?? call.newId('inpay'),
    object: 'invoice_payment',
    invoice: invoice.id,
    created: before?.created ?? call.now,
    currency: invoice.currency,
    livemode: false,
    is_default: true,
    status: isPaid ? 'paid' : 'open',
    amount_requested: amount,
    amount_paid: isPaid ? amount : null,
    payment: { type: 'payment_intent', payment_intent: intent.id },
    status_transitions: { paid_at: isPaid ? call.now : null, canceled_at: null },
  };
  call.journal.put('payment_intent', intent.id, intent);
  call.journal.put('invoice_payment', payment.id, payment);
  call.emit(isPaid ? 'payment_intent.succeeded' : 'payment_intent.payment_failed', intent);
  if (isPaid) call.emit('invoice_payment.paid', payment);
  return intent;
}
