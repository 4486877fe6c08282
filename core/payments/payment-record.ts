import type { InvoiceStatus } from '../invoicing/invoice.ts';
import type { Instant } from '../time/instant.ts';

export type ProviderStatus = 'draft' | 'open' | 'uncollectible' | 'paid' | 'void';
/** Charge the customer's default payment method, or send the invoice and wait for the money. */
export type Collection = 'charge_automatically' | 'send_invoice';

/** What the provider says about money, in minor units of the invoice's currency, as decimal strings. */
export interface PaymentAmounts {
  readonly due: string;
  /** Money that arrived through the provider. */
  readonly received: string;
  /** Marked as paid by other means. */
  readonly outOfBand: string;
  /** Total less due: moved to the customer's balance, or covered by credit on it; below 0 when old debt was charged along. */
  readonly toBalance: string;
}

/** How far an invoice has come at the provider; the attribute `payment` of the invoice's item. */
export interface PaymentRecord {
  readonly provider: 'stripe';
  /** Part of every idempotency key; raised only after a read proved that a call under the old keys made nothing. */
  readonly generation: number;
  readonly providerCustomer: string | null;
  readonly collection: Collection | null;
  /** Written before the provider is asked to create: from then on a read comes before a repetition. */
  readonly createBegunAt: Instant | null;
  readonly providerInvoice: string | null;
  /** As last read; null before anything was finalized. */
  readonly status: ProviderStatus | null;
  readonly amounts: PaymentAmounts | null;
  /** Charges that we have begun. */
  readonly payAttempt: number;
  /** The last charge was begun and how it ended is not known. */
  readonly isPayPending: boolean;
  /** Charges known to have failed, ours and others (the customer's own tries). */
  readonly failedAttempts: number;
  readonly lastFailure: { readonly code: string; readonly at: Instant } | null;
  readonly hostedUrl: string | null;
  readonly paidAt: Instant | null;
}

export const EMPTY_PAYMENT: PaymentRecord = {
  provider: 'stripe',
  generation: 1,
  providerCustomer: null,
  collection: null,
  createBegunAt: null,
  providerInvoice: null,
  status: null,
  amounts: null,
  payAttempt: 0,
  isPayPending: false,
  failedAttempts: 0,
  lastFailure: null,
  hostedUrl: null,
  paidAt: null,
};

/** Whether pushing has nothing more to do: collected, given up, sent, or charged once with a known end. */
export function isPushed(status: InvoiceStatus, payment: PaymentRecord | null): boolean {
  if (status !== 'issued') return true;
  if (payment === null || payment.status !== 'open') return false;
  return payment.collection === 'send_invoice' || (payment.payAttempt > 0 && !payment.isPayPending);
}
