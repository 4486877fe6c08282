import { type Call, mergedMetadata, textOf, textOr } from '../call.ts';
import { isInRange, PAGE_PARAMS, page } from '../paging.ts';
import { clearable, fields, flag, integer, metadata, type ParamFields, type Params, range, text } from '../params.ts';
import { missing, refused } from '../stripe-fault.ts';
import { type Customer, readCustomer, withBalance } from './customer-record.ts';
import { attachPaymentMethod, type PaymentMethod } from './payment-methods.ts';

const ADDRESS = fields({
  city: clearable(),
  country: clearable(),
  line1: clearable(),
  line2: clearable(),
  postal_code: clearable(),
  state: clearable(),
});
const SHARED: ParamFields = {
  name: clearable(256),
  email: clearable(512),
  description: clearable(),
  phone: clearable(20),
  address: ADDRESS,
  metadata,
  balance: integer(),
  invoice_prefix: text(12),
  next_invoice_sequence: integer(1),
  invoice_settings: fields({ default_payment_method: clearable(), footer: clearable() }),
};
export const CUSTOMER_CREATE: ParamFields = { ...SHARED, payment_method: text() };
export const CUSTOMER_UPDATE: ParamFields = { ...SHARED, validate: flag };
export const CUSTOMER_LIST: ParamFields = { ...PAGE_PARAMS, email: text(512), created: range };

export function createCustomer(call: Call): Customer {
  const id = call.newId('cus');
  const blank: Customer = {
    id,
    object: 'customer',
    created: call.now,
    livemode: false,
    name: null,
    email: null,
    description: null,
    phone: null,
    address: null,
    shipping: null,
    currency: null,
    balance: 0,
    invoice_credit_balance: {},
    invoice_settings: { default_payment_method: null, custom_fields: null, footer: null, rendering_options: null },
    invoice_prefix: `L${id.slice(-7)}`,
    next_invoice_sequence: 1,
    default_source: null,
    delinquent: false,
    discount: null,
    preferred_locales: [],
    tax_exempt: 'none',
    test_clock: null,
    metadata: {},
  };
  call.journal.put('customer', id, blank);
  const customer = changed(blank, call);
  call.journal.put('customer', id, customer);
  call.emit('customer.created', customer);
  return customer;
}

export function updateCustomer(call: Call): Customer {
  const customer = changed(readCustomer(call, call.path.id ?? ''), call);
  call.journal.put('customer', customer.id, customer);
  call.emit('customer.updated', customer);
  return customer;
}

export function retrieveCustomer(call: Call): Customer | { id: string; object: 'customer'; deleted: true } {
  const found = call.journal.get<Customer>('customer', call.path.id ?? '');
  if (!found) throw missing('customer', call.path.id ?? '');
  return found.deleted ? { id: found.id, object: 'customer', deleted: true } : found;
}

export function deleteCustomer(call: Call) {
  const customer = readCustomer(call, call.path.id ?? '');
  call.journal.put('customer', customer.id, { ...customer, deleted: true });
  call.emit('customer.deleted', customer);
  return { id: customer.id, object: 'customer', deleted: true };
}

export function listCustomers(call: Call) {
  const { email, created } = call.params;
  const found = call.journal.all<Customer>(
    'customer',
    (one) => !one.deleted && (email === undefined || one.email === email) && isInRange(one.created, created),
  );
  return page(found.reverse(), call.params, '/v1/customers');
}

function changed(before: Customer, call: Call): Customer {
  const { params } = call;
  const after: Customer = {
    ...before,
    name: textOr(params, 'name', before.name),
    email: textOr(params, 'email', before.email),
    description: textOr(params, 'description', before.description),
    phone: textOr(params, 'phone', before.phone),
    address: params.address === undefined ? before.address : params.address,
    metadata: mergedMetadata(before.metadata, params.metadata),
    invoice_prefix: textOf(params, 'invoice_prefix') ?? before.invoice_prefix,
  };
  const attached = textOf(params, 'payment_method');
  const method = attached === null ? null : attachPaymentMethod(call, attached, after.id);
  const settings = params.invoice_settings as Params | undefined | null;
  const given = settings ? settings.default_payment_method : undefined;
  const wanted = given === undefined ? before.invoice_settings.default_payment_method : (given as string | null);
  const chosen = wanted !== null && wanted === attached && method ? method.id : wanted;
  if (chosen !== null && chosen !== before.invoice_settings.default_payment_method) ownMethod(call, chosen, after.id);
  const settled = { ...after, invoice_settings: { ...after.invoice_settings, default_payment_method: chosen } };
  const balance = params.balance;
  return typeof balance === 'number' ? withBalance(settled, settled.currency ?? 'usd', balance) : settled;
}

function ownMethod(call: Call, id: string, customer: string): void {
  const found = call.journal.get<PaymentMethod>('payment_method', id);
  if (!found) throw missing('payment_method', id, 'invoice_settings[default_payment_method]');
  if (found.customer !== customer) {
    throw refused(
      `The customer does not have a payment method with the ID ${id}. The payment method must be attached to the customer.`,
      'resource_missing',
      'invoice_settings[default_payment_method]',
    );
  }
}
