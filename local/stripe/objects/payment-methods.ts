import type { Call } from '../call.ts';
import { PAGE_PARAMS, page } from '../paging.ts';
import { type ParamFields, text } from '../params.ts';
import { missing, refused } from '../stripe-fault.ts';
import { type Customer, readCustomer } from './customer-record.ts';

export interface PaymentMethod {
  id: string;
  object: 'payment_method';
  type: 'card';
  created: number;
  livemode: false;
  customer: string | null;
  card: { brand: string; last4: string; exp_month: number; exp_year: number; funding: 'credit'; country: 'US' };
  /** What a charge does: null pays, else the decline code. Not shown to callers. */
  declines: string | null;
  metadata: Record<string, string>;
}

/** Stripe's test payment methods; attaching one makes a payment method of the customer's own. */
const TEST_METHODS: Readonly<Record<string, { brand: string; last4: string; declines: string | null }>> = {
  pm_card_visa: { brand: 'visa', last4: '4242', declines: null },
  pm_card_mastercard: { brand: 'mastercard', last4: '4444', declines: null },
  pm_card_chargeDeclined: { brand: 'visa', last4: '0002', declines: 'generic_decline' },
  pm_card_chargeCustomerFail: { brand: 'visa', last4: '0341', declines: 'generic_decline' },
  pm_card_chargeDeclinedInsufficientFunds: { brand: 'visa', last4: '9995', declines: 'insufficient_funds' },
};

export const METHOD_ATTACH: ParamFields = { customer: text() };
export const METHOD_LIST: ParamFields = { ...PAGE_PARAMS, customer: text(), type: text() };

export function attachMethod(call: Call) {
  const customer = readCustomer(call, String(call.params.customer ?? ''), 'customer');
  return shown(attachPaymentMethod(call, call.path.id ?? '', customer.id));
}

export function detachMethod(call: Call) {
  const method = readMethod(call, call.path.id ?? '');
  if (method.customer === null) throw refused('The payment method is not attached to a customer.');
  const customer = readCustomer(call, method.customer);
  if (customer.invoice_settings.default_payment_method === method.id) {
    const settings = { ...customer.invoice_settings, default_payment_method: null };
    call.journal.put('customer', customer.id, { ...customer, invoice_settings: settings } satisfies Customer);
  }
  const detached = { ...method, customer: null };
  call.journal.put('payment_method', method.id, detached);
  call.emit('payment_method.detached', shown(detached));
  return shown(detached);
}

export function retrieveMethod(call: Call) {
  return shown(readMethod(call, call.path.id ?? ''));
}

export function listMethods(call: Call) {
  const { customer } = call.params;
  const found = call.journal.all<PaymentMethod>('payment_method', (one) => one.customer === customer);
  return page(found.reverse().map(shown), call.params, '/v1/payment_methods');
}

/** Attaches a test method (as a new payment method) or an unattached one to a customer. */
export function attachPaymentMethod(call: Call, id: string, customer: string): PaymentMethod {
  const test = TEST_METHODS[id];
  const method: PaymentMethod = test
    ? {
        id: call.newId('pm'),
        object: 'payment_method',
        type: 'card',
        created: call.now,
        livemode: false,
        customer,
        card: { brand: test.brand, last4: test.last4, exp_month: 12, exp_year: 2099, funding: 'credit', country: 'US' },
        declines: test.declines,
        metadata: {},
      }
    : { ...readMethod(call, id), customer };
  const before = test ? null : readMethod(call, id).customer;
  if (before !== null && before !== customer) {
    throw refused('The payment method you provided has already been attached to a customer.');
  }
  call.journal.put('payment_method', method.id, method);
  call.emit('payment_method.attached', shown(method));
  return method;
}

export function readMethod(call: Pick<Call, 'journal'>, id: string, param = 'payment_method'): PaymentMethod {
  const found = call.journal.get<PaymentMethod>('payment_method', id);
  if (!found) throw missing('PaymentMethod', id, param);
  return found;
}

export function shown({ declines: _hidden, ...method }: PaymentMethod) {
  return method;
}
