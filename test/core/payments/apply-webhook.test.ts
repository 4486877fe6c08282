import { describe, expect, test } from 'vitest';
import { applyWebhook } from '../../../core/payments/apply-webhook.ts';
import type { WebhookNotice } from '../../../core/payments/ports.ts';
import { pushInvoice } from '../../../core/payments/push-invoice.ts';
import { FakeProvider } from './fake-provider.ts';
import { Faults } from './faults.ts';
import { MemoryPayments } from './memory-payments.ts';
import { CUSTOMER, HandClock, invoiceOf, NOW, PROJECT } from './payment-fixtures.ts';

function world(card: FakeProvider['card'] = 'none') {
  const faults = new Faults();
  const clock = new HandClock();
  const provider = new FakeProvider(faults, clock);
  provider.card = card;
  const memory = new MemoryPayments(invoiceOf([1000n]), CUSTOMER, faults);
  const deps = { provider, payments: memory.payments, customers: memory.customers, clock };
  const push = () => pushInvoice({ project: PROJECT, invoice: memory.stored.invoice.id }, deps);
  const apply = (change: Partial<WebhookNotice> = {}) =>
    applyWebhook(
      { ...NOTICE, ...change },
      { payments: memory.payments, events: memory.webhooks, clock, provider: async () => provider },
    );
  return { faults, provider, memory, push, apply };
}

const NOTICE: WebhookNotice = {
  project: PROJECT,
  provider: 'stripe',
  event: 'evt_1',
  type: 'invoice.paid',
  createdAt: NOW,
  object: { id: 'in_1', type: 'invoice' },
};

describe('a webhook is only a hint', () => {
  test('the object is read again: an event that says paid about an open invoice changes nothing', async () => {
    const at = world();
    await at.push();
    expect(await at.apply()).toBe('nothing_new');
    expect(at.memory.stored.invoice.status).toBe('issued');
  });

  test('the same event twice has one effect, and the second time nothing is read', async () => {
    const at = world();
    await at.push();
    at.provider.set('in_1', { status: 'paid', receivedMinor: 1000n });
    expect(await at.apply()).toBe('applied');
    const { count } = at.faults;
    expect(await at.apply()).toBe('already_processed');
    expect(at.faults.count).toBe(count);
    expect(at.memory.typesOfEvents()).toEqual(['InvoicePaid']);
  });

  test('another event about the same change has no second effect', async () => {
    const at = world();
    await at.push();
    at.provider.set('in_1', { status: 'paid', receivedMinor: 1000n });
    await at.apply({ event: 'evt_1', type: 'invoice.payment_succeeded' });
    expect(await at.apply({ event: 'evt_2', type: 'invoice.paid' })).toBe('nothing_new');
    expect(at.memory.typesOfEvents()).toEqual(['InvoicePaid']);
  });

  test('an old event after a newer one takes nothing back', async () => {
    const at = world();
    await at.push();
    at.provider.set('in_1', { status: 'paid', receivedMinor: 1000n });
    await at.apply({ event: 'evt_2', type: 'invoice.paid' });
    expect(await at.apply({ event: 'evt_1', type: 'invoice.finalized' })).toBe('nothing_new');
    expect(at.memory.stored.invoice.status).toBe('paid');
  });

  test('paid before our own push knows of finalizing: the invoice is paid, and the push ends quietly', async () => {
    const at = world('pays');
    at.faults.plan.set(9, 'kill_before'); // finalized at the provider, not yet stored by us
    await expect(at.push()).rejects.toThrow();
    at.provider.set('in_1', { status: 'paid', receivedMinor: 1000n });
    expect(await at.apply()).toBe('applied');
    expect((await at.push()).invoice.status).toBe('paid');
    expect(at.provider.charges).toEqual([]);
    expect(at.memory.typesOfEvents()).toEqual(['InvoicePaid']);
  });

  test('an effect whose write was lost before it was made comes again with the event', async () => {
    const at = world();
    await at.push();
    at.provider.set('in_1', { status: 'paid', receivedMinor: 1000n });
    at.faults.plan.set(at.faults.count + 2, 'lost_before');
    await expect(at.apply()).rejects.toThrow();
    expect(at.memory.processed.size).toBe(0);
    expect(await at.apply()).toBe('applied');
    expect(at.memory.typesOfEvents()).toEqual(['InvoicePaid']);
  });
});

describe('what is not ours to act on is marked and done', () => {
  test('other objects, invoices that are gone, and invoices without our ids', async () => {
    const at = world();
    await at.push();
    expect(await at.apply({ event: 'a', type: 'charge.succeeded', object: { id: 'ch_1', type: 'charge' } })).toBe(
      'not_an_invoice',
    );
    expect(await at.apply({ event: 'b', type: 'something.new', object: { id: 'x', type: 'thing' } })).toBe(
      'not_an_invoice',
    );
    expect(await at.apply({ event: 'c', object: { id: 'in_9', type: 'invoice' } })).toBe('gone');
    at.provider.set('in_1', { project: null, invoice: null });
    expect(await at.apply({ event: 'd' })).toBe('not_ours');
    at.provider.set('in_1', { project: 'prj_other', invoice: 'inv_one' });
    expect(await at.apply({ event: 'e' })).toBe('not_ours');
    expect([...at.memory.processed.values()]).toEqual([
      'not_an_invoice',
      'not_an_invoice',
      'gone',
      'not_ours',
      'not_ours',
    ]);
  });

  test('a second invoice at the provider that claims to be ours is told apart and changes nothing', async () => {
    const at = world();
    await at.push();
    const first = at.provider.invoices.get('in_1');
    if (first) at.provider.invoices.set('in_2', { ...first, id: 'in_2', status: 'paid' });
    expect(await at.apply({ object: { id: 'in_2', type: 'invoice' } })).toBe('duplicate_at_provider');
    expect(at.memory.stored.invoice.status).toBe('issued');
  });
});
