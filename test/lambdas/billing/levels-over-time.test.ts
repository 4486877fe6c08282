import { gunzipSync } from 'node:zlib';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { usageViews } from '../../../adapters/dynamodb/usage-views.ts';
import { changePlan } from '../../../core/accounts/change-subscription.ts';
import type { Charge } from '../../../core/catalog/charge.ts';
import type { Meter } from '../../../core/catalog/meter.ts';
import type { SubscriptionId } from '../../../core/ids.ts';
import type { BillingRun } from '../../../core/invoicing/billing-run.ts';
import { readEvidence } from '../../../core/invoicing/evidence.ts';
import type { Invoice } from '../../../core/invoicing/invoice.ts';
import { verifyInvoice } from '../../../core/invoicing/verify-invoice.ts';
import { foldEvents } from '../../../core/usage/fold.ts';
import { foldView } from '../../../core/usage/fold-view.ts';
import { readUsage } from '../../../core/usage/read-usage.ts';
import { type BillingParts, BillingWorld, startBillingParts } from '../../support/billing-world.ts';
import { logged, memoryTables, TABLES } from '../../support/usage-fixtures.ts';

/** Billing runs over meters whose quantities do not simply add up, from events; every amount worked out by hand. */
let parts: BillingParts;
beforeAll(async () => {
  parts = await startBillingParts();
});
afterAll(() => parts.stop());

const METERS: readonly Meter[] = [
  { key: 'seats', eventType: 'seat', aggregation: 'sum', value: 'n', dimensions: [], reset: 'carry_over' },
  {
    key: 'storage',
    eventType: 'disk',
    aggregation: 'time_weighted_sum',
    value: 'n',
    dimensions: [],
    reset: 'carry_over',
  },
  { key: 'memory', eventType: 'boot', aggregation: 'time_weighted_sum', value: 'n', dimensions: [] },
  { key: 'tier', eventType: 'tier', aggregation: 'latest', value: 'n', dimensions: [], reset: 'carry_over' },
  { key: 'users', eventType: 'login', aggregation: 'unique_count', value: 'user', dimensions: ['region'] },
  { key: 'latency', eventType: 'ping', aggregation: 'average', value: 'n', dimensions: [] },
];
const PRICES = { seats: '10', storage: '1', memory: '1', tier: '100', users: '2', latency: '0.5' };
const CHARGES: readonly Charge[] = Object.entries(PRICES).map(([meter, unitPrice]) => ({
  kind: 'usage',
  key: meter,
  name: meter,
  meter,
  price: { model: 'per_unit', unitPrice },
}));

let projects = 0;
async function world() {
  projects += 1;
  const billing = new BillingWorld(parts, `prj_levels${projects}`);
  await billing.catalog(CHARGES, METERS);
  await billing.plan('twin', CHARGES);
  await billing.customer('acme', '2026-11-01T00:00:00Z');
  const views = usageViews(memoryTables().client(), TABLES.views);
  billing.readUsage = (input) => readUsage(input, { views });
  let sequence = 0;
  return {
    billing,
    /** Counts one event. */
    async use(type: string, time: string, properties: Record<string, string>): Promise<void> {
      sequence += 1;
      const event = logged({
        id: `${sequence}`,
        type,
        customer: 'acme',
        occurredAtMicros: Date.parse(time) * 1000,
        properties,
      });
      const { days } = foldEvents(billing.project, [event], new Map([[1, { revision: 1, meters: METERS }]]));
      for (const { day, readings } of days) {
        const key = { project: billing.project, customer: 'acme', day, part: '' };
        const chunks = [{ sequence, readings }];
        await foldView({ key, partitions: [{ partition: '0.2026110100', upTo: sequence, chunks }] }, views);
      }
    },
  };
}

async function busyWorld() {
  const made = await world();
  await made.use('seat', '2026-10-10T12:00:00Z', { n: '5' });
  await made.use('disk', '2026-10-10T12:00:00Z', { n: '100' });
  await made.use('tier', '2026-10-10T12:00:00Z', { n: '3' });
  await made.use('boot', '2026-10-10T12:00:00Z', { n: '1000' });
  await made.use('seat', '2026-11-16T00:00:00Z', { n: '2' });
  await made.use('disk', '2026-11-16T00:00:00Z', { n: '60' });
  await made.use('boot', '2026-11-10T00:00:00Z', { n: '30' });
  await made.use('login', '2026-11-03T09:00:00Z', { user: 'ada', region: 'eu' });
  await made.use('login', '2026-11-20T09:00:00Z', { user: 'ada', region: 'us' });
  await made.use('login', '2026-11-20T09:00:00Z', { user: 'bob', region: 'us' });
  for (const [index, n] of ['10', '20', '20'].entries())
    await made.use('ping', `2026-11-0${index + 1}T10:00:00Z`, { n });
  return made;
}

const shown = ({ lines }: Invoice) =>
  lines.map(({ key, quantity, amountMinor }) => `${key.replace('sub-acme/', '')} ${quantity}: ${amountMinor}`);

async function invoiceOf(billing: BillingWorld, run: BillingRun): Promise<Invoice> {
  const [invoice, ...others] = await billing.issued(run.id);
  if (invoice === undefined || others.length > 0) throw new Error(`${others.length} invoices`);
  return invoice;
}

async function evidenceOf({ evidence }: Invoice) {
  const object = await parts.s3.send(new GetObjectCommand({ Bucket: 'archive', Key: evidence.key }));
  return readEvidence(gunzipSync((await object.Body?.transformToByteArray()) ?? '').toString('utf8'), evidence);
}

describe('levels, averages and different users', () => {
  test('are billed in their month, and what carries over in the next one too', async () => {
    const { billing } = await busyWorld();
    const november = await invoiceOf(billing, await billing.run('2026-12-01T01:00:00Z'));
    expect(shown(november)).toEqual([
      'seats/usage 7: 7000', // 5 from October, and 2
      'storage/usage 130: 13000', // 100 all month, 60 for 15 of 30 days
      'memory/usage 21: 2100', // 30 for 21 of 30 days; the 1,000 of October are gone
      'tier/usage 3: 30000', // read in October, and still so
      'users/usage 2: 400', // Ada once, though in two regions
      'latency/usage 16.666666666667: 833', // 50 / 3
    ]);
    const december = await invoiceOf(billing, await billing.run('2027-01-01T01:00:00Z'));
    expect(shown(december)).toEqual([
      'seats/usage 7: 7000',
      'storage/usage 160: 16000',
      'memory/usage 0: 0',
      'tier/usage 3: 30000',
      'users/usage 0: 0',
      'latency/usage 0: 0',
    ]);
  });

  test('add up over a change to a plan with the same prices', async () => {
    const { billing } = await busyWorld();
    const named = { project: billing.project, id: 'sub-acme' as SubscriptionId };
    await changePlan({ ...named, plan: 'twin', at: '2026-11-16T00:00:00Z', prorate: true }, billing.accounts);
    const november = await invoiceOf(billing, await billing.run('2026-12-01T01:00:00Z'));
    expect(shown(november)).toEqual([
      'seats/usage 7: 3500', // the balance of the month, 15 of 30 days
      'storage/usage 50: 5000', // 100 for 15 of 30 days
      'memory/usage 6: 600', // 30 for 6 of 30 days
      'tier/usage 3: 15000',
      'users/usage 2: 200',
      'latency/usage 16.666666666667: 417', // 4.1666...
      'phase-2/seats/usage 7: 3500',
      'phase-2/storage/usage 80: 8000', // 160 for 15 of 30 days
      'phase-2/memory/usage 15: 1500', // 30, as it was when the part began, for 15 of 30 days
      'phase-2/tier/usage 3: 15000',
      'phase-2/users/usage 2: 200',
      'phase-2/latency/usage 16.666666666667: 417',
    ]);
  });

  test('are adjusted in every period that late usage changes, and proved by their evidence', async () => {
    const { billing, use } = await busyWorld();
    await billing.run('2026-12-01T01:00:00Z');
    await billing.run('2027-01-01T01:00:00Z');
    await use('seat', '2026-11-30T23:59:59Z', { n: '-3' });
    billing.lateDays.set('acme', ['20261130']);
    const january = await invoiceOf(billing, await billing.run('2027-02-01T01:00:00Z'));
    expect(shown(january)).toEqual([
      'seats/usage 4: 4000',
      'storage/usage 160: 16000',
      'memory/usage 0: 0',
      'tier/usage 3: 30000',
      'users/usage 0: 0',
      'latency/usage 0: 0',
      'seats/usage/adjusts/2026-11 -3: -3000',
      'seats/usage/adjusts/2026-12 -3: -3000',
    ]);
    const evidence = await evidenceOf(january);
    expect(verifyInvoice(evidence, january)).toEqual([]);
    // the values of the users are not in it where no two slices share one
    const november = evidence.earlier.find(({ period }) => period === '2026-11');
    const users = november?.services[0]?.input.slices.filter(({ meter }) => meter === 'users');
    expect(users?.map(({ unique }) => [unique?.members.length, unique?.alone])).toEqual([
      [24, '0'], // Ada, 16 bytes in base64
      [24, '1'],
    ]);
  });
});
