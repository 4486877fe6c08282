import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BillingParts, BillingWorld, startBillingParts } from '../../support/billing-world.ts';

let parts: BillingParts;
beforeAll(async () => {
  parts = await startBillingParts();
});
afterAll(() => parts.stop());

test('a subscription begun in months that the ledger no longer lists is billed there by invoices of its own', {
  timeout: 120_000,
}, async () => {
  const billing = new BillingWorld(parts, 'prj_past');
  await billing.catalog();
  await billing.customer('acme', '2023-01-01T00:00:00Z');
  // 41 months, at most 24 in a run
  await billing.run('2026-06-01T01:00:00Z');
  await billing.run('2026-06-01T02:00:00Z');
  await billing.subscribe('acme', 'sub-past', '2023-01-01T00:00:00Z', { end: '2023-03-01T00:00:00Z' });
  const run = await billing.run('2026-06-01T03:00:00Z');
  expect(run.report?.failures).toEqual([]);
  const issued = await billing.issued(run.id);
  expect(issued.map(({ period, ordinal, number }) => [period.key, ordinal, number])).toEqual([
    ['2023-01', 2, 'INV-000042'],
    ['2023-02', 2, 'INV-000043'],
  ]);
  // The same again finds both there, and the next month of the first subscription is not in its way.
  const next = await billing.run('2026-07-01T01:00:00Z');
  expect(next.report?.failures).toEqual([]);
  expect((await billing.issued(next.id)).map(({ period, ordinal }) => [period.key, ordinal])).toEqual([['2026-06', 1]]);
});
