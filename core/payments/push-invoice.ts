import { BillingError, conflict, invariantBroken, notFound } from '../errors.ts';
import type { InvoiceId, ProjectId } from '../ids.ts';
import type { Clock } from '../time/clock.ts';
import { collectInvoice } from './collect-invoice.ts';
import { EMPTY_PAYMENT, isPushed } from './payment-record.ts';
import type { CustomerPayments, InvoicePayments, PaymentProvider, ProviderInvoice, StoredPayment } from './ports.ts';
import { isRefusal, isRememberedFailure } from './provider-failure.ts';
import { PushWork } from './push-work.ts';
import { syncCustomer } from './sync-customer.ts';

export interface PushInvoiceDeps {
  readonly provider: PaymentProvider;
  readonly payments: InvoicePayments;
  readonly customers: CustomerPayments;
  readonly clock: Clock;
}

const MAX_ROUNDS = 4;

/**
 * Brings an issued invoice to the provider and collects it once: customer, draft, lines, finalize, pay. Every step is stored
 * before the next begins; a later call reads how far the provider got and goes on from there, so a kill anywhere, a lost answer
 * or a second worker never makes a second invoice or a second charge. Does nothing for an invoice that is through.
 * Throws `provider` errors (retryable or not), `not-ready` when others keep changing the invoice, `conflict` for a draft.
 */
export async function pushInvoice(
  input: { readonly project: ProjectId; readonly invoice: InvoiceId },
  deps: PushInvoiceDeps,
): Promise<StoredPayment> {
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const stored = await deps.payments.find(input.project, input.invoice);
    if (stored === null) throw notFound('invoice_not_found', `There is no invoice ${input.invoice}.`);
    if (stored.invoice.status === 'draft') {
      throw conflict('invoice_not_issued', `Invoice ${input.invoice} is a draft; only issued invoices are pushed.`);
    }
    if (isPushed(stored.invoice.status, stored.payment)) return stored;
    const work = new PushWork(stored, deps);
    const seen = await finalized(work, await located(work, deps), deps);
    if (seen !== 'changed' && (await collectInvoice(work, seen, deps)) === 'done') return work.stored;
  }
  throw new BillingError({
    kind: 'not-ready',
    code: 'payment_contended',
    message: `The payment of invoice ${input.invoice} was changed by others again and again; try later.`,
  });
}

/** The provider's invoice of ours: the one whose id is stored, the one a lost answer left behind, or a new draft. */
async function located(work: PushWork, deps: PushInvoiceDeps): Promise<ProviderInvoice | 'changed'> {
  const { payment } = work;
  if (payment.providerInvoice !== null) return readAgain(payment.providerInvoice, deps);
  const isResumed = payment.createBegunAt !== null;
  if (!isResumed && !(await begun(work, deps))) return 'changed';
  const left = isResumed ? await find(work, deps) : null;
  const seen = left ?? (await created(work, deps));
  if (seen === 'changed') return seen;
  return (await work.save({ providerInvoice: seen.id })) ? seen : 'changed';
}

async function readAgain(id: string, deps: PushInvoiceDeps): Promise<ProviderInvoice> {
  const seen = await deps.provider.readInvoice(id);
  if (seen !== null) return seen;
  throw new BillingError({
    kind: 'provider',
    code: 'provider_invoice_missing',
    message: `The provider no longer has invoice ${id}. Somebody deleted the draft, or the project's secret now points to another account; check before doing anything.`,
    retryable: false,
  });
}

/** Stores for whom and how the invoice will be made, before it is made. */
async function begun(work: PushWork, deps: PushInvoiceDeps): Promise<boolean> {
  const { project, customer: id } = work.stored.invoice;
  const customer = await syncCustomer({ project, customer: id }, deps);
  return work.save({
    ...EMPTY_PAYMENT,
    providerCustomer: customer.id,
    collection: customer.hasPaymentMethod ? 'charge_automatically' : 'send_invoice',
    createBegunAt: deps.clock.now(),
  });
}

function find(work: PushWork, deps: PushInvoiceDeps): Promise<ProviderInvoice | null> {
  const { providerCustomer } = work.payment;
  if (providerCustomer === null) throw invariantBroken('payment_damaged', 'A push was begun without a customer.');
  return deps.provider.findInvoice(providerCustomer, work.stored.invoice);
}

function created(work: PushWork, deps: PushInvoiceDeps): Promise<ProviderInvoice | 'changed'> {
  const { providerCustomer, collection } = work.payment;
  const { invoice } = work.stored;
  if (providerCustomer === null || collection === null) {
    throw invariantBroken('payment_damaged', 'A push was begun without a customer or a way to collect.');
  }
  return keyed(work, {
    step: 'create',
    call: (key) => deps.provider.createInvoice({ invoice, providerCustomer, collection }, key),
    made: () => find(work, deps),
  });
}

/** Lines and finalize, each only if the provider does not have it; nothing is finalized unless the totals agree. */
async function finalized(
  work: PushWork,
  seen: ProviderInvoice | 'changed',
  deps: PushInvoiceDeps,
): Promise<ProviderInvoice | 'changed'> {
  if (seen === 'changed') return seen;
  const { invoice } = work.stored;
  const read = () => readAgain(seen.id, deps);
  const filled =
    seen.status === 'draft' && !seen.hasLines
      ? await keyed(work, {
          step: 'lines',
          call: (key) => deps.provider.addLines(seen.id, invoice, key),
          made: async () => only(await read(), (now) => now.hasLines),
        })
      : seen;
  if (filled === 'changed') return filled;
  if (filled.totalMinor !== invoice.totalMinor) {
    throw invariantBroken(
      'provider_total_differs',
      `Invoice ${invoice.id} comes to ${invoice.totalMinor} minor units, the provider's ${seen.id} to ${filled.totalMinor}; it was not finalized or charged. Find out who changed it there.`,
    );
  }
  if (filled.status !== 'draft') return filled;
  return keyed(work, {
    step: 'finalize',
    call: (key) => deps.provider.finalizeInvoice(seen.id, key),
    made: async () => only(await read(), (now) => now.status !== 'draft'),
  });
}

function only(seen: ProviderInvoice, isMade: (seen: ProviderInvoice) => boolean): ProviderInvoice | null {
  return isMade(seen) ? seen : null;
}

/**
 * One call under the key of its step. A refusal or a remembered failure is no answer to "was it made?", so that is read; when
 * nothing was made and the provider would only repeat itself, the keys' generation is raised once and the call made again.
 */
async function keyed(
  work: PushWork,
  step: {
    readonly step: string;
    readonly call: (key: string) => Promise<ProviderInvoice>;
    readonly made: () => Promise<ProviderInvoice | null>;
  },
): Promise<ProviderInvoice | 'changed'> {
  try {
    return await step.call(work.keyOf(step.step));
  } catch (error) {
    if (!isRefusal(error) && !isRememberedFailure(error)) throw error;
    const made = await step.made();
    if (made !== null) return made;
    if (!isRememberedFailure(error)) throw error;
    if (!(await work.nextGeneration(error))) return 'changed';
    return step.call(work.keyOf(step.step));
  }
}
