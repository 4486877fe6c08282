import type Stripe from 'stripe';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { stripeClient } from '../../../adapters/stripe/client.ts';
import { type CallTools, callStripe } from '../../../adapters/stripe/stripe-call.ts';
import { stripePayments } from '../../../adapters/stripe/stripe-payments.ts';
import { BillingError } from '../../../core/errors.ts';
import type { Invoice } from '../../../core/invoicing/invoice.ts';
import { pushInvoice } from '../../../core/payments/push-invoice.ts';
import type { StripeDouble } from '../../../local/stripe/stripe-double.ts';
import { Faults } from '../../core/payments/faults.ts';
import { MemoryPayments } from '../../core/payments/memory-payments.ts';
import { CUSTOMER, HandClock, invoiceOf, lineOf, PROJECT } from '../../core/payments/payment-fixtures.ts';
import { API_KEY, customerWith, openDouble, type TestClock } from '../../local/stripe/double-fixture.ts';

/** The product's own push over the real adapter and the official SDK, against the double. */
let double: StripeDouble;
let stripe: Stripe;
let clock: TestClock;
let slept: number[];
let tools: CallTools;

beforeEach(async () => {
  ({ double, stripe, clock } = await openDouble());
  slept = [];
  tools = {
    throttle: { take: async () => undefined },
    sleep: async (ms) => {
      slept.push(ms);
      clock.ms += ms;
    },
    random: () => 0,
  };
});
afterEach(() => double.close());

async function world(invoice: Invoice, method: string | null = 'pm_card_visa') {
  const linked = await customerWith(stripe, method);
  const customer = { ...CUSTOMER, metadata: { stripe_customer_id: linked } };
  const memory = new MemoryPayments(invoice, customer, new Faults());
  const push = (patience = { timeoutMs: 2000, maxNetworkRetries: 0 }) => {
    const secret = { apiKey: API_KEY, signingSecrets: ['whsec_x'], livemode: false, apiBase: double.url };
    const provider = stripePayments(stripeClient(secret, patience), tools);
    const deps = { provider, payments: memory.payments, customers: memory.customers, clock: new HandClock() };
    return pushInvoice({ project: PROJECT, invoice: invoice.id }, deps);
  };
  return { memory, push, linked };
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof BillingError) return error.code;
    throw error;
  }
  return 'none';
}

describe('an invoice at Stripe', () => {
  test('has our number, our cents, our ids in its metadata, and is paid with one payment', async () => {
    const { push, memory } = await world(invoiceOf([1200n, 345n]));
    await push();
    const [invoice] = double.invoices();
    expect([invoice?.number, invoice?.status, invoice?.amount_paid]).toEqual(['INV-000001', 'paid', 1545]);
    expect(invoice?.metadata).toEqual({
      countinghouse_project: 'prj_demo',
      countinghouse_invoice: 'inv_one',
      countinghouse_number: 'INV-000001',
      countinghouse_period: '2026-11',
      countinghouse_evidence: 'ab'.repeat(32),
    });
    expect(double.linesOf(invoice?.id ?? '').map((line) => [line.amount, line.description])).toEqual([
      [1200, 'Charge charge-0: 1000 calls'],
      [345, 'Charge charge-1: 1000 calls'],
    ]);
    expect(double.payments()).toHaveLength(1);
    expect(memory.stored.payment?.amounts).toEqual({ due: '1545', received: '1545', outOfBand: '0', toBalance: '0' });
  });

  test('a new customer is made with our ids and found again by them', async () => {
    const memory = new MemoryPayments(invoiceOf([1200n]), CUSTOMER, new Faults());
    const secret = { apiKey: API_KEY, signingSecrets: ['whsec_x'], livemode: false, apiBase: double.url };
    const provider = stripePayments(stripeClient(secret, { timeoutMs: 2000, maxNetworkRetries: 0 }), tools);
    const deps = { provider, payments: memory.payments, customers: memory.customers, clock: new HandClock() };
    await pushInvoice({ project: PROJECT, invoice: memory.stored.invoice.id }, deps);
    const [made] = double.customers();
    expect([made?.name, made?.email, made?.metadata]).toEqual([
      'Acme',
      'ap@acme.test',
      { countinghouse_project: 'prj_demo', countinghouse_customer: 'acme' },
    ]);
    expect((await provider.findCustomer(PROJECT, CUSTOMER, new HandClock().now()))?.id).toBe(made?.id);
    // no payment method: the invoice is sent, due when ours is
    const [invoice] = double.invoices();
    expect([invoice?.status, invoice?.collection_method, invoice?.days_until_due]).toEqual([
      'open',
      'send_invoice',
      30,
    ]);
  });

  test('an unpayable card: the reason is recorded, the invoice stays open, nothing is paid', async () => {
    const { push, memory } = await world(invoiceOf([1200n]), 'pm_card_chargeDeclinedInsufficientFunds');
    await push();
    expect(memory.stored.payment).toMatchObject({ failedAttempts: 1, lastFailure: { code: 'insufficient_funds' } });
    expect(memory.events.map((one) => one.type)).toEqual(['PaymentFailed']);
  });

  test('a number too long for Stripe stays in the metadata', async () => {
    const number = 'N'.repeat(27);
    const { push } = await world({ ...invoiceOf([1200n]), number });
    await push();
    const [invoice] = double.invoices();
    expect(invoice?.metadata.countinghouse_number).toBe(number);
    expect(invoice?.number).not.toBe(number);
  });

  test('a number that is taken at Stripe is refused for good, in words', async () => {
    const { push, linked } = await world(invoiceOf([1200n]));
    await stripe.invoices.create({ customer: linked, number: 'INV-000001' });
    expect(await codeOf(push())).toBe('provider_refused');
  });
});

const ENDPOINTS = [
  'POST /v1/invoices',
  'POST /v1/invoices/:id/add_lines',
  'POST /v1/invoices/:id/finalize',
  'POST /v1/invoices/:id/pay',
];

describe('trouble on the wire, at every step', () => {
  test.each(ENDPOINTS)(
    'the answer of %s is lost and the SDK tries again: one invoice, one payment',
    async (endpoint) => {
      const { push } = await world(invoiceOf([1200n]));
      double.faults.add({ endpoint, kind: 'drop_after' });
      await push({ timeoutMs: 2000, maxNetworkRetries: 2 });
      expect(double.invoices().map((one) => one.status)).toEqual(['paid']);
      expect(double.payments()).toHaveLength(1);
    },
  );

  test.each(ENDPOINTS)(
    '%s stays lost, the push is run again a day later: one invoice, one payment',
    async (endpoint) => {
      const { push } = await world(invoiceOf([1200n]));
      // the SDK repeats a closed connection once even when told not to
      double.faults.add({ endpoint, kind: 'drop_after', times: 2 });
      expect(await codeOf(push())).toBe('provider_unreachable');
      clock.ms += 90_000_000;
      await push();
      expect(double.invoices().map((one) => one.status)).toEqual(['paid']);
      expect(double.payments()).toHaveLength(1);
      expect(double.invoices()[0]?.attempt_count).toBe(1);
    },
  );

  test.each(ENDPOINTS)('%s answers slower than we wait: one invoice, one payment', async (endpoint) => {
    const { push } = await world(invoiceOf([1200n]));
    double.faults.add({ endpoint, kind: 'slow', delayMs: 250 });
    expect(await codeOf(push({ timeoutMs: 100, maxNetworkRetries: 0 }))).toBe('provider_unreachable');
    await new Promise((resolve) => setTimeout(resolve, 300));
    await push();
    expect(double.invoices().map((one) => one.status)).toEqual(['paid']);
    expect(double.payments()).toHaveLength(1);
  });

  test.each(ENDPOINTS)('%s remembers a 500 under our key: a new key after a look', async (endpoint) => {
    const { push, memory } = await world(invoiceOf([1200n]));
    double.faults.add({ endpoint, kind: 'error_stored' });
    expect(await codeOf(push())).toBe('provider_error');
    await push();
    expect(double.invoices().map((one) => one.status)).toEqual(['paid']);
    expect(double.payments()).toHaveLength(1);
    expect(memory.stored.payment?.generation).toBe(2);
  });

  test.each(['rate_limit', 'lock_timeout'] as const)('429 %s is waited out by us, longer each time', async (kind) => {
    const { push } = await world(invoiceOf([1200n]));
    double.faults.add({ endpoint: 'POST /v1/invoices', kind, times: 3 });
    await push();
    expect(slept).toEqual([500, 1000, 2000]);
    expect(double.invoices().map((one) => one.status)).toEqual(['paid']);
  });

  test('429 without end becomes a retryable failure after five tries', async () => {
    const { push } = await world(invoiceOf([1200n]));
    double.faults.add({ endpoint: 'POST /v1/invoices', kind: 'rate_limit', times: 9 });
    expect(await codeOf(push())).toBe('provider_rate_limited');
    expect(double.requestCounts.get('POST /v1/invoices')).toBe(5);
  });

  test('a wrong key is no retryable failure', async () => {
    const secret = { apiKey: 'rk_test_other', signingSecrets: [], livemode: false, apiBase: double.url };
    const client = stripeClient(secret, { timeoutMs: 2000, maxNetworkRetries: 0 });
    await expect(callStripe('GET x', () => client.customers.list(), tools)).rejects.toMatchObject({
      code: 'provider_credentials_refused',
      retryable: false,
    });
  });
});

describe('lines', () => {
  test('250 lines stay 250; the 251st makes one line per charge, and the total stays', async () => {
    const lines = Array.from({ length: 251 }, (_, index) => lineOf(`line-${index}`, 10n, `charge-${index % 3}`));
    const whole = { ...invoiceOf([0n]), lines, totalMinor: 2510n };
    const { push } = await world({ ...whole, lines: lines.slice(0, 250), totalMinor: 2500n });
    await push();
    expect(double.linesOf(double.invoices()[0]?.id ?? '')).toHaveLength(250);
    const second = await world({ ...whole, number: 'INV-000002' });
    await second.push();
    // 251 = 84 + 84 + 83
    const grouped = double.linesOf(double.invoices()[1]?.id ?? '');
    expect(grouped.map((line) => [line.amount, line.description])).toEqual([
      [840, 'Charge charge-0 (84 lines)'],
      [840, 'Charge charge-1 (84 lines)'],
      [830, 'Charge charge-2 (83 lines)'],
    ]);
    expect(double.invoices()[1]?.amount_paid).toBe(2510);
  });

  test('texts are cut at 500 characters', async () => {
    const line = { ...lineOf('long', 100n), description: 'x'.repeat(600), key: 'k'.repeat(600) };
    const { push } = await world({ ...invoiceOf([100n]), lines: [line] });
    await push();
    const [kept] = double.linesOf(double.invoices()[0]?.id ?? '');
    expect([kept?.description?.length, kept?.metadata.line?.length]).toEqual([500, 500]);
  });
});

describe('amounts and currencies', () => {
  test.each([
    // our minor units, currency, then Stripe's amount
    { amounts: [51n], currency: 'JPY', at: 51, name: 'yen have no minor unit' },
    { amounts: [5120n, 380n], currency: 'KWD', at: 5500, name: 'dinar in thousandths' },
    { amounts: [5123n, 377n], currency: 'KWD', at: 5500, name: 'dinar lines that only fit together become one' },
    { amounts: [500n], currency: 'ISK', at: 50_000, name: 'krónur times 100' },
    { amounts: [500n], currency: 'UGX', at: 50_000, name: 'shillings times 100' },
    { amounts: [25_000n], currency: 'MGA', at: 250, name: 'ariary without hundredths' },
  ] as const)('$name: $currency', async ({ amounts, currency, at }) => {
    const invoice = invoiceOf(amounts, currency);
    const { push, memory } = await world(invoice);
    await push();
    expect(double.invoices().map((one) => [one.status, one.amount_paid])).toEqual([['paid', at]]);
    expect(memory.stored.payment?.amounts?.received).toBe(String(invoice.totalMinor));
  });

  test.each([
    { amounts: [5123n], currency: 'KWD' },
    { amounts: [25_001n], currency: 'MGA' },
    { amounts: [1000n], currency: 'IQD' },
  ] as const)(
    '$amounts of $currency cannot be taken: refused in words, nothing is made',
    async ({ amounts, currency }) => {
      const { push } = await world(invoiceOf(amounts, currency));
      expect(await codeOf(push())).toBe('amount_not_payable');
      expect(double.invoices()).toEqual([]);
    },
  );

  test.each([
    { name: 'below the minimum', amounts: [49n], after: { due: '0', received: '0', toBalance: '49' } },
    { name: 'negative', amounts: [100n, -700n], after: { due: '0', received: '0', toBalance: '-600' } },
  ])('$name: paid at Stripe, no money, moved to the balance', async ({ amounts, ...expected }) => {
    const { push, memory } = await world(invoiceOf(amounts));
    await push();
    expect(memory.stored.invoice.status).toBe('paid');
    expect(memory.stored.payment?.amounts).toMatchObject(expected.after);
    expect(double.payments()).toEqual([]);
  });

  test('old debt on the balance is charged along, and told apart', async () => {
    const { push, memory, linked } = await world(invoiceOf([1000n]));
    await stripe.customers.update(linked, { balance: 49 });
    await push();
    expect(memory.stored.payment?.amounts).toEqual({ due: '1049', received: '1049', outOfBand: '0', toBalance: '-49' });
  });
});
