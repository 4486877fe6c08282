import { describe, expect, test } from 'vitest';
import type { InvoiceStatus } from '../../../core/invoicing/invoice.ts';
import { EMPTY_PAYMENT, isPushed, type ProviderStatus } from '../../../core/payments/payment-record.ts';
import { advancePayment } from '../../../core/payments/payment-state.ts';
import type { ProviderInvoice, StoredPayment } from '../../../core/payments/ports.ts';
import { invoiceOf, NOW, PROJECT } from './payment-fixtures.ts';

function seenAs(status: ProviderStatus, change: Partial<ProviderInvoice> = {}): ProviderInvoice {
  return {
    id: 'in_1',
    providerCustomer: 'cus_1',
    project: PROJECT,
    invoice: 'inv_one',
    status,
    hasLines: true,
    totalMinor: 1000n,
    dueMinor: 1000n,
    receivedMinor: status === 'paid' ? 1000n : 0n,
    outOfBandMinor: 0n,
    attemptCount: 0,
    isProcessing: false,
    failureCode: null,
    hostedUrl: null,
    paidAt: null,
    ...change,
  };
}

function storedAs(status: InvoiceStatus, change: Partial<typeof EMPTY_PAYMENT> = {}): StoredPayment {
  return { invoice: { ...invoiceOf([1000n]), status }, payment: { ...EMPTY_PAYMENT, ...change }, version: 1 };
}

describe('states only move forward', () => {
  // our status, what the provider says, then our status (null: an older view, nothing changes)
  const cases: [InvoiceStatus, ProviderStatus, InvoiceStatus | null][] = [
    ['issued', 'draft', 'issued'],
    ['issued', 'open', 'issued'],
    ['issued', 'uncollectible', 'uncollectible'],
    ['issued', 'paid', 'paid'],
    ['issued', 'void', 'void'],
    ['uncollectible', 'open', null],
    ['uncollectible', 'paid', 'paid'],
    ['uncollectible', 'void', 'void'],
    ['paid', 'draft', null],
    ['paid', 'open', null],
    ['paid', 'uncollectible', null],
    ['paid', 'void', null],
    ['paid', 'paid', 'paid'],
    ['void', 'paid', null],
    ['void', 'open', null],
  ];
  test.each(cases)('%s, provider says %s: %s', (before, seen, after) => {
    expect(advancePayment(storedAs(before), seenAs(seen), NOW)?.status ?? null).toBe(after);
  });

  test('an older view of an open invoice takes back neither a failed attempt nor its reason', () => {
    const failed = storedAs('issued', { failedAttempts: 2, lastFailure: { code: 'insufficient_funds', at: NOW } });
    const next = advancePayment(failed, seenAs('open', { attemptCount: 1 }), NOW);
    expect(next?.payment).toMatchObject({ failedAttempts: 2, lastFailure: { code: 'insufficient_funds' } });
    expect(next?.events).toEqual([]);
  });
});

describe('events', () => {
  test('paid is told when it becomes true and not again', () => {
    expect(advancePayment(storedAs('issued'), seenAs('paid'), NOW)?.events.map((one) => one.type)).toEqual([
      'InvoicePaid',
    ]);
    expect(advancePayment(storedAs('paid'), seenAs('paid'), NOW)?.events).toEqual([]);
  });

  test('each failed attempt is told under its own id, the same one under the same id', () => {
    const first = advancePayment(storedAs('issued'), seenAs('open', { attemptCount: 1 }), NOW)?.events ?? [];
    const again = advancePayment(storedAs('issued'), seenAs('open', { attemptCount: 1 }), NOW)?.events ?? [];
    const second =
      advancePayment(storedAs('issued', { failedAttempts: 1 }), seenAs('open', { attemptCount: 2 }), NOW)?.events ?? [];
    expect(first.map((one) => one.type)).toEqual(['PaymentFailed']);
    expect(again[0]?.id).toBe(first[0]?.id);
    expect(second[0]?.id).not.toBe(first[0]?.id);
  });

  test('money received out of band counts as paid, with nothing received through the provider', () => {
    const next = advancePayment(storedAs('issued'), seenAs('paid', { receivedMinor: 0n, outOfBandMinor: 1000n }), NOW);
    expect(next?.payment.amounts).toEqual({ due: '1000', received: '0', outOfBand: '1000', toBalance: '0' });
    expect(next?.events[0]?.data).toMatchObject({ amount_paid: '10.00', amount_to_balance: '0.00' });
  });
});

describe('pushing is through', () => {
  const open = { ...EMPTY_PAYMENT, status: 'open' } as const;
  test.each([
    ['nothing was begun', 'issued', null, false],
    ['only a draft was made', 'issued', { ...EMPTY_PAYMENT, status: 'draft' }, false],
    ['finalized, to be charged', 'issued', { ...open, collection: 'charge_automatically' }, false],
    [
      'charged, end unknown',
      'issued',
      { ...open, collection: 'charge_automatically', payAttempt: 1, isPayPending: true },
      false,
    ],
    ['charged and declined', 'issued', { ...open, collection: 'charge_automatically', payAttempt: 1 }, true],
    ['sent', 'issued', { ...open, collection: 'send_invoice' }, true],
    ['paid', 'paid', open, true],
    ['zero, paid by being issued', 'paid', null, true],
  ] as const)('%s', (_name, status, payment, through) => {
    expect(isPushed(status, payment)).toBe(through);
  });
});
