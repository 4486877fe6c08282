import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Charge } from '../../../core/catalog/charge.ts';
import type { BillingRunId } from '../../../core/ids.ts';
import { type BillingParts, BillingWorld, startBillingParts } from '../../support/billing-world.ts';

/** Billing runs over periods that are no months: 70.00 a period, and 0.01 a call. */
const FEE: Charge = { kind: 'fixed', key: 'fee', name: 'Fee', amount: '70.00', timing: 'in_arrears' };
const CALLS: Charge = {
  kind: 'usage',
  key: 'calls',
  name: 'Calls',
  meter: 'calls',
  price: { model: 'per_unit', unitPrice: '0.01' },
};

let parts: BillingParts;
let world: BillingWorld;
let projects = 0;
beforeAll(async () => {
  parts = await startBillingParts();
});
afterAll(() => parts.stop());
beforeEach(async () => {
  projects += 1;
  world = new BillingWorld(parts, `prj_int${projects}`);
  await world.catalog([FEE, CALLS]);
});

async function billed(run: BillingRunId): Promise<readonly string[]> {
  const invoices = await world.issued(run);
  return invoices.map(({ customer, period, totalMinor }) => `${customer} ${period.key} ${totalMinor}`).toSorted();
}

test('weeks, days and every 10 days are billed once each, as they close in the zone of their customer', async () => {
  // Kathmandu, from the start of Thursday 19 November: 4 of the 7 days of its week
  await world.customer('ktm', '2026-11-18T18:15:00Z', { timeZone: 'Asia/Kathmandu', interval: 'week' });
  await world.customer('ten', '2026-11-21T10:15:00Z', { interval: { days: 10 }, billing: 'anniversary' });
  await world.customer('day', '2026-11-29T00:00:00Z', { interval: 'day' });
  await world.customer('quarter', '2026-11-01T00:00:00Z', { interval: 'quarter' });
  world.calls('day', '2026-11-30', '100');
  const run = await world.run('2026-12-01T01:00:00Z');
  expect(run.report).toMatchObject({ failures: [], invoicesPlanned: 5 });
  // 70 x 4/7 = 40; the quarter is still open; 100 calls x 0.01 = 1.00
  expect(await billed(run.id)).toEqual([
    'day 2026-11-29 7000',
    'day 2026-11-30 7100',
    'ktm 2026-W47 4000',
    'ktm 2026-W48 7000',
    'ten 2026-11-21_2026-12-01 7000',
  ]);
  const again = await world.run('2026-12-01T02:00:00Z');
  expect(await billed(again.id)).toEqual([]);
});

test('a run bills through the end of a period of any kind, and no further', async () => {
  await world.customer('day', '2026-12-05T00:00:00Z', { interval: 'day' });
  await world.customer('week', '2026-11-30T00:00:00Z', { interval: 'week' });
  // 2026-W49 ends with 6 December
  const run = await world.run('2026-12-20T01:00:00Z', '2026-W49');
  expect(await billed(run.id)).toEqual(['day 2026-12-05 7000', 'day 2026-12-06 7000', 'week 2026-W49 7000']);
  const rest = await world.run('2026-12-20T01:00:00Z', '2026-12-08');
  expect(await billed(rest.id)).toEqual(['day 2026-12-07 7000', 'day 2026-12-08 7000']);
});

test('usage that is late for a day is on the next day’s invoice', async () => {
  await world.customer('day', '2026-12-05T00:00:00Z', { interval: 'day' });
  const days = await world.run('2026-12-08T01:00:00Z');
  expect(await billed(days.id)).toEqual(['day 2026-12-05 7000', 'day 2026-12-06 7000', 'day 2026-12-07 7000']);
  world.calls('day', '2026-12-05', '250');
  world.lateDays.set('day', ['20261205']);
  const next = await world.run('2026-12-09T01:00:00Z');
  // 70.00 of the 8th and 250 x 0.01 = 2.50 of the 5th
  expect(await billed(next.id)).toEqual(['day 2026-12-08 7250']);
  const [invoice] = await world.issued(next.id);
  expect(invoice?.lines.at(-1)).toMatchObject({
    kind: 'adjustment',
    adjusts: { period: '2026-12-05' },
    amountMinor: 250n,
  });
});

test('a customer far behind catches up 24 periods at a time', async () => {
  await world.customer('day', '2026-10-01T00:00:00Z', { interval: 'day' });
  expect((await world.run('2026-11-21T01:00:00Z')).report).toMatchObject({ invoicesPlanned: 24, failures: [] });
  expect((await world.run('2026-11-21T02:00:00Z')).report).toMatchObject({ invoicesPlanned: 24, failures: [] });
  const last = await world.run('2026-11-21T03:00:00Z');
  expect(await billed(last.id)).toEqual(['day 2026-11-18 7000', 'day 2026-11-19 7000', 'day 2026-11-20 7000']);
});
