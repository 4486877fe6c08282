import type { Customer } from '../../../core/accounts/customer.ts';
import type { CustomerId, InvoiceId, ProjectId, SubscriptionId } from '../../../core/ids.ts';
import type { Invoice, InvoiceLine } from '../../../core/invoicing/invoice.ts';
import type { Currency } from '../../../core/money/currency.ts';
import { type Instant, parseInstant } from '../../../core/time/instant.ts';

export const PROJECT = 'prj_demo' as ProjectId;
export const CUSTOMER: Customer = { id: 'acme' as CustomerId, name: 'Acme', email: 'ap@acme.test', timeZone: 'UTC' };
export const NOW = parseInstant('2026-12-01T00:00:00Z');

const START = parseInstant('2026-11-01T00:00:00Z');

export function lineOf(key: string, amountMinor: bigint, charge = key): InvoiceLine {
  return {
    key: `sub_1/${key}/usage`,
    kind: 'usage',
    description: `Charge ${charge}`,
    subscription: 'sub_1' as SubscriptionId,
    charge,
    meter: 'api_calls',
    servicePeriod: { period: '2026-11', start: START, end: NOW },
    quantity: '1000',
    allowanceUsed: '0',
    unit: 'calls',
    steps: [],
    exactAmount: '0',
    rounding: 'half_away_from_zero',
    amountMinor,
    carriedMinor: 0n,
    priceVersion: 'basic@1',
  };
}

/** An issued invoice, due in 30 days, with the given line amounts in minor units. */
export function invoiceOf(amounts: readonly bigint[], currency: Currency = 'USD', id = 'inv_one'): Invoice {
  const lines = amounts.map((amount, index) => lineOf(`charge-${index}`, amount));
  return {
    id: id as InvoiceId,
    project: PROJECT,
    customer: CUSTOMER.id,
    account: `acme/${currency}`,
    period: { key: '2026-11', start: START, end: NOW, timeZone: 'UTC' } as Invoice['period'],
    purpose: 'period',
    ordinal: 0,
    currency,
    status: 'issued',
    number: 'INV-000001',
    lines,
    totalMinor: amounts.reduce((sum, amount) => sum + amount, 0n),
    draftedAt: NOW,
    issuedAt: NOW,
    dueAt: parseInstant('2026-12-31T00:00:00Z'),
    evidence: { sha256: 'ab'.repeat(32), key: 'evidence/ab' },
  };
}

/** A clock that a test moves. */
export class HandClock {
  at: Instant = NOW;
  now(): Instant {
    return this.at;
  }
}
