import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CustomerId } from '../../../core/ids.ts';
import { isRunDue } from '../../../core/invoicing/is-run-due.ts';
import { at, type BillingParts, BillingWorld, startBillingParts } from '../../support/billing-world.ts';

/** What turns up after an account's last subscription has ended: it is billed on a closing invoice, or the report says it is owed. */
let parts: BillingParts;
beforeAll(async () => {
  parts = await startBillingParts();
});
afterAll(() => parts.stop());

let projects = 0;
async function endedIn(november: string): Promise<BillingWorld> {
  projects += 1;
  const billing = new BillingWorld(parts, `prj_end${projects}`);
  await billing.catalog();
  await billing.customer('acme', '2026-11-01T00:00:00Z', { end: '2026-12-01T00:00:00Z' });
  billing.calls('acme', '2026-11', november);
  return billing;
}

const due = (billing: BillingWorld, asOf: string) =>
  isRunDue({ project: billing.project, asOf: at(asOf) }, billing.deps);

async function pushAll(billing: BillingWorld): Promise<void> {
  for (const { invoice } of await billing.deps.uncollected.list(billing.project)) {
    await billing.deps.uncollected.settled(billing.project, invoice, billing.now);
  }
}

async function shown(billing: BillingWorld, asOf: string) {
  const run = await billing.run(asOf);
  expect(run.report?.failures).toEqual([]);
  await pushAll(billing);
  return (await billing.issued(run.id)).map(({ purpose, ordinal, period, totalMinor, number, lines }) => ({
    invoice: `${purpose} ${period.key} ${ordinal} ${number}`,
    totalMinor,
    lines: lines.map(({ key, amountMinor }) => `${key} ${amountMinor}`),
  }));
}

test('usage that arrives after the last invoice is billed by a closing invoice a month later, once', async () => {
  const billing = await endedIn('1250');
  await shown(billing, '2026-12-01T01:00:00Z');
  expect(await due(billing, '2026-12-30T01:00:00Z')).toBe(false);
  billing.calls('acme', '2026-11', '1300');
  expect(await due(billing, '2026-12-31T01:00:00Z')).toBe(true);
  // 50 more calls x 0.01
  expect(await shown(billing, '2026-12-31T01:00:00Z')).toEqual([
    { invoice: 'closing 2026-11 1 INV-000002', totalMinor: 50n, lines: ['sub-acme/calls/usage/adjusts/2026-11 50'] },
  ]);
  billing.calls('acme', '2026-11', '1310');
  expect(await shown(billing, '2027-01-30T01:00:00Z')).toEqual([
    { invoice: 'closing 2026-11 2 INV-000003', totalMinor: 10n, lines: ['sub-acme/calls/usage/adjusts/2026-11 10'] },
  ]);
  expect(await shown(billing, '2027-03-01T01:00:00Z')).toEqual([]);
});

test('once no usage can arrive any more the account is looked at no longer', async () => {
  const billing = await endedIn('1250');
  await shown(billing, '2026-12-01T01:00:00Z');
  const looks: string[] = [];
  for (const asOf of ['2026-12-31', '2027-01-30', '2027-03-01', '2027-03-31', '2027-04-30', '2027-08-01']) {
    if (!(await due(billing, `${asOf}T01:00:00Z`))) continue;
    looks.push(asOf);
    await shown(billing, `${asOf}T01:00:00Z`);
  }
  // 95 days after 1 December lies 6 March: the look after that is the last one
  expect(looks).toEqual(['2026-12-31', '2027-01-30', '2027-03-01', '2027-03-31']);
});

test('a credit that no invoice follows to give is named in the report, with account and amount, until somebody acts', async () => {
  const billing = await endedIn('1250');
  await shown(billing, '2026-12-01T01:00:00Z');
  billing.calls('acme', '2026-11', '1100');
  // 2.50 billed, 1.00 right: 1.50 owed
  const credit = { account: 'acme/USD', customer: 'acme', currency: 'USD', amountMinor: '150' };
  for (const asOf of ['2026-12-31T01:00:00Z', '2027-02-01T01:00:00Z', '2027-07-01T01:00:00Z']) {
    expect(await due(billing, asOf)).toBe(true);
    const run = await billing.run(asOf);
    expect(run.report?.credits).toEqual([credit]);
    expect(run.report?.warnings).toEqual([
      'Account acme/USD ended with a credit of 1.50 USD that no invoice will give: pay it back by hand.',
    ]);
    expect(await billing.issued(run.id)).toEqual([]);
  }
  expect(await billing.deps.desk.count(billing.project)).toBe(1);
});

test('a correction that is corrected back leaves nothing owed and nothing due', async () => {
  const billing = await endedIn('1250');
  await shown(billing, '2026-12-01T01:00:00Z');
  billing.calls('acme', '2026-11', '1100');
  await shown(billing, '2026-12-31T01:00:00Z');
  billing.calls('acme', '2026-11', '1250');
  const run = await billing.run('2027-02-01T01:00:00Z');
  expect(run.report?.credits).toEqual([]);
  expect(await billing.issued(run.id)).toEqual([]);
});

test('an end set after everything before it was billed is found too', async () => {
  projects += 1;
  const billing = new BillingWorld(parts, `prj_end${projects}`);
  await billing.catalog();
  await billing.customer('acme', '2026-11-01T00:00:00Z');
  billing.calls('acme', '2026-11', '1250');
  await shown(billing, '2026-12-01T01:00:00Z');
  await billing.end('acme', '2026-12-01T00:00:00Z');
  billing.calls('acme', '2026-11', '1300');
  expect(await shown(billing, '2027-01-01T01:00:00Z')).toEqual([]);
  // the next close would have been on 1 January: 45 days later
  expect((await shown(billing, '2027-02-15T01:00:00Z')).map(({ totalMinor }) => totalMinor)).toEqual([50n]);
});

test('an account with a subscription again is left to its next invoice', async () => {
  const billing = await endedIn('1250');
  await shown(billing, '2026-12-01T01:00:00Z');
  await billing.subscribe('acme', 'sub-back', '2026-12-20T00:00:00Z');
  billing.calls('acme', '2026-11', '1300');
  expect(await shown(billing, '2026-12-31T01:00:00Z')).toEqual([]);
  const [invoice] = await shown(billing, '2027-01-01T01:00:00Z');
  expect(invoice?.lines).toContain('sub-acme/calls/usage/adjusts/2026-11 50');
  const [stored] = await billing.deps.reads.subscriptionsOf(billing.project, 'acme' as CustomerId);
  expect(stored?.subscription.id).toBe('sub-acme');
});

test('of more late days than one look holds each has its turn, a day later', async () => {
  projects += 1;
  const billing = new BillingWorld(parts, `prj_end${projects}`);
  await billing.catalog();
  const days = Array.from({ length: 24 }, (_, index) => `2026-11-${String(index + 1).padStart(2, '0')}`);
  await billing.customer('acme', '2026-11-01T00:00:00Z', { end: '2026-11-25T00:00:00Z', interval: 'day' });
  await shown(billing, '2026-11-25T02:00:00Z');
  billing.lateDays.set(
    'acme',
    days.map((day) => day.replaceAll('-', '')),
  );
  billing.calls('acme', '2026-11-21', '1100');
  const looks: string[] = [];
  for (const asOf of ['2026-12-25', '2026-12-26', '2026-12-27']) {
    const invoices = await shown(billing, `${asOf}T02:00:00Z`);
    looks.push(...invoices.map(({ totalMinor }) => `${asOf} ${totalMinor}`));
  }
  // 100 more calls x 0.01
  expect(looks).toEqual(['2026-12-26 100']);
});
