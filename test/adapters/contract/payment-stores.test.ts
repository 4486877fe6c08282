import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keyAttributes } from '../../../adapters/dynamodb/attributes.ts';
import { customerPayments } from '../../../adapters/dynamodb/customer-payments.ts';
import { customerStore } from '../../../adapters/dynamodb/customers.ts';
import { invoicePayments } from '../../../adapters/dynamodb/invoice-payments.ts';
import { dynamoDrafts, invoiceItem } from '../../../adapters/dynamodb/invoices.ts';
import { billingKeys } from '../../../adapters/dynamodb/keys.ts';
import { dynamoOutbox } from '../../../adapters/dynamodb/outbox.ts';
import { providerThrottle } from '../../../adapters/dynamodb/provider-throttle.ts';
import { webhookEvents } from '../../../adapters/dynamodb/webhook-events.ts';
import { invoicePaid } from '../../../core/events/invoice-events.ts';
import type { DraftBasis } from '../../../core/invoicing/draft-basis.ts';
import { EMPTY_PAYMENT } from '../../../core/payments/payment-record.ts';
import type { WebhookNotice } from '../../../core/payments/ports.ts';
import { CUSTOMER, invoiceOf, NOW, PROJECT } from '../../core/payments/payment-fixtures.ts';
import { type LocalTables, startLocalTables } from '../../support/local-tables.ts';

let tables: LocalTables;
beforeAll(async () => {
  tables = await startLocalTables();
});
afterAll(() => tables.stop());

const NOTICE: WebhookNotice = {
  project: PROJECT,
  provider: 'stripe',
  event: 'evt_1',
  type: 'invoice.paid',
  createdAt: NOW,
  object: { id: 'in_1', type: 'invoice' },
};

async function putInvoice(id: string) {
  const invoice = invoiceOf([1000n], 'USD', id);
  const Item = invoiceItem(invoice, { entries: [] as unknown } as DraftBasis, 3);
  await tables.client.send(new PutItemCommand({ TableName: tables.billing, Item }));
  return invoice;
}

describe('the payment of an invoice', () => {
  test('moves status, payment and version in one write and leaves the document and lists alone', async () => {
    const invoice = await putInvoice('inv_moves');
    const store = invoicePayments(tables.client, tables.billing);
    const stored = await store.find(PROJECT, invoice.id);
    if (stored === null) throw new Error('not found');
    expect([stored.version, stored.payment, stored.invoice.status]).toEqual([3, null, 'issued']);
    const payment = { ...EMPTY_PAYMENT, providerInvoice: 'in_1' };
    expect(await store.save({ stored, status: 'paid', payment, events: [] })).toBe('stored');
    expect(await store.find(PROJECT, invoice.id)).toEqual({
      invoice: { ...invoice, status: 'paid' },
      payment,
      version: 4,
    });
    const draft = await dynamoDrafts(tables.client, tables.billing).find(PROJECT, invoice.id);
    expect(draft?.invoice).toEqual({ ...invoice, status: 'paid' });
  });

  test('a change over an older version is refused, and then neither events nor the webhook mark are written', async () => {
    const invoice = await putInvoice('inv_refused');
    const store = invoicePayments(tables.client, tables.billing);
    const stored = await store.find(PROJECT, invoice.id);
    if (stored === null) throw new Error('not found');
    await store.save({ stored, status: 'issued', payment: EMPTY_PAYMENT, events: [] });
    const event = invoicePaid(invoice, {
      receivedMinor: 1000n,
      toBalanceMinor: 0n,
      providerInvoice: 'in_1',
      paidAt: NOW,
      at: NOW,
    });
    const notice = { ...NOTICE, event: 'evt_refused' };
    const late = {
      stored,
      status: 'paid',
      payment: EMPTY_PAYMENT,
      events: [event],
      processed: { notice, at: NOW },
    } as const;
    expect(await store.save(late)).toBe('refused');
    expect(await dynamoOutbox(tables.client, tables.billing).waiting(PROJECT, null, 10)).toEqual([]);
    expect(await webhookEvents(tables.client, tables.billing).receive(notice, NOW)).toBe('waiting');
  });

  test('an effect, its event and the mark of its webhook are one transaction', async () => {
    const invoice = await putInvoice('inv_effect');
    const store = invoicePayments(tables.client, tables.billing);
    const stored = await store.find(PROJECT, invoice.id);
    if (stored === null) throw new Error('not found');
    const event = invoicePaid(invoice, {
      receivedMinor: 1000n,
      toBalanceMinor: 0n,
      providerInvoice: 'in_1',
      paidAt: NOW,
      at: NOW,
    });
    const notice = { ...NOTICE, event: 'evt_effect' };
    await store.save({
      stored,
      status: 'paid',
      payment: EMPTY_PAYMENT,
      events: [event],
      processed: { notice, at: NOW },
    });
    const waiting = await dynamoOutbox(tables.client, tables.billing).waiting(PROJECT, null, 10);
    expect(waiting.map((one) => one.event)).toEqual([event]);
    expect(await webhookEvents(tables.client, tables.billing).receive(notice, NOW)).toBe('processed');
  });
});

describe('webhooks by event id', () => {
  test('a notice waits until it is marked, however often it comes, and is kept 90 days', async () => {
    const store = webhookEvents(tables.client, tables.billing);
    expect(await store.receive(NOTICE, NOW)).toBe('waiting');
    expect(await store.receive(NOTICE, NOW)).toBe('waiting');
    await store.markProcessed(NOTICE, NOW, 'nothing_new');
    expect(await store.receive(NOTICE, NOW)).toBe('processed');
    const Key = keyAttributes(billingKeys.webhookEvent(PROJECT, 'stripe', 'evt_1'));
    const { Item } = await tables.client.send(new GetItemCommand({ TableName: tables.billing, Key }));
    // 2026-12-01 is 1,796,083,200; 90 days are 7,776,000 s
    expect(Item?.ttl?.N).toBe('1803859200');
  });
});

describe('the place of a customer at the provider', () => {
  test('is written over what was read, beside the customer and not into it', async () => {
    const customers = customerStore(tables.client, tables.billing);
    await customers.put(PROJECT, CUSTOMER, 0);
    const store = customerPayments(tables.client, tables.billing);
    const before = await store.find(PROJECT, CUSTOMER.id);
    if (before === null) throw new Error('not found');
    const intent = { providerCustomer: null, createBegunAt: NOW, generation: 1, synced: null };
    expect(await store.save(PROJECT, before, intent)).toBe('stored');
    expect(await store.save(PROJECT, before, { ...intent, generation: 2 })).toBe('refused');
    const made = { ...intent, providerCustomer: 'cus_1', synced: 'x' };
    expect(await store.save(PROJECT, { ...before, payment: intent }, made)).toBe('stored');
    expect(await store.find(PROJECT, CUSTOMER.id)).toEqual({ customer: CUSTOMER, payment: made });
    await customers.put(PROJECT, { ...CUSTOMER, name: 'New' }, 1);
    expect((await store.find(PROJECT, CUSTOMER.id))?.payment).toEqual(made);
  });

  test('is not written for a customer that does not exist', async () => {
    const store = customerPayments(tables.client, tables.billing);
    const nobody = { customer: { ...CUSTOMER, id: 'nobody' as typeof CUSTOMER.id }, payment: null };
    const intent = { providerCustomer: null, createBegunAt: NOW, generation: 1, synced: null };
    expect(await store.save(PROJECT, nobody, intent)).toBe('refused');
  });
});

describe('the shared throttle', () => {
  test('four workers with ten callers each never pass 25 calls of an endpoint in a second', async () => {
    const base = Date.parse('2026-12-01T00:00:00Z');
    const called: number[] = [];
    const worker = () =>
      providerThrottle({
        client: tables.client,
        table: tables.billing,
        project: PROJECT,
        provider: 'stripe',
        nowMs: () => base,
        sleep: async (ms) => {
          called.push(base + ms);
        },
      });
    const workers = Array.from({ length: 4 }, worker);
    await Promise.all(workers.flatMap((one) => Array.from({ length: 10 }, () => one.take('POST pay'))));
    // a slot in the past is not waited for
    const slots = [...called, ...Array.from({ length: 40 - called.length }, () => base)].sort((a, b) => a - b);
    expect(new Set(called).size).toBe(called.length);
    for (const start of slots)
      expect(slots.filter((at) => at >= start && at < start + 1000).length).toBeLessThanOrEqual(25);
    // 40 slots of 50 ms, begun 50 ms early
    expect(slots.at(-1)).toBe(base + 39 * 50 - 50);
  });

  test('a caller that comes while others are served is served too', async () => {
    const throttle = providerThrottle({
      client: tables.client,
      table: tables.billing,
      project: PROJECT,
      provider: 'other',
      nowMs: () => Date.now(),
      sleep: async () => undefined,
    });
    await throttle.take('a');
    await Promise.all([throttle.take('a'), throttle.take('b').then(() => throttle.take('a'))]);
    await throttle.take('c');
  });
});
