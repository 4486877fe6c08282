import type Stripe from 'stripe';
import { invariantBroken } from '../../core/errors.ts';
import type { ProjectId } from '../../core/ids.ts';
import { parseCurrency } from '../../core/money/currency.ts';
import type { ProviderStatus } from '../../core/payments/payment-record.ts';
import type { NewProviderInvoice, ProviderInvoice } from '../../core/payments/ports.ts';
import { instantFromMillis, millisOf } from '../../core/time/instant.ts';
import { minorOfStripe, notPayable, stripeAmountOf } from './currency-rules.ts';

/** Under which names our ids stand in Stripe's metadata: how a thing is found again whose id was lost on the way. */
export const META = {
  project: 'countinghouse_project',
  customer: 'countinghouse_customer',
  invoice: 'countinghouse_invoice',
  number: 'countinghouse_number',
  period: 'countinghouse_period',
  evidence: 'countinghouse_evidence',
} as const;

const MAX_NUMBER = 26;
const DAY_MS = 86_400_000;

/** The draft to create: everything follows from the frozen invoice, so that every try sends the same. */
export function invoiceToStripe({
  invoice,
  providerCustomer,
  collection,
}: NewProviderInvoice): Stripe.InvoiceCreateParams {
  if (stripeAmountOf(invoice.totalMinor, invoice.currency) === null)
    throw notPayable(invoice.totalMinor, invoice.currency);
  const { number } = invoice;
  return {
    customer: providerCustomer,
    currency: invoice.currency.toLowerCase(),
    auto_advance: false,
    pending_invoice_items_behavior: 'exclude',
    ...(collection === 'send_invoice'
      ? { collection_method: 'send_invoice', days_until_due: daysUntilDue(invoice) }
      : { collection_method: 'charge_automatically' }),
    // A number that is too long for Stripe stays in the metadata, and Stripe gives its own.
    ...(number !== null && number.length <= MAX_NUMBER ? { number } : {}),
    metadata: metadataOf(invoice),
  };
}

function metadataOf(invoice: NewProviderInvoice['invoice']): Record<string, string> {
  return {
    [META.project]: invoice.project,
    [META.invoice]: invoice.id,
    [META.number]: invoice.number ?? '-',
    [META.period]: invoice.period.key,
    [META.evidence]: invoice.evidence.sha256,
  };
}

/** Whole days from issue to due date, a begun day counting as one. */
function daysUntilDue({ id, issuedAt, dueAt }: NewProviderInvoice['invoice']): number {
  if (issuedAt === null || dueAt === null) {
    throw invariantBroken('invoice_not_issued', `Invoice ${id} has no issue or due date.`);
  }
  return Math.max(0, Math.ceil((millisOf(dueAt) - millisOf(issuedAt)) / DAY_MS));
}

/** What is expanded so that one read tells everything. */
export const INVOICE_EXPAND = ['payments.data.payment.payment_intent'];

/** Stripe's invoice in our words. Throws `provider` (`amount_unexpected`) and `invalid` (`currency_unknown`). */
export function invoiceFromStripe(invoice: Stripe.Invoice): ProviderInvoice {
  const currency = parseCurrency(invoice.currency.toUpperCase());
  const minor = (amount: number) => minorOfStripe(amount, currency);
  const outOfBand = minor(invoice.amount_paid_off_stripe ?? 0);
  const paid = minor(invoice.amount_paid);
  const paidAt = invoice.status_transitions.paid_at;
  return {
    id: invoice.id,
    providerCustomer: typeof invoice.customer === 'string' ? invoice.customer : (invoice.customer?.id ?? ''),
    project: invoice.metadata?.[META.project] ?? null,
    invoice: invoice.metadata?.[META.invoice] ?? null,
    status: statusOf(invoice),
    hasLines: invoice.lines.data.length > 0,
    totalMinor: minor(invoice.total),
    dueMinor: minor(invoice.amount_due),
    receivedMinor: paid > outOfBand ? paid - outOfBand : 0n,
    outOfBandMinor: outOfBand,
    attemptCount: invoice.attempt_count,
    ...paymentOf(invoice),
    hostedUrl: invoice.hosted_invoice_url ?? null,
    paidAt: typeof paidAt === 'number' ? instantFromMillis(paidAt * 1000) : null,
  };
}

const STATUSES: ReadonlySet<string> = new Set<ProviderStatus>(['draft', 'open', 'uncollectible', 'paid', 'void']);

function statusOf(invoice: Stripe.Invoice): ProviderStatus {
  const status = invoice.status ?? '';
  if (!STATUSES.has(status)) {
    throw invariantBroken('provider_status_unknown', `Stripe says invoice ${invoice.id} is ${JSON.stringify(status)}.`);
  }
  return status as ProviderStatus;
}

/** The newest payment's state, as far as it was expanded. */
function paymentOf(invoice: Stripe.Invoice): Pick<ProviderInvoice, 'isProcessing' | 'failureCode'> {
  const intents = (invoice.payments?.data ?? []).flatMap(({ payment }) =>
    typeof payment.payment_intent === 'object' ? [payment.payment_intent] : [],
  );
  const failure = intents.find((intent) => intent.last_payment_error)?.last_payment_error;
  return {
    isProcessing: intents.some((intent) => intent.status === 'processing'),
    failureCode: failure?.decline_code ?? failure?.code ?? null,
  };
}

/** Whether a Stripe object was made for this project's thing. */
export function isOurs(
  metadata: Stripe.Metadata | null | undefined,
  project: ProjectId,
  thing: { readonly key: string; readonly id: string },
): boolean {
  return metadata?.[META.project] === project && metadata[thing.key] === thing.id;
}
