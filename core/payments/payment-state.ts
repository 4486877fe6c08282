import { invoicePaid, paymentFailed } from '../events/invoice-events.ts';
import type { ProductEvent } from '../events/product-event.ts';
import type { InvoiceStatus } from '../invoicing/invoice.ts';
import type { Instant } from '../time/instant.ts';
import type { PaymentRecord, ProviderStatus } from './payment-record.ts';
import { EMPTY_PAYMENT } from './payment-record.ts';
import type { ProviderInvoice, StoredPayment } from './ports.ts';

/** How far a state is; states of one rank exclude each other, and none is left for a lower one. */
const RANK: Readonly<Record<InvoiceStatus, number>> = { draft: 0, issued: 1, uncollectible: 2, paid: 3, void: 3 };

const STATUS_OF: Readonly<Record<ProviderStatus, InvoiceStatus>> = {
  draft: 'issued',
  open: 'issued',
  uncollectible: 'uncollectible',
  paid: 'paid',
  void: 'void',
};

export interface AdvancedPayment {
  readonly status: InvoiceStatus;
  readonly payment: PaymentRecord;
  readonly events: readonly ProductEvent[];
}

/**
 * Our invoice after the provider's was seen: forward only, so an older view of a newer state changes nothing (null). A state
 * reached for the first time tells the world, once: `InvoicePaid`, and `PaymentFailed` per failed attempt.
 */
export function advancePayment(stored: StoredPayment, seen: ProviderInvoice, at: Instant): AdvancedPayment | null {
  const { invoice } = stored;
  const before = stored.payment ?? EMPTY_PAYMENT;
  const status = STATUS_OF[seen.status];
  if (RANK[status] < RANK[invoice.status]) return null;
  if (RANK[status] === RANK[invoice.status] && status !== invoice.status) return null;
  const isOpen = seen.status === 'open' || seen.status === 'uncollectible';
  const failedAttempts =
    isOpen && !seen.isProcessing ? Math.max(before.failedAttempts, seen.attemptCount) : before.failedAttempts;
  const hasFailed = failedAttempts > before.failedAttempts;
  const isNewlyPaid = status === 'paid' && invoice.status !== 'paid';
  const payment: PaymentRecord = {
    ...before,
    providerCustomer: seen.providerCustomer,
    providerInvoice: seen.id,
    status: laterStatus(before.status, seen.status),
    amounts: amountsOf(seen),
    failedAttempts,
    lastFailure: hasFailed ? { code: seen.failureCode ?? 'unknown', at } : before.lastFailure,
    isPayPending: isOpen ? before.isPayPending : false,
    hostedUrl: seen.hostedUrl ?? before.hostedUrl,
    paidAt: status === 'paid' ? (before.paidAt ?? seen.paidAt ?? at) : before.paidAt,
  };
  const events = [
    ...(isNewlyPaid ? [paidEvent(stored, payment, seen, at)] : []),
    ...(hasFailed ? [failedEvent(stored, payment, seen, at)] : []),
  ];
  return { status, payment, events };
}

/** Whether a change is worth a write on its own: a state reached or a failure told. */
export function isMaterial(stored: StoredPayment, next: AdvancedPayment): boolean {
  return next.status !== stored.invoice.status || next.events.length > 0;
}

function laterStatus(before: ProviderStatus | null, seen: ProviderStatus): ProviderStatus {
  return before === 'open' && seen === 'draft' ? before : seen;
}

function amountsOf(seen: ProviderInvoice): PaymentRecord['amounts'] {
  if (seen.status === 'draft') return null;
  return {
    due: String(seen.dueMinor),
    received: String(seen.receivedMinor),
    outOfBand: String(seen.outOfBandMinor),
    toBalance: String(seen.totalMinor - seen.dueMinor),
  };
}

function paidEvent(stored: StoredPayment, payment: PaymentRecord, seen: ProviderInvoice, at: Instant): ProductEvent {
  return invoicePaid(stored.invoice, {
    receivedMinor: seen.receivedMinor + seen.outOfBandMinor,
    toBalanceMinor: seen.totalMinor - seen.dueMinor,
    providerInvoice: seen.id,
    paidAt: payment.paidAt ?? at,
    at,
  });
}

function failedEvent(stored: StoredPayment, payment: PaymentRecord, seen: ProviderInvoice, at: Instant): ProductEvent {
  return paymentFailed(stored.invoice, {
    attempt: payment.failedAttempts,
    reason: payment.lastFailure?.code ?? 'unknown',
    dueMinor: seen.dueMinor,
    providerInvoice: seen.id,
    at,
  });
}
