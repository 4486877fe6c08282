import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { planStore } from '../../../adapters/dynamodb/plans.ts';
import {
  changePlan,
  pauseSubscription,
  resumeSubscription,
  setTrialEnd,
} from '../../../core/accounts/change-subscription.ts';
import type { Charge } from '../../../core/catalog/charge.ts';
import type { SubscriptionId } from '../../../core/ids.ts';
import type { BillingRun } from '../../../core/invoicing/billing-run.ts';
import { previewInvoices } from '../../../core/invoicing/preview-invoices.ts';
import { type BillingParts, BillingWorld, startBillingParts } from '../../support/billing-world.ts';

/** Billing runs over subscriptions that changed within the period, on a real DynamoDB; every amount worked out by hand. */
let parts: BillingParts;
beforeAll(async () => {
  parts = await startBillingParts();
});
afterAll(() => parts.stop());

const chargesOf = (fee: string, allowance: string, unitPrice: string, minimum: string): readonly Charge[] => [
  { kind: 'fixed', key: 'fee', name: 'Fee', amount: fee, timing: 'in_arrears' },
  {
    kind: 'usage',
    key: 'calls',
    name: 'Calls',
    meter: 'calls',
    allowance,
    minimum,
    price: { model: 'per_unit', unitPrice },
  },
];
const SMALL = chargesOf('30', '100', '0.10', '6');
const BIG = chargesOf('90', '600', '0.05', '30');

let projects = 0;
/** `growth` is the small plan, `big` the big one; acme is on one of them from 1 November. */
async function world(plan = 'growth', start = '2026-11-01T00:00:00Z') {
  projects += 1;
  const billing = new BillingWorld(parts, `prj_changed${projects}`);
  await billing.catalog(SMALL);
  const { client, billing: table } = parts.tables;
  const big = { plan: 'big', version: 1, name: 'Big', currency: 'USD', interval: 'month', charges: BIG } as const;
  await planStore(client, table).create(billing.project, big);
  await billing.customer('acme', start, { plan });
  const named = { project: billing.project, id: 'sub-acme' as SubscriptionId };
  return {
    billing,
    change: (to: string, at: string, prorate: boolean) =>
      changePlan({ ...named, plan: to, at, prorate }, billing.accounts),
    pause: (at: string) => pauseSubscription({ ...named, at }, billing.accounts),
    resume: (at: string) => resumeSubscription({ ...named, at }, billing.accounts),
    trial: (end: string) => setTrialEnd({ ...named, end }, billing.accounts),
  };
}

async function linesOf(billing: BillingWorld, run: BillingRun) {
  const invoices = await billing.issued(run.id);
  return invoices.map(({ period, lines, totalMinor }) => [
    period.key,
    ...lines.map(({ key, amountMinor }) => `${key.replace('sub-acme/', '')} ${amountMinor}`),
    `total ${totalMinor}`,
  ]);
}

describe('a change of plan on 15 November, of 80 calls before and 400 after', () => {
  test.each([
    [
      'an upgrade with proration',
      ['growth', 'big', true],
      [
        'fee/fixed 1400', // 30 x 14/30
        'calls/usage 333', // 100 x 14/30 = 46.67 included; 33.33 x 0.10 = 3.33, above the minimum of 6 x 14/30
        'phase-2/fee/fixed 4800', // 90 x 16/30
        'phase-2/calls/usage 1600', // 600 x 16/30 = 320 included; 80 x 0.05 = 4, up to the minimum of 30 x 16/30
        'total 8133',
      ],
    ],
    [
      'an upgrade without proration',
      ['growth', 'big', false],
      [
        'fee/fixed 3000', // whole
        'calls/usage 600', // 80 of 100 included; up to the minimum of 6
        'phase-2/fee/fixed 0',
        'phase-2/calls/usage 2000', // nothing included, no minimum: 400 x 0.05
        'total 5600',
      ],
    ],
    [
      'a downgrade with proration',
      ['big', 'growth', true],
      [
        'fee/fixed 4200', // 90 x 14/30
        'calls/usage 1400', // 80 of 280 included; up to 30 x 14/30
        'phase-2/fee/fixed 1600', // 30 x 16/30
        'phase-2/calls/usage 3467', // 100 x 16/30 = 53.33 included; 346.67 x 0.10
        'total 10667',
      ],
    ],
    [
      'a downgrade without proration',
      ['big', 'growth', false],
      [
        'fee/fixed 9000', // whole
        'calls/usage 3000', // 80 of 600 included; up to the minimum of 30
        'phase-2/fee/fixed 0',
        'phase-2/calls/usage 4000', // 400 x 0.10
        'total 16000',
      ],
    ],
  ] as const)('%s', async (_name, [from, to, prorate], expected) => {
    const { billing, change } = await world(from);
    await change(to, '2026-11-15T00:00:00Z', prorate);
    billing.calls('acme', '2026-11-01', '80');
    billing.calls('acme', '2026-11-15', '400');
    expect(await linesOf(billing, await billing.run('2026-12-01T01:00:00Z'))).toEqual([['2026-11', ...expected]]);
    // the month after is whole again, on the new plan
    const fee = to === 'big' ? 9000 : 3000;
    const minimum = to === 'big' ? 3000 : 600;
    expect(await linesOf(billing, await billing.run('2027-01-01T01:00:00Z'))).toEqual([
      ['2026-12', `phase-2/fee/fixed ${fee}`, `phase-2/calls/usage ${minimum}`, `total ${fee + minimum}`],
    ]);
  });

  test('counts the day of the change to the new plan, at whatever time of that day it is made', async () => {
    const { billing, change } = await world();
    await change('big', '2026-11-15T22:45:00Z', true);
    const [lines] = await linesOf(billing, await billing.run('2026-12-01T01:00:00Z'));
    // 30 x 14/30 and 90 x 16/30
    expect(lines).toEqual(expect.arrayContaining(['fee/fixed 1400', 'phase-2/fee/fixed 4800']));
  });

  test('is adjusted by the part that late usage belongs to', async () => {
    const { billing, change } = await world();
    await change('big', '2026-11-15T00:00:00Z', false);
    billing.calls('acme', '2026-11-01', '80');
    billing.calls('acme', '2026-11-15', '400');
    await billing.run('2026-12-01T01:00:00Z');
    billing.calls('acme', '2026-11-01', '170');
    billing.calls('acme', '2026-11-15', '500');
    expect(await linesOf(billing, await billing.run('2027-01-01T01:00:00Z'))).toEqual([
      [
        '2026-12',
        'phase-2/fee/fixed 9000',
        'phase-2/calls/usage 3000',
        'calls/usage/adjusts/2026-11 100', // 70 x 0.10 = 7, billed 6
        'phase-2/calls/usage/adjusts/2026-11 500', // 500 x 0.05 = 25, billed 20
        'total 12600',
      ],
    ]);
  });

  test('for a period that is billed is refused with how far it is billed, and then made from there', async () => {
    const { billing, change } = await world();
    await billing.run('2026-12-01T01:00:00Z');
    await expect(change('big', '2026-11-15T00:00:00Z', true)).rejects.toMatchObject({
      code: 'period_already_billed',
      context: { billed_through: '2026-12-01T00:00:00.000Z' },
    });
    await change('big', '2026-12-01T00:00:00Z', true);
    expect(await linesOf(billing, await billing.run('2027-01-01T01:00:00Z'))).toEqual([
      ['2026-12', 'phase-2/fee/fixed 9000', 'phase-2/calls/usage 3000', 'total 12000'],
    ]);
  });

  test('is in a preview as it will be in the bill', async () => {
    const { billing, change } = await world();
    billing.now = (await change('big', '2026-11-15T00:00:00Z', true)).start;
    const previews = await previewInvoices({ project: billing.project, customer: 'acme' as never }, billing.deps);
    // 14 + 2.80 + 48 + 16: the same rating as the run's
    expect(previews.map(({ totalMinor }) => totalMinor)).toEqual([8080n]);
  });
});

describe('pauses and trials', () => {
  test('bill the days around them, and report what was used in them', async () => {
    const { billing, pause, resume } = await world();
    await pause('2026-11-10T00:00:00Z');
    await resume('2026-11-25T00:00:00Z');
    billing.calls('acme', '2026-11-01', '80');
    billing.calls('acme', '2026-11-10', '5000');
    billing.calls('acme', '2026-11-25', '30');
    const run = await billing.run('2026-12-01T01:00:00Z');
    expect(await linesOf(billing, run)).toEqual([
      [
        '2026-11',
        'fee/fixed 900', // 30 x 9/30
        'calls/usage 500', // 100 x 9/30 = 30 included; 50 x 0.10
        'phase-3/fee/fixed 600', // 30 x 6/30
        'phase-3/calls/usage 120', // 100 x 6/30 = 20 included; 10 x 0.10 = 1, up to the minimum of 6 x 6/30 = 1.20
        'total 2120',
      ],
    ]);
    const outcomes = [];
    for await (const page of billing.deps.runs.outcomes(billing.project, run.id)) outcomes.push(...page);
    expect(outcomes.map(({ unbilledSlices }) => unbilledSlices)).toEqual([1]);
  });

  test('over whole months make no invoice, and the subscription moves on', async () => {
    const { billing, pause, resume } = await world();
    await pause('2026-11-16T00:00:00Z');
    await resume('2027-02-15T00:00:00Z');
    expect(await linesOf(billing, await billing.run('2026-12-01T01:00:00Z'))).toEqual([
      // half of 30, half of the minimum of 6
      ['2026-11', 'fee/fixed 1500', 'calls/usage 300', 'total 1800'],
    ]);
    const december = await billing.run('2027-01-01T01:00:00Z');
    expect(december.report).toMatchObject({ invoicesPlanned: 0, failures: [] });
    expect((await billing.run('2027-02-01T01:00:00Z')).report?.invoicesPlanned).toBe(0);
    expect(await linesOf(billing, await billing.run('2027-03-01T01:00:00Z'))).toEqual([
      // 14 of 28 days
      ['2027-02', 'phase-3/fee/fixed 1500', 'phase-3/calls/usage 300', 'total 1800'],
    ]);
    const [stored] = await billing.deps.reads.subscriptionsOf(billing.project, 'acme' as never);
    expect(stored?.subscription.billedThrough).toBe('2027-03-01T00:00:00.000Z');
  });

  test('without an end take the subscription off the due index, and it comes back when it is resumed', async () => {
    const { billing, pause, resume } = await world();
    await pause('2026-11-16T00:00:00Z');
    await billing.run('2026-12-01T01:00:00Z');
    expect((await billing.run('2027-02-01T01:00:00Z')).report?.invoicesPlanned).toBe(0);
    billing.now = (await resume('2027-01-16T00:00:00Z')).start;
    expect(await linesOf(billing, await billing.run('2027-02-01T02:00:00Z'))).toEqual([
      // 30 x 16/31 = 15.48, 6 x 16/31 = 3.10
      ['2027-01', 'phase-3/fee/fixed 1548', 'phase-3/calls/usage 310', 'total 1858'],
    ]);
  });

  test('a trial that ends in mid-month bills from its end on; one over a whole month bills nothing', async () => {
    const { billing, trial } = await world();
    await trial('2026-12-11T00:00:00Z');
    expect((await billing.run('2026-12-01T01:00:00Z')).report?.invoicesPlanned).toBe(0);
    billing.calls('acme', '2026-11-01', '7');
    billing.calls('acme', '2026-12-11', '100');
    const run = await billing.run('2027-01-01T01:00:00Z');
    expect(await linesOf(billing, run)).toEqual([
      [
        '2026-12',
        'phase-2/fee/fixed 2032', // 30 x 21/31
        'phase-2/calls/usage 406', // 100 x 21/31 = 67.74 included; 32.26 x 0.10 = 3.23; up to 6 x 21/31 = 4.06
        'total 2438',
      ],
    ]);
    // it is over and billed: it cannot be extended any more
    await expect(trial('2026-12-20T00:00:00Z')).rejects.toMatchObject({
      code: 'period_already_billed',
      context: { billed_through: '2027-01-01T00:00:00.000Z' },
    });
  });
});

test('all parts of a subscription are on one invoice; when they are many, the next subscription is on a second one', async () => {
  const { billing, change } = await world();
  const { client, billing: table } = parts.tables;
  const fee: Charge = { kind: 'fixed', key: 'fee', name: 'Fee', amount: '5', timing: 'in_arrears' };
  const extra = {
    plan: 'extra',
    version: 1,
    name: 'Extra',
    currency: 'USD',
    interval: 'month',
    charges: [fee],
  } as const;
  await planStore(client, table).create(billing.project, extra);
  await billing.subscribe('acme', 'sub-z', '2026-11-01T00:00:00Z', { plan: 'extra' });
  for (let n = 0; n < 51; n += 1) {
    const at = new Date(Date.parse('2026-11-02T00:00:00Z') + n * 3_600_000).toISOString();
    await change(n % 2 === 0 ? 'big' : 'growth', at, true);
  }
  const first = await billing.issued((await billing.run('2026-12-01T01:00:00Z')).id);
  expect(first.map(({ lines }) => [lines.length, new Set(lines.map(({ subscription }) => subscription))])).toEqual([
    [104, new Set(['sub-acme'])],
  ]);
  const second = await billing.run('2026-12-01T02:00:00Z');
  expect(await linesOf(billing, second)).toEqual([['2026-11', 'sub-z/fee/fixed 500', 'total 500']]);
});
