import type { Customer } from '../accounts/customer.ts';
import type { ProductEvent } from '../events/product-event.ts';
import type { CustomerId, InvoiceId, ProjectId } from '../ids.ts';
import type { Invoice, InvoiceStatus } from '../invoicing/invoice.ts';
import type { Instant } from '../time/instant.ts';
import type { Collection, PaymentRecord, ProviderStatus } from './payment-record.ts';

/** An invoice as the provider has it now. Amounts in minor units of our currency table. */
export interface ProviderInvoice {
  readonly id: string;
  readonly providerCustomer: string;
  /** The project and invoice it was made for, from its metadata; null when it is not ours. */
  readonly project: string | null;
  readonly invoice: string | null;
  readonly status: ProviderStatus;
  readonly hasLines: boolean;
  readonly totalMinor: bigint;
  readonly dueMinor: bigint;
  readonly receivedMinor: bigint;
  readonly outOfBandMinor: bigint;
  /** Charges tried so far, by whomever. */
  readonly attemptCount: number;
  /** A charge was made and its end is still open (a bank debit). */
  readonly isProcessing: boolean;
  /** Why the last charge failed; null when none did or none is known. */
  readonly failureCode: string | null;
  readonly hostedUrl: string | null;
  readonly paidAt: Instant | null;
}

export interface ProviderCustomer {
  readonly id: string;
  readonly hasPaymentMethod: boolean;
}

export interface NewProviderInvoice {
  readonly invoice: Invoice;
  readonly providerCustomer: string;
  readonly collection: Collection;
}

export type PayResult =
  | { readonly result: 'accepted'; readonly seen: ProviderInvoice }
  /** The charge was refused; `code` is the provider's, such as `insufficient_funds`. */
  | { readonly result: 'declined'; readonly code: string };

/**
 * The payment provider of one project. Failures are `BillingError` of kind `provider`; `retryable` says whether the same call
 * may succeed later, and `context.isReplayed` that the provider remembers the failure under this key and will repeat it.
 * `key`: idempotency key, the same for the same intent, at most 255 characters.
 */
export interface PaymentProvider {
  readCustomer(id: string): Promise<ProviderCustomer | null>;
  /** Looks for the customer by our ids in its metadata among those made at `since` or later. */
  findCustomer(project: ProjectId, customer: Customer, since: Instant): Promise<ProviderCustomer | null>;
  createCustomer(project: ProjectId, customer: Customer, key: string): Promise<ProviderCustomer>;
  /** Brings name and e-mail up to date. */
  updateCustomer(id: string, customer: Customer): Promise<void>;
  /** Looks for the invoice by our ids in its metadata among those of the customer. */
  findInvoice(providerCustomer: string, invoice: Invoice): Promise<ProviderInvoice | null>;
  readInvoice(id: string): Promise<ProviderInvoice | null>;
  createInvoice(input: NewProviderInvoice, key: string): Promise<ProviderInvoice>;
  addLines(id: string, invoice: Invoice, key: string): Promise<ProviderInvoice>;
  finalizeInvoice(id: string, key: string): Promise<ProviderInvoice>;
  payInvoice(id: string, key: string): Promise<PayResult>;
}

export interface PaymentProviders {
  /** Throws `provider` or `not-ready` when the project has no usable account. */
  of(project: ProjectId): Promise<PaymentProvider>;
}

/** An invoice with its payment. `invoice.status` is the status that counts. */
export interface StoredPayment {
  readonly invoice: Invoice;
  readonly payment: PaymentRecord | null;
  /** Rises with every write of the item. */
  readonly version: number;
  /** Meter and dimension combinations with usage that the invoice does not bill: for the report of the run that pushes it. */
  readonly unbilledSlices?: number | undefined;
}

export interface PaymentChange {
  readonly stored: StoredPayment;
  readonly status: InvoiceStatus;
  readonly payment: PaymentRecord;
  readonly events: readonly ProductEvent[];
  /** The webhook whose effect this is; marked as processed in the same transaction. */
  readonly processed?: { readonly notice: WebhookNotice; readonly at: Instant };
}

export interface InvoicePayments {
  /** Strongly consistent. */
  find(project: ProjectId, invoice: InvoiceId): Promise<StoredPayment | null>;
  /** One transaction over the version that was read; `refused` when the item has changed since. */
  save(change: PaymentChange): Promise<'stored' | 'refused'>;
}

/** A customer's place at the provider; the attribute `payment` of the customer's item. */
export interface CustomerPayment {
  readonly providerCustomer: string | null;
  readonly createBegunAt: Instant | null;
  readonly generation: number;
  /** Fingerprint of the name and e-mail the provider has. */
  readonly synced: string | null;
}

export interface StoredCustomerPayment {
  readonly customer: Customer;
  readonly payment: CustomerPayment | null;
}

export interface CustomerPayments {
  find(project: ProjectId, customer: CustomerId): Promise<StoredCustomerPayment | null>;
  /** Writes over what was read; `refused` when another worker was first. */
  save(project: ProjectId, before: StoredCustomerPayment, after: CustomerPayment): Promise<'stored' | 'refused'>;
}

/** What is kept of a provider's webhook: which object to read again, and nothing of its snapshot. */
export interface WebhookNotice {
  readonly project: ProjectId;
  readonly provider: 'stripe';
  readonly event: string;
  readonly type: string;
  readonly createdAt: Instant;
  readonly object: { readonly id: string; readonly type: string };
}

export interface WebhookEvents {
  /** Keeps the notice unless it is there; answers where it stands. */
  receive(notice: WebhookNotice, at: Instant): Promise<'waiting' | 'processed'>;
  /** For a notice that changes nothing; one that does is marked by `InvoicePayments.save`. */
  markProcessed(notice: WebhookNotice, at: Instant, outcome: string): Promise<void>;
}
