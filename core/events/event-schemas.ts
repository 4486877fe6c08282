import * as z from 'zod';

/**
 * What the rest of the company hears about, in the words of the wire (snake_case, amounts as decimal strings in major units
 * beside a currency). These schemas are the contract: docs/events.md is written from them and the constructors are held to
 * them. A member may be added within version 1; nothing is ever renamed or removed.
 */
const instant = z.iso.datetime();
const amount = z.string().regex(/^-?\d+(\.\d+)?$/);
const currency = z.string().regex(/^[A-Z]{3}$/);

export const usageRecordedSchema = z.strictObject({
  /** Where in the usage log the events are: with the project these two name the chunk for ever. */
  partition: z.string(),
  sequence: z.int().min(1),
  /** Events stored by this chunk; duplicates are not among them. */
  events: z.int().min(0),
  /** External ids of the customers in the chunk, in order: at most 100, and at most 20 KB of them. The counts tell the rest. */
  customers: z.array(z.string()).max(100),
  customers_total: z.int().min(0),
  customers_not_listed: z.int().min(0),
  /** When the usage happened: earliest and latest of the chunk, null when it stored no event. */
  occurred_from: instant.nullable(),
  occurred_to: instant.nullable(),
});

export const invoiceIssuedSchema = z.strictObject({
  invoice_id: z.string(),
  number: z.string(),
  customer: z.string(),
  period: z.string(),
  currency,
  total: amount,
  issued_at: instant,
  due_at: instant,
  billing_run_id: z.string(),
});

export const invoicePaidSchema = z.strictObject({
  invoice_id: z.string(),
  number: z.string(),
  customer: z.string(),
  currency,
  total: amount,
  /** Money that arrived; less than the total when the provider moved a small amount to the customer's balance. */
  amount_paid: amount,
  amount_to_balance: amount,
  /** `none` for an invoice of zero, which is paid by being issued. */
  provider: z.enum(['none', 'stripe']),
  provider_invoice_id: z.string().nullable(),
  paid_at: instant,
});

export const paymentFailedSchema = z.strictObject({
  invoice_id: z.string(),
  number: z.string(),
  customer: z.string(),
  currency,
  amount_due: amount,
  /** The provider's count of attempts, from 1. */
  attempt: z.int().min(0),
  /** The provider's code, such as `card_declined`; null when it gave none. */
  reason: z.string().nullable(),
  provider: z.enum(['stripe']),
  provider_invoice_id: z.string(),
});

export const billingRunFinishedSchema = z.strictObject({
  billing_run_id: z.string(),
  status: z.enum(['finished', 'failed']),
  as_of: instant,
  through: z.string().nullable(),
  accounts: z.int().min(0),
  invoices_planned: z.int().min(0),
  invoices_issued: z.int().min(0),
  failures: z.int().min(0),
  not_processed: z.int().min(0),
  totals: z.array(z.strictObject({ currency, total: amount, invoices: z.int().min(0) })),
});

export const eventDataSchemas = {
  UsageRecorded: usageRecordedSchema,
  InvoiceIssued: invoiceIssuedSchema,
  InvoicePaid: invoicePaidSchema,
  PaymentFailed: paymentFailedSchema,
  BillingRunFinished: billingRunFinishedSchema,
} as const;

export type EventType = keyof typeof eventDataSchemas;
export type EventData<T extends EventType> = z.infer<(typeof eventDataSchemas)[T]>;

/** The envelope as it stands in the `detail` of an EventBridge event; `detail-type` repeats `type`. */
export const eventEnvelopeSchema = z.strictObject({
  id: z.string(),
  version: z.literal(1),
  project: z.string(),
  occurred_at: instant,
  type: z.enum(['UsageRecorded', 'InvoiceIssued', 'InvoicePaid', 'PaymentFailed', 'BillingRunFinished']),
  data: z.record(z.string(), z.unknown()),
});
