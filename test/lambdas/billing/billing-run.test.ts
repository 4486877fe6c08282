import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { InvoiceId } from '../../../core/ids.ts';
import { DEFAULT_BILLING_SETTINGS } from '../../../core/invoicing/billing-settings.ts';
import { startBillingRun } from '../../../core/invoicing/start-billing-run.ts';
import { handle as issueInvoices } from '../../../lambdas/billing/issue-invoices.ts';
import { handle as rateAccounts } from '../../../lambdas/billing/rate-accounts.ts';
import { at, type BillingParts, BillingWorld, CALLS, startBillingParts } from '../../support/billing-world.ts';

/** The functions of the run, one after the other, on a real DynamoDB and the local S3. */
let parts: BillingParts;
beforeAll(async () => {
  parts = await startBillingParts();
});
afterAll(() => parts.stop());

let projects = 0;
async function world(charges = [CALLS]): Promise<BillingWorld> {
  projects += 1;
  const made = new BillingWorld(parts, `prj_run${projects}`);
  await made.catalog(charges);
  return made;
}

async function invoicesOf(billing: BillingWorld, ids: Iterable<string>) {
  const found = [];
  for (const id of ids) found.push((await billing.deps.drafts.find(billing.project, id as InvoiceId))?.invoice);
  return found;
}

async function outcomesOf(billing: BillingWorld, run: Parameters<BillingWorld['report']>[0]) {
  const outcomes = [];
  for await (const page of billing.deps.runs.outcomes(billing.project, run)) outcomes.push(...page);
  return outcomes.sort((a, b) => (a.account + a.period < b.account + b.period ? -1 : 1));
}

describe('a billing run', () => {
  test('issues one numbered invoice per account and period and reports it', async () => {
    const billing = await world();
    await billing.customer('acme', '2026-11-01T00:00:00Z');
    await billing.customer('beta', '2026-11-01T00:00:00Z');
    billing.calls('acme', '2026-11', '1250');
    billing.calls('beta', '2026-11', '1003');
    const run = await billing.run('2026-12-01T01:00:00Z');
    expect(run.status).toBe('finished');
    // acme 250 x 0.01 = 2.50, beta 3 x 0.01 = 0.03
    expect(run.report).toMatchObject({
      accounts: 2,
      invoicesPlanned: 2,
      steps: { rated: 0, issued: 2, pushed: 0, failed: 0, nothing_to_bill: 0 },
      notProcessed: 0,
      totals: [{ currency: 'USD', totalMinor: '253', invoices: 2 }],
      failures: [],
      error: null,
    });
    const outcomes = await outcomesOf(billing, run.id);
    expect(outcomes.map(({ account, number, totalMinor }) => [account, number, totalMinor])).toEqual([
      ['acme/USD', 'INV-000001', '250'],
      ['beta/USD', 'INV-000002', '3'],
    ]);
    const [acme] = await invoicesOf(billing, [outcomes[0]?.invoice ?? '']);
    expect(acme).toMatchObject({
      status: 'issued',
      number: 'INV-000001',
      issuedAt: '2026-12-01T01:00:00.000Z',
      dueAt: '2026-12-15T01:00:00.000Z',
      totalMinor: 250n,
      ordinal: 1,
    });
    expect((await billing.events()).map(({ type, data }) => [type, 'number' in data && data.number])).toEqual(
      expect.arrayContaining([
        ['InvoiceIssued', 'INV-000001'],
        ['InvoiceIssued', 'INV-000002'],
        ['BillingRunFinished', false],
      ]),
    );
    expect((await billing.deps.uncollected.list(billing.project)).map(({ account }) => account).sort()).toEqual([
      'acme/USD',
      'beta/USD',
    ]);
  });

  test('started again for the same period changes nothing', async () => {
    const billing = await world();
    await billing.customer('acme', '2026-11-01T00:00:00Z');
    billing.calls('acme', '2026-11', '1250');
    await billing.run('2026-12-01T01:00:00Z');
    const events = (await billing.events()).length;
    const second = await billing.run('2026-12-01T02:00:00Z');
    expect(second.report).toMatchObject({ invoicesPlanned: 0, steps: { issued: 0, failed: 0 } });
    expect(await billing.deps.desk.count(billing.project)).toBe(1);
    // only the second run's own event
    expect((await billing.events()).length).toBe(events + 1);
  });

  test('asked for twice with the same instant is one run', async () => {
    const billing = await world();
    const input = { project: billing.project, reason: 'schedule', asOf: at('2026-12-01T01:00:00Z') } as const;
    const first = await startBillingRun(input, billing.deps);
    billing.now = at('2026-12-01T01:10:00Z');
    const second = await startBillingRun(input, billing.deps);
    expect(second).toEqual(first);
    expect(billing.started.map(({ id }) => id)).toEqual([first.id, first.id]);
  });

  test('leaves a failing customer in the report and bills the others', async () => {
    const billing = await world();
    await billing.customer('acme', '2026-11-01T00:00:00Z');
    await billing.customer('broken', '2026-11-01T00:00:00Z', { plan: 'nowhere' });
    billing.calls('acme', '2026-11', '1250');
    const run = await billing.run('2026-12-01T01:00:00Z');
    expect(run.report).toMatchObject({ invoicesPlanned: 2, steps: { issued: 1, failed: 1 } });
    expect(run.report?.failures).toMatchObject([{ account: 'broken/XXX', at: 'rate', code: 'plan_version_not_found' }]);
    expect(run.report?.failures[0]?.action).toContain('Create the plan version');
  });

  test('bills usage that arrived late as an adjustment of its own period, once', async () => {
    const billing = await world();
    await billing.customer('acme', '2026-11-01T00:00:00Z');
    billing.calls('acme', '2026-11', '1250');
    await billing.run('2026-12-01T01:00:00Z');
    billing.calls('acme', '2026-11', '1300');
    billing.calls('acme', '2026-12', '1100');
    const december = await billing.run('2027-01-01T01:00:00Z');
    // December 100 x 0.01 = 1.00, and November 50 more calls x 0.01 = 0.50
    expect(december.report?.totals).toEqual([{ currency: 'USD', totalMinor: '150', invoices: 1 }]);
    const [outcome] = await outcomesOf(billing, december.id);
    const [invoice] = await invoicesOf(billing, [outcome?.invoice ?? '']);
    expect(invoice?.lines.map(({ key, kind, amountMinor }) => [key, kind, amountMinor])).toEqual([
      ['sub-acme/calls/usage', 'usage', 100n],
      ['sub-acme/calls/usage/adjusts/2026-11', 'adjustment', 50n],
    ]);
    billing.calls('acme', '2027-01', '1000');
    const january = await billing.run('2027-02-01T01:00:00Z');
    expect(january.report?.totals).toEqual([{ currency: 'USD', totalMinor: '0', invoices: 1 }]);
  });

  test('bills a plan of 200 charges in tiers, whose rows are more than an item of the table holds as text', async () => {
    const billing = await world();
    const regions = Array.from({ length: 200 }, (_, index) => `region-${index}`);
    const tiers = Array.from({ length: 12 }, (_, index) => ({
      upTo: index === 11 ? null : String((index + 1) * 1_000),
      unitPrice: '0.001',
    }));
    await billing.plan(
      'regional',
      regions.map((region) => ({
        ...{ kind: 'usage', key: region, name: `Calls in ${region}`, meter: 'calls', filter: { region } },
        price: { model: 'graduated', tiers },
      })),
    );
    await billing.customer('acme', '2026-11-01T00:00:00Z', { plan: 'regional' });
    billing.usage.set(
      'acme/2026-11',
      regions.map((region) => ({ meter: 'calls', dimensions: { region }, quantity: '20000' })),
    );
    const run = await billing.run('2026-12-01T01:00:00Z');
    expect(run.report?.failures).toEqual([]);
    // 200 x 20,000 x 0.001
    expect(run.report?.totals).toEqual([{ currency: 'USD', totalMinor: '400000', invoices: 1 }]);
    const [invoice] = await billing.issued(run.id);
    expect(invoice?.lines.flatMap(({ steps }) => steps)).toHaveLength(2_400);
    expect(await billing.deps.ledger.entries(billing.project, 'acme/USD', '2026-11')).toHaveLength(1);
  });

  test('bills nobody by views that do not agree with the log, and bills the account once they are rebuilt', async () => {
    const billing = await world();
    await billing.customer('acme', '2026-11-01T00:00:00Z');
    await billing.customer('bolt', '2026-11-01T00:00:00Z');
    billing.calls('acme', '2026-11', '1500');
    billing.calls('bolt', '2026-11', '1500');
    billing.disputedDays.set('acme', ['20261107']);
    const run = await billing.run('2026-12-01T01:00:00Z');
    expect(run.report?.failures).toMatchObject([
      { customer: 'acme', at: 'rate', code: 'usage_disputed', reason: expect.stringContaining('20261107') },
    ]);
    // bolt: 500 x 0.01
    expect(run.report?.totals).toEqual([{ currency: 'USD', totalMinor: '500', invoices: 1 }]);
    billing.disputedDays.delete('acme');
    const next = await billing.run('2026-12-01T02:00:00Z');
    expect(next.report).toMatchObject({ failures: [], totals: [{ totalMinor: '500', invoices: 1 }] });
  });

  test('looks again at an older period only where a day of it received usage late', async () => {
    const billing = await world();
    await billing.customer('acme', '2026-10-01T00:00:00Z');
    billing.calls('acme', '2026-10', '1000');
    await billing.run('2026-11-01T01:00:00Z');
    await billing.run('2026-12-01T01:00:00Z');
    billing.calls('acme', '2026-10', '1500');
    const before = await billing.run('2027-01-01T01:00:00Z');
    expect(before.report?.totals).toEqual([{ currency: 'USD', totalMinor: '0', invoices: 1 }]);
    billing.lateDays.set('acme', ['20261031']);
    const after = await billing.run('2027-02-01T01:00:00Z');
    // 500 x 0.01 = 5.00 of October
    expect(after.report?.totals).toEqual([{ currency: 'USD', totalMinor: '500', invoices: 1 }]);
  });

  test('never goes below zero: a credit that does not fit is given on the invoices that follow', async () => {
    const billing = await world();
    await billing.customer('acme', '2026-10-01T00:00:00Z');
    billing.calls('acme', '2026-10', '3000');
    // October 2,000 x 0.01 = 20.00
    await billing.run('2026-11-01T01:00:00Z');
    billing.calls('acme', '2026-10', '1000');
    // now nothing is due for October: 20.00 to give back
    const totals: string[] = [];
    for (const [month, calls, asOf] of [
      ['2026-11', '1500', '2026-12-01T01:00:00Z'], // 5.00 - 5.00 of the 20.00
      ['2026-12', '1800', '2027-01-01T01:00:00Z'], // 8.00 - 8.00
      ['2027-01', '2000', '2027-02-01T01:00:00Z'], // 10.00 - 7.00, the rest
      ['2027-02', '1100', '2027-03-01T01:00:00Z'], // 1.00
    ] as const) {
      billing.calls('acme', month, calls);
      totals.push((await billing.run(asOf)).report?.totals[0]?.totalMinor ?? '');
    }
    expect(totals).toEqual(['0', '0', '300', '100']);
  });

  test('issues an invoice of zero, pays it at once and does not push it', async () => {
    const billing = await world();
    await billing.customer('idle', '2026-11-01T00:00:00Z');
    const run = await billing.run('2026-12-01T01:00:00Z');
    const [outcome] = await outcomesOf(billing, run.id);
    expect(outcome).toMatchObject({ step: 'issued', number: 'INV-000001', totalMinor: '0' });
    const [invoice] = await invoicesOf(billing, [outcome?.invoice ?? '']);
    expect(invoice?.status).toBe('paid');
    expect(await billing.deps.uncollected.list(billing.project)).toEqual([]);
    expect((await billing.events()).map(({ type }) => type).sort()).toEqual([
      'BillingRunFinished',
      'InvoiceIssued',
      'InvoicePaid',
    ]);
  });

  test('catches up on several closed periods in one run, in order, and no further than through', async () => {
    const billing = await world();
    await billing.customer('acme', '2026-09-15T00:00:00Z');
    // half a month has half the allowance: 16 of 30 days, 533.333333333333 free; the rest 0.01 each
    billing.calls('acme', '2026-09', '600');
    billing.calls('acme', '2026-10', '1100');
    billing.calls('acme', '2026-11', '1200');
    const run = await billing.run('2026-12-01T01:00:00Z', '2026-10');
    const outcomes = await outcomesOf(billing, run.id);
    expect(outcomes.map(({ period, number, totalMinor }) => [period, number, totalMinor])).toEqual([
      ['2026-09', 'INV-000001', '67'],
      ['2026-10', 'INV-000002', '100'],
    ]);
    const rest = await billing.run('2026-12-01T02:00:00Z');
    expect(rest.report?.totals).toEqual([{ currency: 'USD', totalMinor: '200', invoices: 1 }]);
  });

  test('bills a subscription that ended to its end, once, and takes it off the due index', async () => {
    const billing = await world([{ kind: 'fixed', key: 'base', name: 'Base fee', amount: '30', timing: 'in_arrears' }]);
    await billing.customer('gone', '2026-11-01T00:00:00Z', { end: '2026-11-11T00:00:00Z' });
    const run = await billing.run('2026-12-01T01:00:00Z');
    // 10 of 30 days of 30.00
    expect(run.report?.totals).toEqual([{ currency: 'USD', totalMinor: '1000', invoices: 1 }]);
    const [stored] = await billing.deps.reads.subscriptionsOf(billing.project, 'gone' as never);
    expect(stored?.subscription).toMatchObject({ billedThrough: '2026-11-11T00:00:00.000Z' });
    const later = await billing.run('2027-02-01T01:00:00Z');
    expect(later.report?.invoicesPlanned).toBe(0);
  });

  test("closes a period at the customer's own midnight", async () => {
    const billing = await world();
    await billing.customer('tokyo', '2026-10-31T15:00:00Z', { timeZone: 'Asia/Tokyo' });
    await billing.customer('berlin', '2026-10-31T23:00:00Z', { timeZone: 'Europe/Berlin' });
    // 16:00 UTC: December has begun in Tokyo (an hour ago, the grace), not in Berlin
    const run = await billing.run('2026-11-30T16:00:00Z');
    expect((await outcomesOf(billing, run.id)).map(({ account }) => account)).toEqual(['tokyo/USD']);
  });

  test('puts a subscription that was backdated after the issue on a second invoice of the period', async () => {
    const billing = await world();
    await billing.customer('acme', '2026-11-01T00:00:00Z');
    await billing.run('2026-12-01T01:00:00Z');
    const stored = await billing.deps.reads.subscriptionsOf(billing.project, 'acme' as never);
    const { subscriptionStore } = await import('../../../adapters/dynamodb/subscriptions.ts');
    const { customerStore } = await import('../../../adapters/dynamodb/customers.ts');
    const { client, billing: table } = parts.tables;
    const customer = await customerStore(client, table).find(billing.project, 'acme' as never);
    if (customer === undefined || stored[0] === undefined) throw new Error('not stored');
    const second = { ...stored[0].subscription, id: 'sub-second' as never, billedThrough: at('2026-11-01T00:00:00Z') };
    await subscriptionStore(client, table).create(billing.project, second, customer);
    billing.calls('acme', '2026-11', '1100');
    const run = await billing.run('2026-12-01T03:00:00Z');
    const [outcome] = await outcomesOf(billing, run.id);
    const [invoice] = await invoicesOf(billing, [outcome?.invoice ?? '']);
    expect([invoice?.ordinal, invoice?.number, invoice?.totalMinor]).toEqual([2, 'INV-000002', 100n]);
  });
});

describe('drafts and issues', () => {
  test('rating again finds the very same draft, and replaces it only when usage has changed', async () => {
    const billing = await world();
    await billing.customer('acme', '2026-11-01T00:00:00Z');
    billing.calls('acme', '2026-11', '1250');
    billing.now = at('2026-12-01T01:00:00Z');
    const { rows, ids } = await planned(billing);
    const rate = () => rateAccounts(billing.deps)({ ...ids, items: rows });
    await rate();
    const first = await billing.deps.drafts.find(billing.project, invoiceOf(rows));
    billing.now = at('2026-12-01T01:05:00Z');
    await rate();
    expect(await billing.deps.drafts.find(billing.project, invoiceOf(rows))).toEqual(first);
    billing.calls('acme', '2026-11', '1260');
    await rate();
    const third = await billing.deps.drafts.find(billing.project, invoiceOf(rows));
    expect([third?.version, third?.invoice.totalMinor]).toEqual([2, 260n]);
    expect(third?.invoice.draftedAt).toBe(first?.invoice.draftedAt);
  });

  test('a draft is not issued once its subscription has changed; the next run rates it again', async () => {
    const billing = await world();
    await billing.customer('acme', '2026-11-01T00:00:00Z');
    billing.calls('acme', '2026-11', '1250');
    billing.now = at('2026-12-01T01:00:00Z');
    const { rows, ids } = await planned(billing);
    await rateAccounts(billing.deps)({ ...ids, items: rows });
    const [stored] = await billing.deps.reads.subscriptionsOf(billing.project, 'acme' as never);
    if (stored === undefined) throw new Error('not stored');
    const { subscriptionStore } = await import('../../../adapters/dynamodb/subscriptions.ts');
    const { customerStore } = await import('../../../adapters/dynamodb/customers.ts');
    const { client, billing: table } = parts.tables;
    const customer = await customerStore(client, table).find(billing.project, 'acme' as never);
    if (customer === undefined) throw new Error('not stored');
    const ended = { ...stored.subscription, end: at('2026-11-16T00:00:00Z') };
    const { project } = billing;
    expect(await subscriptionStore(client, table).replace(project, ended, stored.version, customer)).toBe('stored');
    expect(await issueInvoices(billing.deps)({ ...ids, items: rows })).toEqual({ issued: 0, failed: 1 });
    const run = await billing.run('2026-12-01T02:00:00Z');
    // 15 of 30 days: 500 free, 750 x 0.01
    expect(run.report?.totals).toEqual([{ currency: 'USD', totalMinor: '750', invoices: 1 }]);
  });

  test('four workers issue fifty invoices with the numbers 1 to 50, none missing and none twice', async () => {
    const billing = await world();
    for (let n = 0; n < 50; n += 1) {
      await billing.customer(`c${n}`, '2026-11-01T00:00:00Z');
      billing.calls(`c${n}`, '2026-11', String(1_001 + n));
    }
    billing.now = at('2026-12-01T01:00:00Z');
    const { rows, ids } = await planned(billing);
    await rateAccounts(billing.deps)({ ...ids, items: rows });
    const workers = [0, 1, 2, 3].map((worker) =>
      issueInvoices(billing.deps)({ ...ids, items: rows.filter((_row, index) => index % 4 === worker) }),
    );
    const answers = await Promise.all(workers);
    expect(answers.reduce((sum, answer) => sum + answer.issued, 0)).toBe(50);
    const invoices = await invoicesOf(
      billing,
      rows.flatMap((row) => row.invoice_ids),
    );
    const expected = Array.from({ length: 50 }, (_value, index) => `INV-${String(index + 1).padStart(6, '0')}`);
    expect(invoices.map((invoice) => invoice?.number).sort()).toEqual(expected);
    expect(await billing.deps.desk.count(billing.project)).toBe(50);
  });

  test('another prefix or width, and the first one again, go on with the count: no gap and no repeat', async () => {
    const billing = await world();
    const { billingSettingsStore } = await import('../../../adapters/dynamodb/billing-settings.ts');
    const store = billingSettingsStore(parts.tables.client, parts.tables.billing);
    await billing.customer('acme', '2026-08-01T00:00:00Z');
    const numbers: (string | null | undefined)[] = [];
    const billed = async (asOf: string, change: object | null) => {
      if (change !== null) await store.putSettings(billing.project, { ...DEFAULT_BILLING_SETTINGS, ...change });
      const run = await billing.run(asOf);
      numbers.push(...(await billing.issued(run.id)).map(({ number }) => number));
    };
    await billed('2026-09-01T01:00:00Z', null);
    await billed('2026-10-01T01:00:00Z', { numberPrefix: 'INV-0' });
    await billed('2026-11-01T01:00:00Z', { numberDigits: 12 });
    await billed('2026-12-01T01:00:00Z', {});
    expect(numbers).toEqual(['INV-000001', 'INV-0-000002', 'INV-000000000003', 'INV-000004']);
  });

  test('grace and payment term count from when they are set', async () => {
    const billing = await world();
    const { billingSettingsStore } = await import('../../../adapters/dynamodb/billing-settings.ts');
    const store = billingSettingsStore(parts.tables.client, parts.tables.billing);
    await billing.customer('acme', '2026-11-01T00:00:00Z');
    await store.putSettings(billing.project, { ...DEFAULT_BILLING_SETTINGS, graceHours: 48, paymentTermDays: 30 });
    expect((await billing.run('2026-12-02T23:59:59Z')).report?.invoicesPlanned).toBe(0);
    const [invoice] = await billing.issued((await billing.run('2026-12-03T00:00:00Z')).id);
    expect(invoice?.dueAt).toBe('2027-01-02T00:00:00.000Z');
  });

  test('two runs at once over the same accounts issue each invoice once', async () => {
    const billing = await world();
    for (let n = 0; n < 8; n += 1) await billing.customer(`c${n}`, '2026-11-01T00:00:00Z');
    const other = billing.with(billing.client);
    await Promise.all([billing.run('2026-12-01T01:00:00Z'), other.run('2026-12-01T01:00:30Z')]);
    const settled = await billing.run('2026-12-01T02:00:00Z');
    expect(settled.report?.steps.failed).toBe(0);
    expect(await billing.deps.desk.count(billing.project)).toBe(8);
  });
});

interface Row {
  readonly invoice_ids: readonly string[];
}

async function planned(billing: BillingWorld) {
  const { deps, project } = billing;
  const { handle: writeManifest } = await import('../../../lambdas/billing/write-manifest.ts');
  const run = await startBillingRun({ project, reason: 'request' }, deps);
  const ids = { project_id: project, run_id: run.id, as_of: run.asOf };
  const { key } = await writeManifest(deps)({ ...ids, through: null, reason: 'request' });
  return { ids, rows: JSON.parse(parts.objects.read('archive', key).toString()) as Row[] };
}

function invoiceOf(rows: readonly Row[]): InvoiceId {
  return (rows[0]?.invoice_ids[0] ?? '') as InvoiceId;
}
