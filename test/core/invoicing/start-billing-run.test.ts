import { describe, expect, test } from 'vitest';
import type { ProjectId } from '../../../core/ids.ts';
import type { BillingRun } from '../../../core/invoicing/billing-run.ts';
import { DEFAULT_BILLING_SETTINGS, invoiceNumber } from '../../../core/invoicing/billing-settings.ts';
import { dueInvoices } from '../../../core/invoicing/due-invoices.ts';
import type { BillingRuns } from '../../../core/invoicing/ports.ts';
import { startBillingRun } from '../../../core/invoicing/start-billing-run.ts';
import { parseInstant } from '../../../core/time/instant.ts';
import { onePhase } from '../../support/subscription-fixtures.ts';

const project = 'prj_demo' as ProjectId;
const NOW = parseInstant('2026-12-01T01:00:00Z');

function deps() {
  const started: BillingRun[] = [];
  const runs = { create: async (run: BillingRun) => run } as BillingRuns;
  return {
    runs,
    started,
    clock: { now: () => NOW },
    starter: { start: async (run: BillingRun) => void started.push(run) },
  };
}

describe('starting a billing run', () => {
  test('looks from now when no instant is given', async () => {
    const given = deps();
    const run = await startBillingRun({ project, reason: 'request' }, given);
    expect(run).toMatchObject({ asOf: '2026-12-01T01:00:00.000Z', through: null, status: 'running' });
    expect(given.started).toEqual([run]);
  });

  test('refuses an instant that has not come', async () => {
    const asOf = parseInstant('2026-12-01T01:00:00.001Z');
    await expect(startBillingRun({ project, reason: 'request', asOf }, deps())).rejects.toMatchObject({
      code: 'as_of_in_future',
    });
  });

  test.each([
    // November ends first at UTC+14: 30 November 10:00 UTC
    ['2026-11-30T10:00:00Z', true],
    ['2026-11-30T09:59:59.999Z', false],
  ])('takes through 2026-11 as of %s: %s', async (asOf, isTaken) => {
    const start = startBillingRun({ project, reason: 'request', asOf: parseInstant(asOf), through: '2026-11' }, deps());
    if (isTaken) await expect(start).resolves.toMatchObject({ through: '2026-11' });
    else await expect(start).rejects.toMatchObject({ code: 'period_not_closed' });
  });

  test('gives different runs to different requests and one to a repeated one', async () => {
    const id = async (requestKey: string, through: string | null = null) =>
      (await startBillingRun({ project, reason: 'request', asOf: NOW, through, requestKey }, deps())).id;
    expect(await id('a')).toBe(await id('a'));
    expect(await id('a')).not.toBe(await id('b'));
    expect(await id('a')).not.toBe(await id('a', '2026-10'));
  });
});

describe('closed periods', () => {
  const subscription = {
    id: 'sub_1' as never,
    customer: 'acme' as never,
    phases: onePhase('2026-09-15T00:00:00Z'),
    start: parseInstant('2026-09-15T00:00:00Z'),
    end: null,
    interval: 'month',
    billing: 'calendar',
    billedThrough: parseInstant('2026-09-15T00:00:00Z'),
  } as const;
  const until = (closedBy: string, through: string | null = null) => {
    const instant = parseInstant(closedBy);
    return { asOf: instant, closedBy: instant, through };
  };
  const keys = (closedBy: string, through: string | null = null) =>
    dueInvoices([subscription], 'UTC', until(closedBy, through)).map(({ period }) => period.key);

  test('end exactly at the boundary or before', () => {
    expect(keys('2026-11-30T23:59:59.999Z')).toEqual(['2026-09', '2026-10']);
    expect(keys('2026-12-01T00:00:00Z')).toEqual(['2026-09', '2026-10', '2026-11']);
    expect(keys('2026-12-01T00:00:00Z', '2026-09')).toEqual(['2026-09']);
  });

  test('of a calendar and an anniversary subscription come in the order of their ends', () => {
    const anniversary = { ...subscription, id: 'sub_2' as never, billing: 'anniversary' } as const;
    const found = dueInvoices([subscription, anniversary], 'UTC', until('2026-11-20T00:00:00Z'));
    expect(found.map(({ period }) => period.key)).toEqual([
      '2026-09',
      '2026-09-15_2026-10-15',
      '2026-10',
      '2026-10-15_2026-11-15',
    ]);
  });

  test('are at most 24 at a time, the oldest first', () => {
    const billedThrough = parseInstant('2020-01-01T00:00:00Z');
    const old = { ...subscription, billedThrough, phases: onePhase('2020-01-01T00:00:00Z') };
    const due = dueInvoices([{ ...old, start: old.billedThrough }], 'UTC', until('2026-12-01T00:00:00Z'));
    const found = due.map(({ period }) => period.key);
    expect([found.length, found[0], found[23]]).toEqual([24, '2020-01', '2021-12']);
  });
});

test('invoice numbers are padded to six digits, grow beyond them and stay within 26 characters', () => {
  expect(invoiceNumber(DEFAULT_BILLING_SETTINGS, 1)).toBe('INV-000001');
  expect(invoiceNumber(DEFAULT_BILLING_SETTINGS, 1_000_000)).toBe('INV-1000000');
  const longest = { ...DEFAULT_BILLING_SETTINGS, numberPrefix: 'ABCDEFGHIJKLM', numberDigits: 12 };
  expect(invoiceNumber(longest, 999_999_999_999)).toHaveLength(26);
});
