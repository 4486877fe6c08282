import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { InvoiceId } from '../../../core/ids.ts';
import {
  type BillingParts,
  BillingWorld,
  CrashError,
  crashingClient,
  startBillingParts,
} from '../../support/billing-world.ts';

/**
 * The process dies at one write of a run, before the write reaches the table or after it took effect with its answer lost,
 * and the run is started again. Whatever the write: the same invoices, numbers, ledger and due dates as without a crash.
 */
let parts: BillingParts;
beforeAll(async () => {
  parts = await startBillingParts();
});
afterAll(() => parts.stop());

let projects = 0;

/** Two accounts: one with usage and a late correction of October, one with nothing to pay. */
async function november(): Promise<BillingWorld> {
  projects += 1;
  const billing = new BillingWorld(parts, `prj_crash${projects}`);
  await billing.catalog();
  await billing.customer('acme', '2026-10-01T00:00:00Z');
  await billing.customer('idle', '2026-11-01T00:00:00Z');
  billing.calls('acme', '2026-10', '1100');
  await billing.run('2026-11-01T01:00:00Z');
  billing.calls('acme', '2026-10', '1150');
  billing.calls('acme', '2026-11', '1250');
  return billing;
}

/** What must be the same after any crash: all that was billed and what is still due. */
async function stateOf(billing: BillingWorld) {
  const { deps, project } = billing;
  const state = [];
  for (const customer of ['acme', 'idle']) {
    const head = await deps.ledger.head(project, `${customer}/USD`);
    for (const period of ['2026-10', '2026-11']) {
      for (const entry of await deps.ledger.entries(project, `${customer}/USD`, period)) {
        const invoice = (await deps.drafts.find(project, entry.invoice as InvoiceId))?.invoice;
        const amounts = entry.lines.map(({ key, amountMinor }) => `${key} ${amountMinor}`);
        state.push({ customer, period, status: invoice?.status, number: invoice?.number, amounts });
      }
    }
    const [stored] = await deps.reads.subscriptionsOf(project, customer as never);
    state.push({ customer, sequence: head.sequence, billedThrough: stored?.subscription.billedThrough });
  }
  const issued = (await billing.events()).filter(({ type }) => type === 'InvoiceIssued').map(({ id }) => id);
  state.push({ counter: await deps.desk.count(project), issued: issued.length, distinct: new Set(issued).size });
  return state;
}

const EXPECTED = [
  { customer: 'acme', period: '2026-10', amounts: ['sub-acme/calls/usage 100'] },
  { customer: 'acme', period: '2026-10', amounts: ['sub-acme/calls/usage/adjusts/2026-10 50'] },
  { customer: 'acme', period: '2026-11', amounts: ['sub-acme/calls/usage 250'] },
  { customer: 'acme', sequence: 2, billedThrough: '2026-12-01T00:00:00.000Z' },
  { customer: 'idle', period: '2026-11', status: 'paid', amounts: ['sub-idle/calls/usage 0'] },
  { customer: 'idle', sequence: 1, billedThrough: '2026-12-01T00:00:00.000Z' },
  { counter: 3, issued: 3, distinct: 3 },
];

describe('a process that dies at any write of a run', () => {
  test('leaves a run that, started again, bills everything once', { timeout: 240_000 }, async () => {
    let crashes = 0;
    for (const when of ['before', 'after'] as const) {
      for (let nth = 1; ; nth += 1) {
        const billing = await november();
        const dying = billing.with(crashingClient(parts.tables.client, nth, when));
        const ending = await dying.run('2026-12-01T01:00:00Z').then(
          () => 'survived',
          (error: unknown) => error,
        );
        if (ending === 'survived') break;
        expect(isCrash(ending)).toBe(true);
        crashes += 1;
        // the same run goes on where it was, as Step Functions would repeat its states
        const repeated = await billing.run('2026-12-01T01:00:00Z');
        expect(repeated.status).toBe('finished');
        // and the next day's run finds nothing left
        const next = await billing.run('2026-12-02T01:00:00Z');
        expect(next.report?.steps).toMatchObject({ issued: 0, failed: 0 });
        // DynamoDB lists entries of one period by invoice id: put the own entry before the adjustment of it
        const state = (await stateOf(billing)).sort((a, b) => order(a).localeCompare(order(b)));
        expect({ when, nth, state }).toMatchObject({ when, nth, state: EXPECTED });
      }
    }
    // run, settled, planned, two drafts with outcomes, two issues, the report: at least ten writes, twice
    expect(crashes).toBeGreaterThanOrEqual(18);
  });
});

function order(entry: object): string {
  const {
    customer = 'z',
    period = 'z',
    amounts = [],
  } = entry as {
    customer?: string;
    period?: string;
    amounts?: string[];
  };
  return `${customer} ${period} ${amounts.join()}`;
}

function isCrash(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) if (cause instanceof CrashError) return true;
  return false;
}
