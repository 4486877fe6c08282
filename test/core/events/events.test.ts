import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { eventDataSchemas, eventEnvelopeSchema } from '../../../core/events/event-schemas.ts';
import { invoiceIssued, invoicePaidAtOnce } from '../../../core/events/invoice-events.ts';
import type { EventBus, Outbox, WaitingEvent } from '../../../core/events/ports.ts';
import { envelopeOf, type ProductEvent, productEvent } from '../../../core/events/product-event.ts';
import { publishOutbox } from '../../../core/events/publish-outbox.ts';
import type { BillingRunId, CustomerId, InvoiceId, ProjectId } from '../../../core/ids.ts';
import type { Invoice } from '../../../core/invoicing/invoice.ts';
import { parseBillingPeriod } from '../../../core/time/billing-period.ts';
import { parseInstant } from '../../../core/time/instant.ts';

const project = 'prj_demo' as ProjectId;

const ISSUED: Invoice = {
  id: 'inv_1' as InvoiceId,
  project,
  customer: 'acme' as CustomerId,
  account: 'acme/USD',
  period: parseBillingPeriod('2026-11', 'UTC'),
  purpose: 'period',
  ordinal: 1,
  currency: 'USD',
  status: 'issued',
  number: 'INV-000001',
  lines: [],
  totalMinor: 4515n,
  draftedAt: parseInstant('2026-12-01T01:00:00Z'),
  issuedAt: parseInstant('2026-12-01T01:01:00Z'),
  dueAt: parseInstant('2026-12-15T01:01:00Z'),
  evidence: { sha256: '00', key: 'evidence/prj_demo/00.json.gz' },
};

describe('events', () => {
  test('of one fact have one id, however often and whenever they are made', () => {
    const event = invoiceIssued(ISSUED, 'run_1' as BillingRunId);
    expect(invoiceIssued({ ...ISSUED, totalMinor: 1n }, 'run_2' as BillingRunId).id).toBe(event.id);
    expect(invoicePaidAtOnce(ISSUED).id).not.toBe(event.id);
    expect(invoiceIssued({ ...ISSUED, project: 'prj_other' as ProjectId }, 'run_1' as BillingRunId).id).not.toBe(
      event.id,
    );
  });

  test('say amounts in major units and satisfy the published schema', () => {
    const envelope = eventEnvelopeSchema.parse(envelopeOf(invoiceIssued(ISSUED, 'run_1' as BillingRunId)));
    expect(eventDataSchemas.InvoiceIssued.parse(envelope.data)).toEqual({
      invoice_id: 'inv_1',
      number: 'INV-000001',
      customer: 'acme',
      period: '2026-11',
      currency: 'USD',
      total: '45.15',
      issued_at: '2026-12-01T01:01:00.000Z',
      due_at: '2026-12-15T01:01:00.000Z',
      billing_run_id: 'run_1',
    });
    const paid = invoicePaidAtOnce({ ...ISSUED, totalMinor: 0n });
    expect(eventDataSchemas.InvoicePaid.parse(paid.data)).toMatchObject({ amount_paid: '0.00', provider: 'none' });
  });

  test('cannot be told of an invoice that was not issued', () => {
    expect(() => invoiceIssued({ ...ISSUED, number: null }, 'run_1' as BillingRunId)).toThrow('was not issued');
  });

  test('are all described in docs/events.md, member by member', () => {
    const page = readFileSync(new URL('../../../docs/events.md', import.meta.url), 'utf8');
    for (const [type, schema] of Object.entries(eventDataSchemas)) {
      const section = page.split('\n## ').find((part) => part.startsWith(`${type}\n`)) ?? '';
      const missing = Object.keys(schema.shape).filter((member) => !section.includes(`\`${member}\``));
      expect({ type, missing }).toEqual({ type, missing: [] });
    }
  });
});

describe('publishing the outbox', () => {
  const event = (n: number): ProductEvent =>
    productEvent({
      type: 'InvoiceIssued',
      project,
      occurredAt: parseInstant(`2026-12-01T01:00:${String(n).padStart(2, '0')}Z`),
      subject: [String(n)],
      data: invoiceIssued(ISSUED, 'run_1' as BillingRunId).data,
    });

  function outboxOf(count: number): Outbox & { readonly entries: WaitingEvent[] } {
    const entries = Array.from({ length: count }, (_value, n) => ({
      entry: String(n).padStart(3, '0'),
      event: event(n),
    }));
    return {
      entries,
      waiting: async (_project, after, limit) =>
        entries.filter(({ entry }) => after === null || entry > after).slice(0, limit),
      remove: async (_project, gone) => {
        for (const name of gone)
          entries.splice(
            entries.findIndex(({ entry }) => entry === name),
            1,
          );
      },
    };
  }

  function busRefusing(refused: readonly string[]): EventBus & { readonly taken: string[]; calls: number } {
    const bus = {
      taken: [] as string[],
      calls: 0,
      publish: async (events: readonly ProductEvent[]) => {
        bus.calls += 1;
        const answers = events.map(({ id }) => !refused.includes(id));
        bus.taken.push(...events.filter((_event, index) => answers[index]).map(({ id }) => id));
        return answers;
      },
    };
    return bus;
  }

  test('sends tens, oldest first, and forgets what the bus took', async () => {
    const outbox = outboxOf(23);
    const bus = busRefusing([]);
    expect(await publishOutbox({ project }, { outbox, bus })).toEqual({ published: 23, kept: 0, oldestKept: null });
    expect(bus.calls).toBe(3);
    expect(bus.taken[0]).toBe(event(0).id);
    expect(outbox.entries).toEqual([]);
  });

  test('keeps what the bus refused without holding up what comes after it', async () => {
    const outbox = outboxOf(12);
    const bus = busRefusing([event(3).id]);
    expect(await publishOutbox({ project }, { outbox, bus })).toEqual({
      published: 11,
      kept: 1,
      oldestKept: '2026-12-01T01:00:03.000Z',
    });
    expect(outbox.entries.map(({ entry }) => entry)).toEqual(['003']);
  });

  test('publishes again, under the same id, what it published before a crash but did not forget', async () => {
    const outbox = outboxOf(2);
    const bus = busRefusing([]);
    const dying: Outbox = { ...outbox, remove: async () => Promise.reject(new Error('killed')) };
    await expect(publishOutbox({ project }, { outbox: dying, bus })).rejects.toThrow('killed');
    await publishOutbox({ project }, { outbox, bus });
    expect(bus.taken).toEqual([event(0).id, event(1).id, event(0).id, event(1).id]);
  });
});
