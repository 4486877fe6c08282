import type Stripe from 'stripe';
import type { Customer } from '../../core/accounts/customer.ts';
import { BillingError } from '../../core/errors.ts';
import type { Invoice } from '../../core/invoicing/invoice.ts';
import type { PaymentProvider, ProviderCustomer, ProviderInvoice } from '../../core/payments/ports.ts';
import { millisOf } from '../../core/time/instant.ts';
import { INVOICE_EXPAND, invoiceFromStripe, invoiceToStripe, isOurs, META } from './invoice-to-stripe.ts';
import { linesToStripe } from './lines-to-stripe.ts';
import { type CallTools, callStripe } from './stripe-call.ts';

const PAGE = 100;

/** Stripe as the payment provider of one project: each method one call (lookups: one per page), errors translated. */
export function stripePayments(stripe: Stripe, tools: CallTools): PaymentProvider {
  const call = <T>(endpoint: string, make: () => Promise<T>) => callStripe(endpoint, make, tools);
  const expand = INVOICE_EXPAND;
  return {
    async readCustomer(id) {
      const found = await orNull(call('GET customer', () => stripe.customers.retrieve(id)));
      return found === null || found.deleted ? null : customerFromStripe(found);
    },

    async findCustomer(project, customer, since) {
      const created = { gte: Math.floor(millisOf(since) / 1000) };
      const found = await firstOf((after) =>
        call('GET customers', () => stripe.customers.list({ limit: PAGE, created, ...after })),
      )((one) => isOurs(one.metadata, project, { key: META.customer, id: customer.id }));
      return found === null ? null : customerFromStripe(found);
    },

    async createCustomer(project, customer, idempotencyKey) {
      const metadata = { [META.project]: project, [META.customer]: customer.id };
      const params = { ...customerToStripe(customer), metadata };
      return customerFromStripe(
        await call('POST customers', () => stripe.customers.create(params, { idempotencyKey })),
      );
    },

    async updateCustomer(id, customer) {
      await call('POST customer', () => stripe.customers.update(id, customerToStripe(customer)));
    },

    findInvoice: (providerCustomer, invoice) => findInvoice(stripe, tools, providerCustomer, invoice),

    async readInvoice(id) {
      const found = await orNull(call('GET invoice', () => stripe.invoices.retrieve(id, { expand })));
      return found === null ? null : invoiceFromStripe(found);
    },

    async createInvoice(input, idempotencyKey) {
      const params = invoiceToStripe(input);
      return invoiceFromStripe(await call('POST invoices', () => stripe.invoices.create(params, { idempotencyKey })));
    },

    async addLines(id, invoice, idempotencyKey) {
      const lines = linesToStripe(invoice);
      return invoiceFromStripe(
        await call('POST add_lines', () => stripe.invoices.addLines(id, { lines }, { idempotencyKey })),
      );
    },

    async finalizeInvoice(id, idempotencyKey) {
      const params = { auto_advance: false };
      return invoiceFromStripe(
        await call('POST finalize', () => stripe.invoices.finalizeInvoice(id, params, { idempotencyKey })),
      );
    },

    async payInvoice(id, idempotencyKey) {
      try {
        const paid = await call('POST pay', () =>
          stripe.invoices.pay(id, { off_session: true, expand }, { idempotencyKey }),
        );
        return { result: 'accepted', seen: invoiceFromStripe(paid) };
      } catch (error) {
        if (!(error instanceof BillingError) || error.code !== 'payment_declined') throw error;
        return { result: 'declined', code: String(error.context.providerCode ?? 'card_declined') };
      }
    },
  };
}

/** Ours among the customer's invoices; the newest, should there be several. */
async function findInvoice(
  stripe: Stripe,
  tools: CallTools,
  customer: string,
  invoice: Invoice,
): Promise<ProviderInvoice | null> {
  const found = await firstOf((after) =>
    callStripe('GET invoices', () => stripe.invoices.list({ customer, limit: PAGE, ...after }), tools),
  )((one) => isOurs(one.metadata, invoice.project, { key: META.invoice, id: invoice.id }));
  return found === null ? null : invoiceFromStripe(found);
}

/** Goes through the pages of a list until something fits. */
function firstOf<T extends { id: string }>(
  read: (after: { starting_after?: string }) => Promise<{ data: T[]; has_more: boolean }>,
): (fits: (one: T) => boolean) => Promise<T | null> {
  return async (fits) => {
    let after = {};
    for (;;) {
      const { data, has_more: hasMore } = await read(after);
      const found = data.find(fits);
      if (found !== undefined) return found;
      const last = data.at(-1);
      if (!hasMore || last === undefined) return null;
      after = { starting_after: last.id };
    }
  };
}

function customerToStripe(customer: Customer): { name: string; email?: string } {
  return { name: customer.name, ...(customer.email === undefined ? {} : { email: customer.email }) };
}

function customerFromStripe(customer: Stripe.Customer): ProviderCustomer {
  const method = customer.invoice_settings.default_payment_method ?? customer.default_source;
  return { id: customer.id, hasPaymentMethod: method !== null };
}

/** Null for a thing that Stripe does not have. */
async function orNull<T>(reading: Promise<T>): Promise<T | null> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof BillingError && error.code === 'provider_object_missing') return null;
    throw error;
  }
}
