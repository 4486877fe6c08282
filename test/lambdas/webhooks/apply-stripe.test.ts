import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import type { SQSEvent } from 'aws-lambda';
import { expect, test, vi } from 'vitest';
import { BillingError } from '../../../core/errors.ts';
import type { WebhookNotice } from '../../../core/payments/ports.ts';
import { pushInvoice } from '../../../core/payments/push-invoice.ts';
import { handle } from '../../../lambdas/webhooks/apply-stripe.ts';
import { FakeProvider } from '../../core/payments/fake-provider.ts';
import { Faults } from '../../core/payments/faults.ts';
import { MemoryPayments } from '../../core/payments/memory-payments.ts';
import { CUSTOMER, HandClock, invoiceOf, NOW, PROJECT } from '../../core/payments/payment-fixtures.ts';

async function world() {
  const clock = new HandClock();
  const faults = new Faults();
  const provider = new FakeProvider(faults, clock);
  provider.card = 'none';
  const memory = new MemoryPayments(invoiceOf([1000n]), CUSTOMER, faults);
  const { payments, customers, webhooks: events } = memory;
  await pushInvoice({ project: PROJECT, invoice: memory.stored.invoice.id }, { provider, payments, customers, clock });
  const metrics = new Metrics({ namespace: 'test' });
  const counted = vi.spyOn(metrics, 'addMetric');
  vi.spyOn(metrics, 'publishStoredMetrics').mockImplementation(() => metrics);
  const providers = { of: vi.fn(async () => provider) };
  const apply = handle({ providers, payments, events, clock, metrics, logger: new Logger({ logLevel: 'SILENT' }) });
  const send = (...bodies: unknown[]) =>
    apply({
      Records: bodies.map((body, index) => ({
        messageId: `m-${index}`,
        body: typeof body === 'string' ? body : JSON.stringify(body),
      })),
    } as unknown as SQSEvent);
  return { provider, providers, memory, counted, send };
}

function notice(event: string, change: Partial<WebhookNotice> = {}): WebhookNotice {
  return {
    project: PROJECT,
    provider: 'stripe',
    event,
    type: 'invoice.paid',
    createdAt: NOW,
    object: { id: 'in_1', type: 'invoice' },
    ...change,
  };
}

test('a poison message in the middle of a batch fails alone, and its neighbours are applied', async () => {
  const at = await world();
  at.provider.set('in_1', { status: 'paid', receivedMinor: 1000n });
  const answer = await at.send(
    notice('a', { type: 'charge.x', object: { id: 'ch', type: 'charge' } }),
    '{"no": "notice"',
    notice('b'),
  );
  expect(answer.batchItemFailures).toEqual([{ itemIdentifier: 'm-1' }]);
  expect(at.memory.stored.invoice.status).toBe('paid');
  expect(at.counted).toHaveBeenCalledTimes(1);
});

test('a batch that fails as a whole comes back as a whole, without an error', async () => {
  const at = await world();
  at.providers.of.mockRejectedValue(
    new BillingError({ kind: 'provider', code: 'provider_unreachable', message: 'away' }),
  );
  const answer = await at.send(notice('a'), notice('b'));
  expect(answer.batchItemFailures).toEqual([{ itemIdentifier: 'm-0' }, { itemIdentifier: 'm-1' }]);
  expect(at.memory.processed.size).toBe(0);
});

test('the same event and different events about one change in one batch have one effect', async () => {
  const at = await world();
  at.provider.set('in_1', { status: 'paid', receivedMinor: 1000n });
  const answer = await at.send(notice('a'), notice('a'), notice('b', { type: 'invoice.payment_succeeded' }));
  expect(answer.batchItemFailures).toEqual([]);
  expect(at.memory.typesOfEvents()).toEqual(['InvoicePaid']);
});

test('an event of no interest does not even ask for the account', async () => {
  const at = await world();
  await at.send(notice('a', { type: 'customer.created', object: { id: 'cus_1', type: 'customer' } }));
  expect(at.providers.of).not.toHaveBeenCalled();
});
