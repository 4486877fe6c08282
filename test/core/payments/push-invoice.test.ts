import { describe, expect, test } from 'vitest';
import { BillingError } from '../../../core/errors.ts';
import type { Invoice } from '../../../core/invoicing/invoice.ts';
import { applyWebhook } from '../../../core/payments/apply-webhook.ts';
import type { WebhookNotice } from '../../../core/payments/ports.ts';
import { pushInvoice } from '../../../core/payments/push-invoice.ts';
import { instantFromMillis, millisOf } from '../../../core/time/instant.ts';
import { FakeProvider } from './fake-provider.ts';
import { Faults, Killed, STRIKES, type Strike } from './faults.ts';
import { MemoryPayments } from './memory-payments.ts';
import { CUSTOMER, HandClock, invoiceOf, NOW, PROJECT } from './payment-fixtures.ts';

function world(invoice: Invoice = invoiceOf([1200n, 345n])) {
  const faults = new Faults();
  const clock = new HandClock();
  const provider = new FakeProvider(faults, clock);
  const memory = new MemoryPayments(invoice, CUSTOMER, faults);
  const deps = { provider, payments: memory.payments, customers: memory.customers, clock };
  const push = () => pushInvoice({ project: PROJECT, invoice: invoice.id }, deps);
  return { faults, clock, provider, memory, push };
}
type World = ReturnType<typeof world>;

/** Pushes again and again, as a workflow would, until it is through; `waitMs` passes between the tries. */
async function untilPushed(at: World, waitMs = 0): Promise<void> {
  for (let round = 0; round < 12; round += 1) {
    try {
      await at.push();
      return;
    } catch (error) {
      if (!(error instanceof Killed) && !(error instanceof BillingError && error.retryable)) throw error;
      at.clock.at = instantFromMillis(millisOf(at.clock.at) + waitMs);
    }
  }
  throw new Error('never through');
}

/** The law: one customer, one invoice, one charge of the whole total, told once. */
function expectPaidOnce({ provider, memory }: World): void {
  expect(provider.customers).toHaveLength(1);
  expect([...provider.invoices.values()].map((one) => [one.status, one.totalMinor])).toEqual([['paid', 1545n]]);
  expect(provider.charges).toEqual([{ invoice: 'in_1', minor: 1545n }]);
  expect(memory.stored.invoice.status).toBe('paid');
  expect(memory.stored.payment?.amounts).toEqual({ due: '1545', received: '1545', outOfBand: '0', toBalance: '0' });
  expect(memory.typesOfEvents()).toEqual(['InvoicePaid']);
}

describe('a push without trouble', () => {
  test('makes customer, draft, lines, finalizes, pays, and tells the amounts in major units', async () => {
    const at = world();
    await at.push();
    expectPaidOnce(at);
    expect(at.faults.names).toEqual([
      ...[
        'save customer',
        'create customer',
        'save customer',
        'save',
        'create invoice',
        'save',
        'add lines',
        'finalize',
      ],
      ...['save', 'pay', 'save'],
    ]);
    expect(at.memory.events[0]?.data).toEqual({
      invoice_id: 'inv_one',
      number: 'INV-000001',
      customer: 'acme',
      currency: 'USD',
      total: '15.45',
      amount_paid: '15.45',
      amount_to_balance: '0.00',
      provider: 'stripe',
      provider_invoice_id: 'in_1',
      paid_at: NOW,
    });
  });

  test('pushed again, it asks the provider nothing and changes nothing', async () => {
    const at = world();
    await at.push();
    const { count } = at.faults;
    await at.push();
    expect(at.faults.count).toBe(count);
    expectPaidOnce(at);
  });
});

const OPERATIONS = 11;

describe('a kill or a lost answer at every operation', () => {
  const cases = STRIKES.flatMap((strike) =>
    [0, 25 * 3_600_000].flatMap((waitMs) =>
      Array.from({ length: OPERATIONS }, (_, index) => ({ operation: index + 1, strike, waitMs })),
    ),
  );
  test.each(cases)(
    '$strike at operation $operation, resumed after $waitMs ms: one invoice, one payment',
    async (plan) => {
      const at = world();
      at.faults.plan.set(plan.operation, plan.strike);
      await untilPushed(at, plan.waitMs);
      expectPaidOnce(at);
    },
  );

  test('two strikes at any two operations, at once or a day later, still make one invoice and one payment', async () => {
    let schedules = 0;
    for (let first = 1; first <= OPERATIONS; first += 1) {
      for (let second = first + 1; second <= first + 8; second += 1) {
        for (const strikes of STRIKES.flatMap((a) => STRIKES.map((b) => [a, b] as const))) {
          const at = world();
          at.faults.plan.set(first, strikes[0]);
          at.faults.plan.set(second, strikes[1]);
          await untilPushed(at, schedules % 2 === 0 ? 0 : 25 * 3_600_000);
          expectPaidOnce(at);
          schedules += 1;
        }
      }
    }
    expect(schedules).toBe(1408);
  });
});

describe('several workers and webhooks at once', () => {
  test('two pushes side by side, webhooks in between and strikes anywhere: one invoice, one payment, told once', async () => {
    for (let seed = 1; seed <= 400; seed += 1) {
      const at = world();
      const random = seeded(seed);
      for (let strike = 0; strike < 3; strike += 1) {
        at.faults.plan.set(1 + Math.floor(random() * 24), STRIKES[Math.floor(random() * 4)] as Strike);
      }
      await Promise.all([quietly(at.push), quietly(at.push), quietly(() => webhooks(at, seed)), quietly(at.push)]);
      await untilPushed(at, seed % 3 === 0 ? 25 * 3_600_000 : 0);
      at.faults.plan.clear();
      await webhooks(at, seed + 1000);
      expectPaidOnce(at);
    }
  });
});

async function webhooks(at: World, seed: number): Promise<void> {
  for (const id of at.provider.invoices.keys()) {
    const notice: WebhookNotice = {
      project: PROJECT,
      provider: 'stripe',
      event: `evt_${seed}`,
      type: 'invoice.updated',
      createdAt: NOW,
      object: { id, type: 'invoice' },
    };
    const { payments, webhooks: events } = at.memory;
    await applyWebhook(notice, { payments, events, clock: at.clock, provider: async () => at.provider });
  }
}

async function quietly(run: () => Promise<unknown>): Promise<void> {
  await Promise.resolve();
  await run().catch((error: unknown) => {
    if (!(error instanceof Killed) && !(error instanceof BillingError && error.retryable)) throw error;
  });
}

/** Mulberry32: the same seed, the same schedule. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

describe('what the provider remembers', () => {
  test.each(['create customer', 'create invoice', 'add lines', 'finalize', 'pay'])(
    'a failure stored under the key of %s is overcome with a new key, after a look that nothing was made',
    async (name) => {
      const at = world();
      at.provider.poisoned.add(name);
      await untilPushed(at);
      expectPaidOnce(at);
    },
  );
});

describe('what is not simply paid', () => {
  test('a declined charge is recorded and told once, is not repeated, and the push is through', async () => {
    const at = world();
    at.provider.card = 'declines';
    await at.push();
    await at.push();
    await webhooks(at, 1);
    expect(at.memory.typesOfEvents()).toEqual(['PaymentFailed']);
    expect(at.memory.events[0]?.data).toMatchObject({ amount_due: '15.45', attempt: 1, reason: 'insufficient_funds' });
    expect(at.memory.stored.invoice.status).toBe('issued');
    expect(at.memory.stored.payment).toMatchObject({ failedAttempts: 1, payAttempt: 1, isPayPending: false });
    expect(at.provider.charges).toEqual([]);
  });

  test.each(STRIKES)('a declined charge with %s at the call is still one attempt, told once', async (strike) => {
    const at = world();
    at.provider.card = 'declines';
    at.faults.plan.set(10, strike);
    await untilPushed(at, 25 * 3_600_000);
    expect(at.memory.typesOfEvents()).toEqual(['PaymentFailed']);
    expect(at.provider.invoices.get('in_1')?.attemptCount).toBe(1);
  });

  test('a bank debit under way is not charged a second time, and its end comes by webhook', async () => {
    const at = world();
    at.provider.card = 'processes';
    at.faults.plan.set(10, 'lost_after');
    await untilPushed(at);
    expect(at.provider.charges).toHaveLength(1);
    expect(at.memory.stored.invoice.status).toBe('issued');
    at.provider.set('in_1', { status: 'paid', receivedMinor: 1545n, isProcessing: false });
    await webhooks(at, 1);
    expectPaidOnce(at);
  });

  test('without a payment method the invoice is sent and waits; nothing is charged', async () => {
    const at = world();
    at.provider.card = 'none';
    await at.push();
    expect(at.memory.stored.payment).toMatchObject({ collection: 'send_invoice', status: 'open', payAttempt: 0 });
    expect(at.provider.charges).toEqual([]);
  });

  test.each([
    // total, then due and to the balance
    { name: 'below the minimum', amounts: [49n], due: '0', toBalance: '49', paid: '0.00', balance: '0.49' },
    { name: 'negative', amounts: [100n, -700n], due: '0', toBalance: '-600', paid: '0.00', balance: '-6.00' },
    { name: 'at the minimum', amounts: [50n], due: '50', toBalance: '0', paid: '0.50', balance: '0.00' },
  ])(
    '$name: paid at the provider, money and balance recorded apart',
    async ({ amounts, due, toBalance, paid, balance }) => {
      const at = world(invoiceOf(amounts));
      await at.push();
      expect(at.memory.stored.invoice.status).toBe('paid');
      expect(at.memory.stored.payment?.amounts).toMatchObject({ due, toBalance, received: due });
      expect(at.memory.events[0]?.data).toMatchObject({ amount_paid: paid, amount_to_balance: balance });
    },
  );

  test("when the provider's total differs, nothing is finalized or charged, and it says so", async () => {
    const at = world();
    at.faults.plan.set(8, 'kill_before');
    await expect(at.push()).rejects.toThrow(Killed);
    at.provider.set('in_1', { totalMinor: 1546n });
    await expect(at.push()).rejects.toMatchObject({ code: 'provider_total_differs', kind: 'invariant-broken' });
    expect(at.provider.invoices.get('in_1')?.status).toBe('draft');
  });

  test('an invoice that the provider no longer has is not made again: a person must look', async () => {
    const at = world();
    at.faults.plan.set(7, 'kill_before');
    await expect(at.push()).rejects.toThrow(Killed);
    at.provider.invoices.clear();
    await expect(at.push()).rejects.toMatchObject({ code: 'provider_invoice_missing', retryable: false });
  });

  test('a draft of ours is refused', async () => {
    const at = world({ ...invoiceOf([100n]), status: 'draft' });
    await expect(at.push()).rejects.toMatchObject({ code: 'invoice_not_issued' });
  });

  test('a linked customer is used as it is', async () => {
    const at = world();
    at.provider.customers.push({ id: 'cus_own', project: 'other', customer: 'x', name: 'As the operator named it' });
    const customer = { ...CUSTOMER, metadata: { stripe_customer_id: 'cus_own' } };
    at.memory.customer = { customer, payment: null };
    await at.push();
    expect(at.memory.stored.payment?.providerCustomer).toBe('cus_own');
    expect(at.provider.customers).toEqual([
      { id: 'cus_own', project: 'other', customer: 'x', name: 'As the operator named it' },
    ]);
  });

  test('a customer whose name changed is brought up to date, not made again', async () => {
    const at = world();
    at.faults.plan.set(4, 'kill_before');
    await expect(at.push()).rejects.toThrow(Killed);
    at.memory.customer = { ...at.memory.customer, customer: { ...CUSTOMER, name: 'Acme Ltd' } };
    await at.push();
    expect(at.provider.customers.map((one) => one.name)).toEqual(['Acme Ltd']);
    expectPaidOnce(at);
  });
});
