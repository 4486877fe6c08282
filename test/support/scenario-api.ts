import { ApiClient } from '../../cli/api-client.ts';

/** What stories read of the API's answers, and how they wait for what happens in the background. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of any shape
  readonly body: any;
}

export interface Usage {
  readonly meter: string;
  readonly quantity: string;
  readonly start: string;
  readonly end: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

export interface Line {
  readonly key: string;
  readonly kind: string;
  readonly quantity: string;
  readonly allowance_used: string;
  readonly exact_amount: string;
  readonly amount: string;
  readonly price_version: string;
  readonly adjusts?: { readonly period: string; readonly previous_amount: string; readonly current_amount: string };
  readonly steps: readonly {
    readonly label: string;
    readonly quantity: string | null;
    readonly unit_price: string | null;
    readonly flat_amount: string | null;
    readonly amount: string;
  }[];
}

export interface Invoice {
  readonly id: string;
  readonly customer: string;
  readonly status: string;
  readonly number: string | null;
  readonly currency: string;
  readonly total: string;
  readonly period: { readonly key: string; readonly start: string; readonly end: string };
  readonly payment: {
    readonly provider_invoice: string | null;
    readonly status: string | null;
    readonly failed_attempts: number;
  } | null;
  readonly lines: readonly Line[];
}

export interface Run {
  readonly id: string;
  readonly status: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into reports of any shape
  readonly report: any;
}

const POLL_MILLIS = 100;
const PATIENCE_MILLIS = 60_000;

/** What was seen while waiting: told when the waiting ends in vain. */
export class NotYet {
  readonly saw: unknown;
  constructor(saw: unknown) {
    this.saw = saw;
  }
}

/** Asks until there is an answer other than `NotYet`; says what it saw last when it gives up. */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | NotYet>,
  patienceMillis = PATIENCE_MILLIS,
): Promise<T> {
  let last: unknown;
  for (const start = performance.now(); performance.now() - start < patienceMillis; ) {
    const found = await look();
    if (!(found instanceof NotYet)) return found;
    last = found.saw;
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLIS));
  }
  throw new Error(`Waited ${patienceMillis / 1000} s for ${what}; saw ${JSON.stringify(last)}.`);
}

/** One HTTP request with a JSON body, or with bytes and headers of its own. */
export async function rawCall(
  url: string,
  {
    method,
    body,
    key,
    headers = {},
  }: { method: string; body?: unknown; key: string | null; headers?: Record<string, string> },
): Promise<Answer> {
  const isRaw = typeof body === 'string' || body instanceof Uint8Array;
  const response = await fetch(url, {
    method,
    headers: {
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: isRaw ? (body as string) : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = (response.headers.get('content-type') ?? '').includes('json');
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}

/** Starts a billing run of its own (without an Idempotency-Key) and waits for its end; `tick` is called between two looks. */
export async function billThrough(
  api: { url: string; key: string },
  through: string | undefined,
  tick: () => void,
): Promise<Run> {
  const body = through === undefined ? {} : { through };
  const { status, body: run } = await rawCall(`${api.url}/v1/billing-runs`, { method: 'POST', body, key: api.key });
  if (status !== 202) throw new Error(`POST /v1/billing-runs answered ${status}: ${JSON.stringify(run)}`);
  return runEnded(new ApiClient(api), run.id, tick);
}

export function runEnded(client: ApiClient, id: string, tick: () => void): Promise<Run> {
  return eventually(`the billing run ${id}`, async () => {
    const run = (await client.get(`/v1/billing-runs/${id}`)) as Run;
    if (run.status !== 'running') return run;
    tick();
    return new NotYet(run.status);
  });
}

/** All invoices with their lines, in order of customer and period. */
export async function invoicesOf(client: ApiClient): Promise<readonly Invoice[]> {
  const { data } = (await client.get('/v1/invoices?limit=100')) as { data: Invoice[] };
  const invoices = await Promise.all(data.map(({ id }) => client.get(`/v1/invoices/${id}`) as Promise<Invoice>));
  return invoices.toSorted((a, b) => (a.customer + a.period.key < b.customer + b.period.key ? -1 : 1));
}

/** A UUIDv7 born at an instant; the same instant and number give the same id. */
export function uuid7(instant: string, n: number): string {
  const millis = Date.parse(instant).toString(16).padStart(12, '0');
  const tail = n.toString(16).padStart(12, '0');
  return `${millis.slice(0, 8)}-${millis.slice(8)}-7000-8000-${tail}`;
}
