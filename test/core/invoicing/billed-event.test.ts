import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { ProjectId } from '../../../core/ids.ts';
import { type BilledEventDeps, billedEvent, type EventToBill } from '../../../core/invoicing/billed-event.ts';
import { freezeEvidence } from '../../../core/invoicing/evidence.ts';
import type { Instant } from '../../../core/time/instant.ts';

const EVENT: EventToBill = {
  project: 'prj_demo' as ProjectId,
  customer: 'acme',
  occurredAt: '2026-11-21T10:16:00.000Z' as Instant,
  partition: '0.2026112110',
  sequence: 5,
  voidedAt: null,
};
const NOVEMBER = { period: '2026-11', start: '2026-11-01T00:00:00.000Z', end: '2026-12-01T00:00:00.000Z' };

/** An invoice with a line for `calls` in November, whose evidence had seen the partition up to `cursor`. */
function invoiced(id: string, cursor: number, kind: 'usage' | 'adjustment' = 'usage', key = '20261121/') {
  const service = { input: {}, views: [{ key, version: 1, cursors: { [EVENT.partition]: cursor } }] };
  const evidence = {
    ...{ format: 1, invoice: id, subject: { project: EVENT.project }, codeVersion: '1' },
    services: kind === 'usage' ? [service] : [],
    earlier: kind === 'usage' ? [] : [{ period: '2026-11', services: [service], billed: [] }],
  };
  const { text, reference } = freezeEvidence(evidence as never);
  const line = { key: `sub/calls/${kind}`, kind, meter: 'calls', servicePeriod: NOVEMBER };
  return {
    invoice: { id, number: `N-${id}`, status: 'issued', lines: [line], evidence: reference },
    body: gzipSync(text),
  };
}

const READS = {
  subscriptionsOf: async () => [
    {
      subscription: {
        ...{ start: '2026-11-01T00:00:00.000Z', end: null },
        phases: [
          {
            number: 1,
            from: '2026-11-01T00:00:00.000Z',
            state: 'active',
            plan: 'pro',
            planVersion: 1,
            prorate: true,
          },
        ],
      },
    },
  ],
  planVersion: async () => ({ currency: 'USD', charges: [{ kind: 'usage', meter: 'calls' }] }),
  newestPriceList: async (): Promise<unknown> => null,
};

function deps(invoices: readonly ReturnType<typeof invoiced>[], more: object = {}): BilledEventDeps {
  const bodies = new Map(invoices.map(({ invoice, body }) => [invoice.evidence.key, body]));
  return {
    invoices: {
      list: async () => ({ items: invoices.map(({ invoice }) => ({ invoice, payment: null })), cursor: null }),
    },
    customers: { find: async () => ({ customer: {} }) },
    evidence: { read: async (key: string) => bodies.get(key) ?? null },
    reads: READS,
    ...more,
  } as never;
}

describe('where an event was billed', () => {
  test('the line of its meter and time, and whether the evidence had seen it', async () => {
    const { lines, missing } = await billedEvent(
      EVENT,
      ['calls'],
      deps([invoiced('inv_2', 7, 'adjustment'), invoiced('inv_1', 4)]),
    );
    expect(lines.map(({ invoice, line, event }) => [invoice, line, event])).toEqual([
      ['inv_2', 'sub/calls/adjustment', 'in_quantity'],
      ['inv_1', 'sub/calls/usage', 'not_in_quantity'],
    ]);
    expect([...missing]).toEqual([]);
  });

  test.each([
    ['its own chunk is the last one seen', 5, null, 'in_quantity'],
    ['the chunk before it is', 4, null, 'not_in_quantity'],
    ['its void was seen too', 8, 8, 'voided_in_quantity'],
    ['its void came later', 7, 8, 'in_quantity'],
  ])('%s', async (_what, cursor, voidedAt, expected) => {
    const { lines } = await billedEvent({ ...EVENT, voidedAt }, ['calls'], deps([invoiced('inv_1', cursor)]));
    expect(lines.map(({ event }) => event)).toEqual([expected]);
  });

  test('views of another day or another meter prove nothing, and evidence that cannot be read neither', async () => {
    for (const key of ['20261120/', '20261121/tokens'])
      expect((await billedEvent(EVENT, ['calls'], deps([invoiced('inv_1', 9, 'usage', key)]))).lines[0]?.event).toBe(
        'not_in_quantity',
      );
    expect(
      (await billedEvent(EVENT, ['calls'], deps([invoiced('inv_1', 9, 'usage', '20261121/calls~a')]))).lines[0]?.event,
    ).toBe('in_quantity');
    const unreadable = deps([invoiced('inv_1', 9)], { evidence: { read: async () => Buffer.from('x') } });
    expect((await billedEvent(EVENT, ['calls'], unreadable)).lines[0]?.event).toBe('unknown');
  });

  test('without a line it says why', async () => {
    const reason = async (meter: string, more: object = {}) =>
      (await billedEvent(EVENT, [meter], deps([], more))).missing.get(meter);
    expect(await reason('calls')).toBe('not_billed_yet');
    expect(await reason('tokens')).toBe('no_charge');
    const listed = { currency: 'USD', version: 1, charges: [{ kind: 'usage', meter: 'tokens' }] };
    expect(await reason('tokens', { reads: { ...READS, newestPriceList: async () => listed } })).toBe('not_billed_yet');
    expect(await reason('calls', { reads: { subscriptionsOf: async () => [] } })).toBe('no_subscription');
    expect(await reason('calls', { customers: { find: async () => undefined } })).toBe('customer_unassigned');
  });
});
