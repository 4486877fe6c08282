import { ApiClient } from '../../cli/api-client.ts';
import type { LocalClock } from '../parts/clock.ts';
import type { InvoiceDocument } from './api-documents.ts';
import { billMonth, paidInvoices } from './bill-month.ts';
import { changePlans } from './change-plans.ts';
import { DEMO_CUSTOMERS } from './demo-catalog.ts';
import { type DemoMonth, demoDayMillis } from './demo-month.ts';
import { demoTraffic } from './demo-traffic.ts';
import type { Progress } from './progress.ts';
import { type SentMonth, sendMonth } from './send-month.ts';
import { setUpCatalog } from './set-up-catalog.ts';
import { setUpPayments } from './set-up-payments.ts';

export interface DemoResult {
  readonly month: SentMonth;
  readonly invoices: readonly InvoiceDocument[];
}

export interface DemoInput {
  readonly apiUrl: string;
  readonly apiKey: string;
  readonly clock: LocalClock;
  readonly month: DemoMonth;
  readonly progress: Progress;
  readonly stripe: { readonly apiKey: string; readonly apiBase: string | null };
}

/** Lives through a month: catalog and customers, usage day by day, the billing run, the payments. All over the public API. */
export async function runDemo({ apiUrl, apiKey, clock, month, progress, stripe }: DemoInput): Promise<DemoResult> {
  const client = new ApiClient({ url: apiUrl, key: apiKey });
  const days = demoTraffic(month);
  const total = days.reduce(
    (sum, { requests }) => sum + requests.reduce((count, events) => count + events.length, 0),
    0,
  );
  clock.set(demoDayMillis(month, 1));
  progress.say(`creating meters, two plans and ${DEMO_CUSTOMERS.length} customers over HTTP`);
  await setUpCatalog(client, month, await setUpPayments(stripe));
  progress.say(`sending the usage of ${month.key}: ${total} events, the clock moving along`);
  const sent = await progress.counted('events', total, (tick) => {
    const onDay = (day: number) => changePlans(client, month, day);
    return sendMonth(days, { client, clock, onSent: tick, onDay });
  });
  progress.say(`${sent.accepted.length} events accepted, ${sent.sent - sent.accepted.length} refused with a reason`);
  // Back to the real time: every customer's month has closed, wherever it lives, and its grace is over.
  clock.set(Date.now());
  progress.say(`running the monthly workflow for ${month.key}`);
  await billMonth(client, month.key);
  progress.say('invoices issued and pushed to Stripe; waiting for its signed webhooks');
  const invoices = await paidInvoices(client, month.key, DEMO_CUSTOMERS.length);
  progress.say(`${invoices.length} invoices paid`);
  return { month: sent, invoices };
}
