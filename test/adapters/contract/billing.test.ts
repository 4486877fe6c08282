import { gunzipSync, gzipSync } from 'node:zlib';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { ExecutionAlreadyExists } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { subscriptionItem } from '../../../adapters/dynamodb/subscription-item.ts';
import { eventBridgeBus } from '../../../adapters/eventbridge/event-bus.ts';
import { runStarter } from '../../../adapters/stepfunctions/run-starter.ts';
import type { Subscription } from '../../../core/accounts/subscription.ts';
import { productEvent } from '../../../core/events/product-event.ts';
import type { BillingRunId, InvoiceId, ProjectId, SubscriptionId } from '../../../core/ids.ts';
import type { BillingRun, ManifestRow } from '../../../core/invoicing/billing-run.ts';
import type { IssueTransaction, StoredInvoice } from '../../../core/invoicing/ports.ts';
import { reportOf } from '../../../core/invoicing/run-report.ts';
import { parseBillingPeriod } from '../../../core/time/billing-period.ts';
import { at, type BillingParts, BillingWorld, startBillingParts } from '../../support/billing-world.ts';
import { onePhase } from '../../support/subscription-fixtures.ts';

/** The billing adapters against DynamoDB Local and the local S3: what each call promises its port. */
let parts: BillingParts;
beforeAll(async () => {
  parts = await startBillingParts();
});
afterAll(() => parts.stop());

let projects = 0;
const world = () => new BillingWorld(parts, `prj_contract${++projects}`);

const NOVEMBER = parseBillingPeriod('2026-11', 'UTC');

function draft(project: ProjectId, name: string): StoredInvoice {
  return {
    version: 1,
    invoice: {
      id: `inv_${name}` as InvoiceId,
      project,
      customer: name as never,
      account: `${name}/USD`,
      period: NOVEMBER,
      purpose: 'period',
      ordinal: 1,
      currency: 'USD',
      status: 'draft',
      number: null,
      lines: [],
      totalMinor: 0n,
      draftedAt: at('2026-12-01T01:00:00Z'),
      issuedAt: null,
      dueAt: null,
      evidence: { sha256: '00', key: 'evidence/00.json.gz' },
    },
    basis: {
      ledgerSequence: 0,
      head: { sequence: 1, periods: [{ ...NOVEMBER, invoices: 1, isCreditLeft: false }] },
      entries: [{ period: '2026-11', invoice: `inv_${name}` as InvoiceId, services: [], lines: [] }],
      subscriptions: [],
      timeZone: 'UTC',
      unbilledSlices: 0,
    },
  };
}

function issueOf(stored: StoredInvoice, count: number): IssueTransaction {
  const { id, account, customer, currency } = stored.invoice;
  const issuedAt = at('2026-12-01T01:01:00Z');
  return {
    draft: stored,
    issued: { ...stored.invoice, status: 'issued', number: `INV-${count}`, issuedAt, dueAt: issuedAt },
    count,
    subscriptions: [],
    events: [],
    run: 'run_1' as BillingRunId,
    outcome: { invoice: id, account, customer, currency, period: '2026-11', step: 'issued' },
    isToBePushed: true,
  };
}

describe('drafts', () => {
  test('are put once at first and then only over the version that was read', async () => {
    const { deps, project } = world();
    const { invoice, basis } = draft(project, 'acme');
    expect(await deps.drafts.put(invoice, basis, 0)).toBe('stored');
    expect(await deps.drafts.put(invoice, basis, 0)).toBe('refused');
    expect(await deps.drafts.put({ ...invoice, draftedAt: at('2026-12-02T01:00:00Z') }, basis, 1)).toBe('stored');
    expect(await deps.drafts.put(invoice, basis, 1)).toBe('refused');
    const stored = await deps.drafts.find(project, invoice.id);
    expect([stored?.version, stored?.invoice.draftedAt]).toEqual([2, '2026-12-02T01:00:00.000Z']);
    expect(stored?.basis).toEqual(basis);
  });

  test('of another project do not exist', async () => {
    const { deps, project } = world();
    const { invoice, basis } = draft(project, 'acme');
    await deps.drafts.put(invoice, basis, 0);
    expect(await deps.drafts.find('prj_other' as ProjectId, invoice.id)).toBeNull();
  });
});

describe('the issuing desk', () => {
  test('issues with the next number and refuses a number that is taken, telling the last one', async () => {
    const { deps, project } = world();
    const [first, second] = [draft(project, 'a'), draft(project, 'b')];
    await deps.drafts.put(first.invoice, first.basis, 0);
    await deps.drafts.put(second.invoice, second.basis, 0);
    expect(await deps.desk.count(project)).toBe(0);
    expect(await deps.desk.issue(issueOf(first, 1))).toEqual({ result: 'issued' });
    expect(await deps.desk.issue(issueOf(second, 1))).toEqual({ result: 'number_taken', count: 1 });
    expect(await deps.desk.issue(issueOf(second, 3))).toEqual({ result: 'number_taken', count: 1 });
    expect(await deps.desk.issue(issueOf(second, 2))).toEqual({ result: 'issued' });
    expect(await deps.desk.count(project)).toBe(2);
    expect((await deps.uncollected.list(project)).map(({ invoice }) => invoice).sort()).toEqual(['inv_a', 'inv_b']);
    const states = async () =>
      (await deps.uncollected.list(project)).map(({ invoice, isPushed }) => [invoice, isPushed]);
    await deps.uncollected.pushed(project, 'inv_a' as InvoiceId);
    expect((await states()).sort()).toEqual([
      ['inv_a', true],
      ['inv_b', false],
    ]);
    await deps.uncollected.settled(project, 'inv_a' as InvoiceId, at('2026-12-01T01:00:00Z'));
    await deps.uncollected.settled(project, 'inv_gone' as InvoiceId, at('2026-12-01T01:00:00Z'));
    expect(await states()).toEqual([['inv_b', false]]);
  });

  test('issues a draft once: the second try is stale and takes no number', async () => {
    const { deps, project } = world();
    const stored = draft(project, 'a');
    await deps.drafts.put(stored.invoice, stored.basis, 0);
    await deps.desk.issue(issueOf(stored, 1));
    expect(await deps.desk.issue(issueOf(stored, 2))).toEqual({ result: 'stale', what: 'the draft' });
    expect(await deps.desk.count(project)).toBe(1);
  });

  test("refuses a draft that was measured against another state of the account's ledger", async () => {
    const { deps, project } = world();
    const first = draft(project, 'a');
    const second = draft(project, 'b');
    const sameAccount = { ...second, invoice: { ...second.invoice, account: 'a/USD' } };
    await deps.drafts.put(first.invoice, first.basis, 0);
    await deps.drafts.put(sameAccount.invoice, sameAccount.basis, 0);
    await deps.desk.issue(issueOf(first, 1));
    expect(await deps.desk.issue(issueOf(sameAccount, 2))).toEqual({ result: 'stale', what: "the account's ledger" });
    expect((await deps.drafts.find(project, sameAccount.invoice.id))?.invoice.status).toBe('draft');
  });

  test('refuses a draft whose subscription has changed', async () => {
    const { deps, project } = world();
    const stored = draft(project, 'a');
    await deps.drafts.put(stored.invoice, stored.basis, 0);
    await putSubscription(project, subscription('sub_1'), 4);
    const transaction = {
      ...issueOf(stored, 1),
      subscriptions: [{ stored: { subscription: subscription('sub_1'), version: 4 }, timeZone: 'UTC' }],
    };
    expect(await deps.desk.issue(transaction)).toEqual({ result: 'stale', what: 'a subscription' });
  });
});

function subscription(id: string, billedThrough = '2026-11-01T00:00:00Z'): Subscription {
  return {
    id: id as SubscriptionId,
    customer: 'acme' as never,
    phases: onePhase('2026-01-01T00:00:00Z'),
    start: at('2026-01-01T00:00:00Z'),
    end: null,
    interval: 'month',
    billing: 'calendar',
    billedThrough: at(billedThrough),
  };
}

async function putSubscription(project: ProjectId, value: Subscription, version: number) {
  const Item = subscriptionItem(project, { subscription: value, version }, 'UTC');
  await parts.tables.client.send(new PutItemCommand({ TableName: parts.tables.billing, Item }));
}

test('the due index holds what closes at an instant or before, earliest first', async () => {
  const { deps, project } = world();
  await putSubscription(project, subscription('sub_nov'), 1);
  await putSubscription(project, subscription('sub_oct', '2026-10-01T00:00:00Z'), 1);
  await putSubscription(project, subscription('sub_dec', '2026-12-01T00:00:00Z'), 1);
  const due = async (closesAt: string) => {
    const ids: string[] = [];
    for await (const page of deps.reads.dueSubscriptions(project, at(closesAt))) ids.push(...page.map(({ id }) => id));
    return ids;
  };
  expect(await due('2026-12-01T00:00:00Z')).toEqual(['sub_oct', 'sub_nov']);
  expect(await due('2026-11-30T23:59:59.999Z')).toEqual(['sub_oct']);
});

describe('the outbox', () => {
  const eventAt = (project: ProjectId, second: string) =>
    productEvent({
      type: 'InvoiceIssued',
      project,
      occurredAt: at(`2026-12-01T01:00:${second}Z`),
      subject: [second],
      data: {} as never,
    });

  test('keeps events in the order of their instants until they are removed', async () => {
    const { deps, project } = world();
    const stored = draft(project, 'a');
    await deps.drafts.put(stored.invoice, stored.basis, 0);
    const events = ['03', '01', '02'].map((second) => eventAt(project, second));
    await deps.desk.issue({ ...issueOf(stored, 1), events });
    const waiting = await deps.outbox.waiting(project, null, 10);
    expect(waiting.map(({ event }) => event.occurredAt.slice(17, 19))).toEqual(['01', '02', '03']);
    expect(waiting[0]?.event).toEqual(events[1]);
    const [first, second] = waiting;
    await deps.outbox.remove(project, [first?.entry ?? '']);
    await deps.outbox.remove(project, [first?.entry ?? '']);
    expect((await deps.outbox.waiting(project, null, 10)).length).toBe(2);
    expect((await deps.outbox.waiting(project, second?.entry ?? '', 10)).length).toBe(1);
  });

  test('reaches the bus as an envelope, entry by entry', async () => {
    const sent: PutEventsCommand[] = [];
    const client = {
      send: async (command: PutEventsCommand) => {
        sent.push(command);
        return { Entries: [{ EventId: '1' }, { ErrorCode: 'InternalFailure' }] };
      },
    };
    const bus = eventBridgeBus(client as never, 'the-bus');
    const project = 'prj_bus' as ProjectId;
    expect(await bus.publish([eventAt(project, '01'), eventAt(project, '02')])).toEqual([true, false]);
    const [entry] = sent[0]?.input.Entries ?? [];
    expect(entry).toMatchObject({ EventBusName: 'the-bus', Source: 'countinghouse', DetailType: 'InvoiceIssued' });
    expect(JSON.parse(entry?.Detail ?? '')).toMatchObject({
      id: eventAt(project, '01').id,
      version: 1,
      project: 'prj_bus',
      occurred_at: '2026-12-01T01:00:01.000Z',
      type: 'InvoiceIssued',
    });
  });

  test('brings large events to the bus in several calls, none above 256 KB, each answered for itself', async () => {
    const sizes: number[] = [];
    const client = {
      send: async ({ input: { Entries = [] } }: PutEventsCommand) => {
        sizes.push(Entries.reduce((sum, { Detail = '' }) => sum + Buffer.byteLength(Detail), 0));
        return { Entries: Entries.map((_entry, i) => (i === 0 ? { EventId: '1' } : { ErrorCode: 'InternalFailure' })) };
      },
    };
    const large = (minute: string) => {
      const event = eventAt('prj_bus' as ProjectId, minute);
      return { ...event, data: { ...event.data, customer: '🚀'.repeat(25_000) } } as typeof event;
    };
    const events = ['01', '02', '03', '04', '05'].map(large);
    // 100 KB each: two in a call
    expect(await eventBridgeBus(client as never, 'the-bus').publish(events)).toEqual([true, false, true, false, true]);
    expect(sizes).toHaveLength(3);
    expect(Math.max(...sizes)).toBeLessThan(256 * 1024);
  });
});

describe('billing runs', () => {
  const runOf = (project: ProjectId): BillingRun => ({
    id: 'run_1' as BillingRunId,
    project,
    asOf: at('2026-12-01T01:00:00Z'),
    through: null,
    reason: 'request',
    status: 'running',
    startedAt: at('2026-12-01T01:00:00Z'),
    finishedAt: null,
    settled: null,
    reconciled: null,
    planned: null,
    report: null,
  });

  test('are created once, keep the notes of their steps, and end once', async () => {
    const { deps, project } = world();
    const run = runOf(project);
    expect(await deps.runs.create(run)).toEqual(run);
    expect(await deps.runs.create({ ...run, startedAt: at('2026-12-01T02:00:00Z') })).toEqual(run);
    await deps.runs.settled(project, run.id, {
      partitions: 3,
      foldedEvents: 20,
      parked: 1,
      queued: 2,
      deadLettered: 3,
    });
    await deps.runs.reconciled(project, run.id, { views: 9, disputedDays: 1, unprovableDays: 0 });
    await deps.runs.planned(project, run.id, { accounts: 2, invoices: 2 });
    const known = await deps.runs.find(project, run.id);
    expect(known).toMatchObject({ settled: { partitions: 3 }, reconciled: { views: 9 }, planned: { accounts: 2 } });
    const report = reportOf({ run, rows: [], outcomes: new Map(), unpushed: 0, error: null });
    const event = productEvent({
      type: 'BillingRunFinished',
      project,
      occurredAt: run.asOf,
      subject: [run.id],
      data: {} as never,
    });
    const ended = { ...run, ...known, status: 'finished' as const, finishedAt: at('2026-12-01T01:10:00Z') };
    await deps.runs.finish(ended, report, event);
    const again = await deps.runs.finish({ ...ended, status: 'failed' }, { ...report, error: 'late' }, event);
    expect(again).toMatchObject({ status: 'finished', report: { error: null }, settled: { parked: 1 } });
    expect((await deps.outbox.waiting(project, null, 10)).length).toBe(1);
  });

  test('hold the last outcome of each invoice', async () => {
    const { deps, project } = world();
    const outcome = { invoice: 'inv_1' as InvoiceId, customer: 'a', account: 'a/USD', period: '2026-11' };
    await deps.runs.recordOutcome(project, 'run_1' as BillingRunId, { ...outcome, step: 'rated' });
    await deps.runs.recordOutcome(project, 'run_1' as BillingRunId, { ...outcome, step: 'issued' });
    const outcomes = [];
    for await (const page of deps.runs.outcomes(project, 'run_1' as BillingRunId)) outcomes.push(...page);
    expect(outcomes).toEqual([{ ...outcome, step: 'issued' }]);
  });

  test('start their execution under their own id, and once', async () => {
    const names: string[] = [];
    const client = {
      send: async ({ input }: { input: { name: string; input: string } }) => {
        if (names.includes(input.name)) throw new ExecutionAlreadyExists({ message: 'exists', $metadata: {} });
        names.push(input.name);
        expect(JSON.parse(input.input)).toEqual({
          project_id: 'prj_x',
          run_id: 'run_1',
          as_of: '2026-12-01T01:00:00.000Z',
          through: null,
          reason: 'request',
        });
      },
    };
    const starter = runStarter(client as never, 'arn:machine');
    await starter.start(runOf('prj_x' as ProjectId));
    await starter.start(runOf('prj_x' as ProjectId));
    expect(names).toEqual(['run_1']);
  });
});

describe('objects', () => {
  const ROW: ManifestRow = {
    account: 'acme/USD',
    customer: 'acme',
    currency: 'USD',
    periods: [{ purpose: 'period', ...boundsOf(), ordinal: 1, invoiceId: 'inv_1' as InvoiceId }],
    invoiceIds: ['inv_0', 'inv_1'] as InvoiceId[],
    openIds: ['inv_9'] as InvoiceId[],
  };

  function boundsOf() {
    const { key, start, end } = NOVEMBER;
    return { key, start, end };
  }

  test('the first manifest of a run stays', async () => {
    const { deps, project } = world();
    const run = 'run_1' as BillingRunId;
    expect(await deps.manifests.writeOnce(project, run, [ROW])).toBe('stored');
    expect(await deps.manifests.writeOnce(project, run, [])).toBe('kept');
    expect(await deps.manifests.read(project, run)).toEqual([ROW]);
    const { bucket, key } = deps.manifests.place(project, run);
    expect(JSON.parse(parts.objects.read(bucket, key).toString())).toEqual([
      {
        project_id: project,
        run_id: 'run_1',
        account: 'acme/USD',
        customer: 'acme',
        currency: 'USD',
        periods: [{ ...boundsOf(), ordinal: 1, purpose: 'period', invoice_id: 'inv_1' }],
        invoice_ids: ['inv_0', 'inv_1'],
        open_ids: ['inv_9'],
      },
    ]);
  });

  test('evidence is stored once under its key and putting it again is no error', async () => {
    const { deps, project } = world();
    const key = `evidence/${project}/aa.json.gz`;
    await deps.evidence.putOnce(key, gzipSync('first'));
    await deps.evidence.putOnce(key, gzipSync('second'));
    expect(gunzipSync(parts.objects.read('archive', key)).toString()).toBe('first');
  });
});
