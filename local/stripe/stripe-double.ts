import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Faults } from './faults.ts';
import { Journal } from './journal.ts';
import type { Customer } from './objects/customer-record.ts';
import type { StripeEvent } from './objects/events.ts';
import { type InvoicePayment, type Line, linesOf, type StoredInvoice } from './objects/invoice.ts';
import { RateLimiter, type RateLimits, STRIPE_LIMITS } from './rate-limiter.ts';
import { type Incoming, RequestPipeline } from './request-pipeline.ts';
import { type WebhookEndpoint, WebhookSender } from './webhook-sender.ts';

export interface StripeDoubleOptions {
  /** Where the state is kept between starts; in memory only when left out. */
  readonly stateFile?: string;
  /** Milliseconds since the epoch: drives `created`, rate limits, key retention and webhook retries. */
  readonly now: () => number;
  /** The one key that is taken, `sk_test_...` or `rk_test_...`. Live keys are refused. */
  readonly apiKey: string;
  readonly webhook?: WebhookEndpoint;
  readonly limits?: RateLimits;
  /** Port on 127.0.0.1; a free one unless told. */
  readonly port?: number;
}

/** A running Stripe double; the read-only views are for tests and the demo, never for product code. */
export interface StripeDouble {
  readonly url: string;
  readonly faults: Faults;
  readonly webhooks: WebhookSender;
  /** Points webhooks at another address or other secrets. */
  setWebhook(webhook: WebhookEndpoint | undefined): void;
  customers(): Customer[];
  invoices(): StoredInvoice[];
  linesOf(invoice: string): Line[];
  payments(): InvoicePayment[];
  events(): StripeEvent[];
  /** Requests by endpoint since the start, refused ones included. */
  readonly requestCounts: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

const MAX_BODY_BYTES = 2 * 1024 * 1024;

/** Starts the double on 127.0.0.1. Throws when given a live key. */
export async function startStripeDouble(options: StripeDoubleOptions): Promise<StripeDouble> {
  if (/^[sr]k_live/.test(options.apiKey)) throw new Error('The Stripe double takes test keys only; got a live key.');
  let webhook = options.webhook;
  const journal = new Journal(options.stateFile);
  const faults = new Faults();
  const webhooks = new WebhookSender(journal, options.now, () => webhook);
  const limiter = new RateLimiter(options.limits ?? STRIPE_LIMITS, options.now);
  const pipeline = new RequestPipeline({
    journal,
    apiKey: options.apiKey,
    now: options.now,
    limiter,
    faults,
    webhooks,
  });
  const server = createServer((request, response) => {
    serve(pipeline, request, response).catch((error: unknown) => {
      console.error('stripe double:', error);
      response.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    faults,
    webhooks,
    setWebhook: (changed) => {
      webhook = changed;
    },
    customers: () => journal.all<Customer>('customer'),
    invoices: () => journal.all<StoredInvoice>('invoice'),
    linesOf: (invoice) => linesOf({ journal }, invoice),
    payments: () => journal.all<InvoicePayment>('invoice_payment'),
    events: () => journal.all<StripeEvent>('event'),
    requestCounts: pipeline.counts,
    close: async () => {
      await webhooks.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function serve(pipeline: RequestPipeline, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) return void response.destroy();
    chunks.push(chunk);
  }
  const [path = '', query = ''] = (request.url ?? '').split('?');
  const incoming: Incoming = {
    method: request.method ?? 'GET',
    path,
    query,
    body: Buffer.concat(chunks).toString('utf8'),
    headers: request.headers as Record<string, string | undefined>,
  };
  const outcome = await pipeline.answer(incoming);
  if (outcome === 'drop') return void response.destroy();
  response.writeHead(outcome.status, { 'Content-Type': 'application/json', ...outcome.headers });
  response.end(outcome.body);
}
