import type { InvoiceId, ProjectId } from '../ids.ts';
import type { InvoiceStatus } from '../invoicing/invoice.ts';
import type { Clock } from '../time/clock.ts';
import { advancePayment, isMaterial } from './payment-state.ts';
import type { InvoicePayments, PaymentProviders } from './ports.ts';

export interface RereadInvoiceDeps {
  readonly providers: PaymentProviders;
  readonly payments: InvoicePayments;
  readonly clock: Clock;
}

/** Whether no more money is to come for an invoice: collected, void or given up. */
export function isSettled(status: InvoiceStatus): boolean {
  return status === 'paid' || status === 'void' || status === 'uncollectible';
}

/**
 * Reads an invoice whose money is out again at the provider and moves ours forward, exactly as a webhook would: what the provider
 * told while nobody listened is not lost. The provider is not asked about one that is settled here. Answers the status as it then is; a
 * change that another worker made meanwhile is that worker's. Charges nothing.
 */
export async function rereadInvoice(
  { project, invoice }: { readonly project: ProjectId; readonly invoice: InvoiceId },
  { providers, payments, clock }: RereadInvoiceDeps,
): Promise<InvoiceStatus> {
  const stored = await payments.find(project, invoice);
  if (stored === null) return 'void';
  const { status } = stored.invoice;
  const id = stored.payment?.providerInvoice ?? null;
  if (isSettled(status) || id === null) return status;
  const seen = await (await providers.of(project)).readInvoice(id);
  if (seen === null) return status;
  const next = advancePayment(stored, seen, clock.now());
  if (next === null || !isMaterial(stored, next)) return status;
  return (await payments.save({ stored, ...next })) === 'stored' ? next.status : status;
}
