import type { Call, Metadata } from '../call.ts';
import { missing } from '../stripe-fault.ts';

export interface Customer {
  id: string;
  object: 'customer';
  created: number;
  livemode: false;
  name: string | null;
  email: string | null;
  description: string | null;
  phone: string | null;
  address: unknown;
  shipping: null;
  currency: string | null;
  balance: number;
  /** What the customer owes (positive) or has to its credit (negative), by currency, in minor units. */
  invoice_credit_balance: Record<string, number>;
  invoice_settings: {
    default_payment_method: string | null;
    custom_fields: null;
    footer: null;
    rendering_options: null;
  };
  invoice_prefix: string;
  next_invoice_sequence: number;
  default_source: null;
  delinquent: boolean;
  discount: null;
  preferred_locales: [];
  tax_exempt: 'none';
  test_clock: null;
  metadata: Metadata;
  deleted?: boolean;
}

/** The customer named in a request; throws `resource_missing` when there is none. */
export function readCustomer(call: Pick<Call, 'journal'>, id: string, param = 'id'): Customer {
  const found = call.journal.get<Customer>('customer', id);
  if (!found || found.deleted) throw missing('customer', id, param);
  return found;
}

export function balanceOf(customer: Customer, currency: string): number {
  return customer.invoice_credit_balance[currency] ?? 0;
}

/** Sets the balance in one currency; `balance` mirrors the customer's own currency. */
export function withBalance(customer: Customer, currency: string, balance: number): Customer {
  const own = customer.currency ?? currency;
  return {
    ...customer,
    currency: own,
    balance: own === currency ? balance : customer.balance,
    invoice_credit_balance: { ...customer.invoice_credit_balance, [currency]: balance },
  };
}
