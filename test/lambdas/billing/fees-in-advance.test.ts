import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Charge } from '../../../core/catalog/charge.ts';
import type { CustomerId } from '../../../core/ids.ts';
import { isRunDue } from '../../../core/invoicing/is-run-due.ts';
import { previewInvoices } from '../../../core/invoicing/preview-invoices.ts';
import { at, type BillingParts, BillingWorld, CALLS, startBillingParts } from '../../support/billing-world.ts';
import { phasesOf } from '../../support/subscription-fixtures.ts';

/** Fees in advance through whole billing runs: the opening, a month with the next one's fee, what an end or a repair gives back. */
let parts: BillingParts;
beforeAll(async () => {
  parts = await startBillingParts();
});
afterAll(() => parts.stop());

const BASE: Charge = { kind: 'fixed', key: 'base', name: 'Base fee', amount: '30', timing: 'in_advance' };

let projects = 0;
async function world(charges: readonly Charge[] = [BASE, CALLS]): Promise<BillingWorld> {
  projects += 1;
  const made = new BillingWorld(parts, `prj_adv${projects}`);
  await made.catalog(charges);
  return made;
}

async function shown(billing: BillingWorld, asOf: string, through: string | null = null) {
  const run = await billing.run(asOf, through);
  expect(run.report?.failures).toEqual([]);
  const invoices = await billing.issued(run.id);
  return invoices.map(({ purpose, period, totalMinor, lines }) => ({
    invoice: `${purpose} ${period.key}`,
    totalMinor,
    lines: lines.map(({ key, servicePeriod, amountMinor }) => `${key} ${servicePeriod.period} ${amountMinor}`),
  }));
}

const due = (billing: BillingWorld, asOf: string) =>
  isRunDue({ project: billing.project, asOf: at(asOf) }, billing.deps);
const totals = (billing: BillingWorld, customer: string, period: string) =>
  previewInvoices({ project: billing.project, customer: customer as CustomerId, period }, billing.deps);

test('the first fee is on an opening invoice when the subscription begins, the next ones beside the usage of the month before', async () => {
  const billing = await world();
  await billing.customer('acme', '2026-11-10T00:00:00Z', { inAdvance: true });
  expect(await due(billing, '2026-11-09T23:00:00Z')).toBe(false);
  expect(await due(billing, '2026-11-10T00:00:00Z')).toBe(true);
  // 21 of 30 days of 30.00
  expect(await shown(billing, '2026-11-10T00:00:00Z')).toEqual([
    { invoice: 'opening 2026-11', totalMinor: 2100n, lines: ['sub-acme/base/fixed 2026-11 2100'] },
  ]);
  expect(await shown(billing, '2026-11-30T01:00:00Z')).toEqual([]);
  billing.calls('acme', '2026-11', '1000');
  // 21/30 of the 1,000 free calls: 300 x 0.01 = 3.00; and December's fee
  expect(await shown(billing, '2026-12-01T01:00:00Z')).toEqual([
    {
      invoice: 'period 2026-11',
      totalMinor: 3300n,
      lines: ['sub-acme/calls/usage 2026-11 300', 'sub-acme/base/fixed 2026-12 3000'],
    },
  ]);
  billing.calls('acme', '2026-12', '1100');
  expect(await shown(billing, '2027-01-01T01:00:00Z')).toEqual([
    {
      invoice: 'period 2026-12',
      totalMinor: 3100n,
      lines: ['sub-acme/calls/usage 2026-12 100', 'sub-acme/base/fixed 2027-01 3000'],
    },
  ]);
});

test('an end in mid-period gives back the part of the fee that was not used, on the invoice of the period, once', async () => {
  const billing = await world();
  await billing.customer('acme', '2026-11-01T00:00:00Z', { inAdvance: true });
  await shown(billing, '2026-11-01T01:00:00Z');
  billing.calls('acme', '2026-11', '4000');
  await billing.end('acme', '2026-11-21T00:00:00Z');
  // 20 of 30 days: 666.67 calls free, 3,333.333333333333 x 0.01 = 33.33; the fee 20.00 instead of 30.00
  expect(await shown(billing, '2026-12-01T01:00:00Z')).toEqual([
    {
      invoice: 'period 2026-11',
      totalMinor: 2333n,
      lines: ['sub-acme/calls/usage 2026-11 3333', 'sub-acme/base/fixed/adjusts/2026-11 2026-11 -1000'],
    },
  ]);
  const [stored] = await billing.deps.reads.subscriptionsOf(billing.project, 'acme' as CustomerId);
  expect(stored?.subscription).toMatchObject({ billedThrough: '2026-11-21T00:00:00.000Z' });
  expect(stored?.subscription.advanceThrough).toBeUndefined();
  expect(await shown(billing, '2027-01-15T01:00:00Z')).toEqual([]);
});

test('an end at a boundary whose fee is already paid gives that fee back', async () => {
  const billing = await world();
  await billing.customer('acme', '2026-11-01T00:00:00Z', { inAdvance: true });
  await billing.customer('stays', '2026-11-01T00:00:00Z', { inAdvance: true });
  await shown(billing, '2026-11-01T01:00:00Z');
  await shown(billing, '2026-12-01T01:00:00Z');
  await billing.end('acme', '2026-12-01T00:00:00Z');
  const run = await billing.run('2027-01-01T01:00:00Z');
  // Nothing else is billed, so nothing can be given back: the report says that 30.00 are owed.
  expect(run.report?.credits).toEqual([
    { account: 'acme/USD', customer: 'acme', currency: 'USD', amountMinor: '3000' },
  ]);
  expect(run.report?.warnings.join()).toContain('Account acme/USD ended with a credit of 30.00 USD');
  const [stored] = await billing.deps.reads.subscriptionsOf(billing.project, 'acme' as CustomerId);
  expect(stored?.subscription.advanceThrough).toBeUndefined();
});

test('late usage of a month with a fee in advance changes the usage and leaves the fee alone', async () => {
  const billing = await world();
  await billing.customer('acme', '2026-11-01T00:00:00Z', { inAdvance: true });
  await shown(billing, '2026-11-01T01:00:00Z');
  await shown(billing, '2026-12-01T01:00:00Z');
  billing.calls('acme', '2026-11', '1200');
  expect(await shown(billing, '2027-01-01T01:00:00Z')).toEqual([
    {
      invoice: 'period 2026-12',
      totalMinor: 3200n,
      lines: [
        'sub-acme/calls/usage 2026-12 0',
        'sub-acme/base/fixed 2027-01 3000',
        'sub-acme/calls/usage/adjusts/2026-11 2026-11 200',
      ],
    },
  ]);
});

test('months that were missed are caught up in order: the opening, then each month with the fee of the next', async () => {
  const billing = await world();
  await billing.customer('acme', '2026-10-01T00:00:00Z', { inAdvance: true });
  expect(
    (await shown(billing, '2026-12-01T01:00:00Z')).map(({ invoice, totalMinor }) => [invoice, totalMinor]),
  ).toEqual([
    ['opening 2026-10', 3000n],
    ['period 2026-10', 3000n],
    ['period 2026-11', 3000n],
  ]);
  expect(await shown(billing, '2026-12-02T01:00:00Z')).toEqual([]);
});

test('a run through a month opens nothing that begins after it', async () => {
  const billing = await world();
  await billing.customer('acme', '2026-12-01T00:00:00Z', { inAdvance: true });
  expect(await shown(billing, '2026-12-02T01:00:00Z', '2026-11')).toEqual([]);
  expect((await shown(billing, '2026-12-02T02:00:00Z')).map(({ invoice }) => invoice)).toEqual(['opening 2026-12']);
});

test('a second subscription is opened beside the first, and the first one to come later waits for its own day', async () => {
  const billing = await world();
  await billing.customer('acme', '2026-11-01T00:00:00Z', { inAdvance: true });
  await billing.subscribe('acme', 'sub-addon', '2026-11-16T00:00:00Z', { inAdvance: true });
  expect((await shown(billing, '2026-11-01T01:00:00Z')).map(({ lines }) => lines)).toEqual([
    ['sub-acme/base/fixed 2026-11 3000'],
  ]);
  expect((await shown(billing, '2026-11-16T01:00:00Z')).map(({ invoice, lines }) => [invoice, lines])).toEqual([
    ['opening 2026-11', ['sub-addon/base/fixed 2026-11 1500']],
  ]);
  expect((await shown(billing, '2026-12-01T01:00:00Z')).map(({ totalMinor }) => totalMinor)).toEqual([6000n]);
});

test('a preview shows the opening and the month with the fee of the next, before and after they are issued', async () => {
  const billing = await world();
  await billing.customer('acme', '2026-11-01T00:00:00Z', { inAdvance: true });
  billing.calls('acme', '2026-11', '1100');
  const of = async (period: string) =>
    (await totals(billing, 'acme', period)).map(({ purpose, totalMinor }) => [purpose, totalMinor]);
  expect(await of('2026-11')).toEqual([
    ['opening', 3000n],
    ['period', 3100n],
  ]);
  await shown(billing, '2026-11-01T01:00:00Z');
  expect(await of('2026-11')).toEqual([['period', 3100n]]);
  await billing.end('acme', '2026-11-16T00:00:00Z');
  // 15 of 30 days: 500 free, 600 x 0.01 = 6.00; 15.00 given back, of which 6.00 fit
  expect(await of('2026-11')).toEqual([['period', 0n]]);
});

test('a change of plan in mid-month gives back the rest of the old fee and bills the rest of the new one', async () => {
  const billing = await world();
  await billing.plan('scale', [{ ...BASE, amount: '90' }, CALLS]);
  await billing.customer('acme', '2026-11-01T00:00:00Z', { inAdvance: true });
  await shown(billing, '2026-11-01T01:00:00Z');
  const phases = phasesOf(['2026-11-01T00:00:00Z', 'growth'], ['2026-11-21T00:00:00Z', 'scale']);
  await billing.change('acme', { phases });
  // 20 of 30 days of 30.00 are 20.00 of the 30.00 paid; 10 of 30 days of 90.00 are 30.00; December 90.00
  expect(await shown(billing, '2026-12-01T01:00:00Z')).toEqual([
    {
      invoice: 'period 2026-11',
      totalMinor: 11_000n,
      lines: [
        'sub-acme/calls/usage 2026-11 0',
        'sub-acme/phase-2/calls/usage 2026-11 0',
        'sub-acme/phase-2/base/fixed 2026-12 9000',
        'sub-acme/base/fixed/adjusts/2026-11 2026-11 -1000',
        'sub-acme/phase-2/base/fixed/adjusts/2026-11 2026-11 3000',
      ],
    },
  ]);
  // and December finds everything as it was billed
  expect((await shown(billing, '2027-01-01T01:00:00Z')).map(({ totalMinor }) => totalMinor)).toEqual([9_000n]);
});

test('a change to a plan with fees in advance bills the rest of the month with the month, and the next one ahead', async () => {
  const billing = await world([CALLS]);
  await billing.plan('scale', [BASE, CALLS]);
  await billing.customer('acme', '2026-11-01T00:00:00Z');
  const phases = phasesOf(['2026-11-01T00:00:00Z', 'growth'], ['2026-11-16T00:00:00Z', 'scale']);
  await billing.change('acme', { phases });
  expect((await shown(billing, '2026-12-01T01:00:00Z')).map(({ lines }) => lines.slice(2))).toEqual([
    ['sub-acme/phase-2/base/fixed 2026-12 3000', 'sub-acme/phase-2/base/fixed/adjusts/2026-11 2026-11 1500'],
  ]);
  expect((await shown(billing, '2027-01-01T01:00:00Z')).map(({ totalMinor }) => totalMinor)).toEqual([3_000n]);
});

test('a trial opens when it ends, and a pause over a paid month gives that month back when it closes', async () => {
  const billing = await world();
  await billing.customer('acme', '2026-10-20T00:00:00Z', { inAdvance: true });
  const trial = ['2026-10-20T00:00:00Z', 'growth', 'trial'] as const;
  const begun = ['2026-11-16T00:00:00Z', 'growth'] as const;
  await billing.change('acme', { phases: phasesOf(trial, begun) });
  expect(await shown(billing, '2026-11-01T01:00:00Z')).toEqual([]);
  // 15 of 30 days
  expect(
    (await shown(billing, '2026-11-16T01:00:00Z')).map(({ invoice, totalMinor }) => [invoice, totalMinor]),
  ).toEqual([['opening 2026-11', 1_500n]]);
  expect((await shown(billing, '2026-12-01T01:00:00Z')).map(({ totalMinor }) => totalMinor)).toEqual([3_000n]);
  const paused = ['2026-12-01T00:00:00Z', 'growth', 'paused'] as const;
  const resumed = ['2027-02-10T00:00:00Z', 'growth'] as const;
  await billing.change('acme', { phases: phasesOf(trial, begun, paused, resumed) });
  // December closes with nothing on it: its 30.00 wait for an invoice they fit on
  expect(
    (await shown(billing, '2027-01-01T01:00:00Z')).map(({ invoice, totalMinor }) => [invoice, totalMinor]),
  ).toEqual([['period 2026-12', 0n]]);
  expect(await shown(billing, '2027-02-01T01:00:00Z')).toEqual([]);
  // 19 of 28 days of 30.00 are 20.36, against which 20.36 of the 30.00 are given
  expect(await shown(billing, '2027-02-10T01:00:00Z')).toEqual([
    {
      invoice: 'opening 2027-02',
      totalMinor: 0n,
      lines: ['sub-acme/phase-4/base/fixed 2027-02 2036', 'sub-acme/phase-2/base/fixed/adjusts/2026-12 2026-12 -2036'],
    },
  ]);
});

test('an account without fees in advance is rated from the very evidence it had before there were any', async () => {
  const billing = await world([CALLS]);
  await billing.customer('acme', '2026-11-01T00:00:00Z');
  const [preview] = await totals(billing, 'acme', '2026-11');
  expect(preview?.lines.map(({ key }) => key)).toEqual(['sub-acme/calls/usage']);
  expect(await due(billing, '2026-11-01T01:00:00Z')).toBe(false);
});
