import * as z from 'zod';
import { customerIdSchema } from '../../../core/accounts/customer.ts';
import { notFound } from '../../../core/errors.ts';
import type { CustomerId, InvoiceId } from '../../../core/ids.ts';
import { type PreviewDeps, previewInvoices } from '../../../core/invoicing/preview-invoices.ts';
import { type InvoiceList, listedInvoice, shownInvoice } from '../../../core/invoicing/shown-invoice.ts';
import { jsonAnswer } from '../../shared/http.ts';
import { invoiceSchema, listedInvoiceSchema } from '../document/invoice-schema.ts';
import { pageOf, type Route, route } from '../route.ts';
import { externalIdText, listOf, pageFields } from '../schemas.ts';

export interface InvoiceDeps {
  readonly invoices: InvoiceList;
  readonly preview: PreviewDeps;
}

export function invoiceRoutes(deps: InvoiceDeps): readonly Route[] {
  return [list(deps), preview(deps), getOne(deps)];
}

function list(deps: InvoiceDeps): Route {
  const query = z.strictObject({ ...pageFields, customer: externalIdText.optional() });
  return route({
    method: 'GET',
    path: '/v1/invoices',
    scope: 'read',
    query,
    docs: {
      tag: 'Billing',
      summary: 'List invoices, newest first, without their lines',
      answers: { 200: listOf(listedInvoiceSchema) },
      errors: ['cursor_invalid'],
    },
    async handle({ project, query: { customer, ...page } }) {
      const { items, cursor } = await deps.invoices.list(project, pageOf(page), customer as CustomerId | undefined);
      return jsonAnswer(200, { data: items.map(listedInvoice), nextCursor: cursor });
    },
  });
}

function getOne(deps: InvoiceDeps): Route {
  return route({
    method: 'GET',
    path: '/v1/invoices/{id}',
    scope: 'read',
    docs: {
      tag: 'Billing',
      summary: 'Get an invoice with every line explained',
      answers: { 200: invoiceSchema },
      errors: ['invoice_not_found'],
    },
    async handle({ project, params }) {
      const id = params.id ?? '';
      const found = /^inv_[0-9a-z]{1,64}$/.test(id) ? await deps.invoices.find(project, id as InvoiceId) : undefined;
      if (!found) throw notFound('invoice_not_found', `No invoice ${id.slice(0, 64)} in this project.`);
      return jsonAnswer(200, shownInvoice(found));
    },
  });
}

function preview(deps: InvoiceDeps): Route {
  const body = z.strictObject({ customer: customerIdSchema, period: z.string().max(64).optional() });
  return route({
    method: 'POST',
    path: '/v1/invoices/preview',
    scope: 'read',
    body,
    docs: {
      tag: 'Billing',
      summary: 'What the invoices of a customer would be now',
      description:
        'The rating of a billing run over the usage counted so far; writes nothing. `period` is the key of a billing period (`2026-11`, `2026-11-21`, `2026-W47`, `2026-Q4`, `2026`, or two dates such as `2026-01-31_2026-02-28`), the earliest unbilled one when absent. One invoice per currency.',
      answers: { 200: z.object({ data: z.array(invoiceSchema) }) },
      errors: ['customer_not_found', 'period_invalid', 'nothing_to_bill'],
      example: { customer: 'acme', period: '2026-11' },
    },
    async handle({ project, body: { customer, period } }) {
      const previews = await previewInvoices({ project, customer, period }, deps.preview);
      const data = previews.map((invoice) => ({ ...shownInvoice({ invoice, payment: null }), evidence: null }));
      return jsonAnswer(200, { data });
    },
  });
}
