import type { ApiClient } from '../../cli/api-client.ts';
import type { InvoiceDocument, ListDocument, RunDocument } from './api-documents.ts';
import { whileMoving } from './while-moving.ts';

/** Starts the billing run for everything up to a month and waits for its end. Throws when it failed. */
export async function billMonth(client: ApiClient, through: string): Promise<RunDocument> {
  const started = (await client.post('/v1/billing-runs', { through })) as RunDocument;
  const run = await whileMoving('the billing run', async () => {
    const now = (await client.get(`/v1/billing-runs/${started.id}`)) as RunDocument;
    if (now.status !== 'running') return { found: now, seen: now };
    // Between its plan and its report the run shows only in its invoices.
    return { seen: [now, await statuses(client)] };
  });
  if (run.status !== 'finished')
    throw new Error(`The billing run ended as ${run.status}: ${JSON.stringify(run.report)}`);
  return run;
}

/** Waits until all invoices of a period are paid, and returns them with their lines, by customer. */
export async function paidInvoices(client: ApiClient, period: string, expected: number): Promise<InvoiceDocument[]> {
  const listed = await whileMoving('the invoices to be paid', async () => {
    const all = await invoicesNow(client);
    const ours = all.filter((invoice) => invoice.period.key === period);
    const isPaid = ours.length >= expected && ours.every(({ status }) => status === 'paid');
    return { found: isPaid ? ours : undefined, seen: ours.map(({ id, status }) => [id, status]) };
  });
  const invoices = await Promise.all(
    listed.map(({ id }) => client.get(`/v1/invoices/${id}`) as Promise<InvoiceDocument>),
  );
  return invoices.toSorted((a, b) => (a.customer < b.customer ? -1 : 1));
}

async function statuses(client: ApiClient) {
  return (await invoicesNow(client)).map(({ id, status }) => [id, status]);
}

async function invoicesNow(client: ApiClient): Promise<readonly InvoiceDocument[]> {
  return ((await client.get('/v1/invoices?limit=100')) as ListDocument<InvoiceDocument>).data;
}
