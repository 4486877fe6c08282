import { Logger } from '@aws-lambda-powertools/logger';
import { expect, test } from 'vitest';
import type { InvoiceId, ProjectId } from '../../../core/ids.ts';
import type { RunOutcome } from '../../../core/invoicing/billing-run.ts';
import type { Invoice } from '../../../core/invoicing/invoice.ts';
import type { InvoicePayments, PaymentProvider } from '../../../core/payments/ports.ts';
import { handle } from '../../../lambdas/billing/push-invoices.ts';
import { toBillingError } from '../../../lambdas/shared/error-map.ts';
import { FakeProvider } from '../../core/payments/fake-provider.ts';
import { Faults } from '../../core/payments/faults.ts';
import { MemoryPayments } from '../../core/payments/memory-payments.ts';
import { CUSTOMER, HandClock, invoiceOf, PROJECT } from '../../core/payments/payment-fixtures.ts';

/** A batch of one account per invoice, over one provider. */
function world(invoices: readonly Invoice[]) {
  const clock = new HandClock();
  const faults = new Faults();
  const provider = new FakeProvider(faults, clock);
  const stores = new Map(invoices.map((one) => [one.id, new MemoryPayments(one, CUSTOMER, faults)]));
  const shared = new MemoryPayments(invoiceOf([1n]), CUSTOMER, faults);
  const payments: InvoicePayments = {
    find: async (project, id) => (await stores.get(id)?.payments.find(project, id)) ?? null,
    save: async (change) => (await stores.get(change.stored.invoice.id)?.payments.save(change)) ?? 'refused',
  };
  const outcomes = new Map<string, RunOutcome>();
  const uncollected = new Map<InvoiceId, 'unpushed' | 'open'>(invoices.map((one) => [one.id, 'unpushed']));
  const of = async (): Promise<PaymentProvider> => provider;
  const deps = {
    providers: { of },
    payments,
    customers: shared.customers,
    runs: {
      recordOutcome: async (_project: ProjectId, _run: unknown, outcome: RunOutcome) => {
        outcomes.set(outcome.invoice, outcome);
      },
    },
    uncollected: {
      list: async () => [],
      pushed: async (_project: ProjectId, id: InvoiceId) => void uncollected.set(id, 'open'),
      settled: async (_project: ProjectId, id: InvoiceId) => void uncollected.delete(id),
    },
    clock,
    named: toBillingError,
    reserveMs: 90_000,
    logger: new Logger({ logLevel: 'SILENT' }),
  };
  const input = {
    project_id: PROJECT,
    run_id: 'run_1',
    as_of: '2026-12-01T00:00:00.000Z',
    items: [...invoices.map((one) => one.id), 'inv_nowhere'].map((id) => ({
      account: 'acme/USD',
      customer: 'acme',
      currency: 'USD',
      periods: [],
      invoice_ids: [id],
      open_ids: [],
    })),
  };
  let remaining = 900_000;
  const push = () => handle(deps)(input, { getRemainingTimeInMillis: () => remaining });
  /** The next day's run: nothing to push, the invoices whose money is out to be read again. */
  const reread = () => {
    const openIds = [...uncollected].flatMap(([id, state]) => (state === 'open' ? [id] : []));
    const items = [{ ...input.items[0], invoice_ids: [], open_ids: openIds }];
    return handle(deps)({ ...input, items }, { getRemainingTimeInMillis: () => remaining });
  };
  return {
    provider,
    faults,
    outcomes,
    uncollected,
    stores,
    push,
    reread,
    leave: (ms: number) => {
      remaining = ms;
    },
  };
}

const five = () => ['a', 'b', 'c', 'd', 'e'].map((name) => invoiceOf([1000n], 'USD', `inv_${name}`));

test('every invoice of the batch is pushed and has its outcome; one that is not there is passed over', async () => {
  const at = world(five());
  expect(await at.push()).toEqual({ pushed: 5, failed: 0 });
  expect(at.provider.charges).toHaveLength(5);
  expect(at.provider.customers).toHaveLength(1);
  expect([...at.outcomes.values()].map((one) => [one.step, one.totalMinor, one.number, one.period])).toEqual(
    Array.from({ length: 5 }, () => ['pushed', '1000', 'INV-000001', '2026-11']),
  );
  expect(at.uncollected.size).toBe(0);
});

test('one that fails for good ends in its outcome with a reason and stops nobody', async () => {
  const invoices = five();
  const at = world([...invoices, { ...invoiceOf([1000n], 'USD', 'inv_bad'), customer: CUSTOMER.id }]);
  const create = at.provider.addLines.bind(at.provider);
  at.provider.addLines = async (id, invoice, key) => {
    const seen = await create(id, invoice, key);
    if (invoice.id !== 'inv_bad') return seen;
    at.provider.set(id, { totalMinor: 999n });
    return { ...seen, totalMinor: 999n };
  };
  expect(await at.push()).toEqual({ pushed: 5, failed: 1 });
  expect(at.outcomes.get('inv_bad')).toMatchObject({ step: 'failed', at: 'push', code: 'provider_total_differs' });
  expect([...at.uncollected]).toEqual([['inv_bad', 'unpushed']]);
});

test('a trouble that may pass fails the batch as retryable after everybody had a turn, and the retry finishes it', async () => {
  const at = world(five());
  at.faults.plan.set(9, 'lost_before');
  await expect(at.push()).rejects.toMatchObject({ name: 'Retryable.NotReady' });
  expect([...at.outcomes.values()].filter((one) => one.step === 'failed')).toHaveLength(1);
  expect(await at.push()).toEqual({ pushed: 5, failed: 0 });
  expect(at.provider.charges).toHaveLength(5);
});

test('with too little time left nothing is begun, and that too is retryable', async () => {
  const at = world(five());
  at.leave(90_000);
  await expect(at.push()).rejects.toMatchObject({ name: 'Retryable.NotReady' });
  expect([...at.outcomes.values()].map((one) => one.code)).toEqual(Array.from({ length: 5 }, () => 'push_out_of_time'));
  expect(at.provider.invoices.size).toBe(0);
});

test('an invoice of zero, paid by being issued, keeps its outcome and never reaches the provider', async () => {
  const at = world([{ ...invoiceOf([100n, -100n], 'USD', 'inv_zero'), status: 'paid' }]);
  expect(await at.push()).toEqual({ pushed: 0, failed: 0 });
  expect(at.outcomes.size).toBe(0);
  expect(at.faults.count).toBe(0);
});

test('what the workflow passes wrongly is a fatal failure with the field', async () => {
  const at = world([]);
  await expect(
    handle({} as never)({ project_id: PROJECT }, { getRemainingTimeInMillis: () => 0 }),
  ).rejects.toMatchObject({
    name: 'Fatal.Invalid',
  });
  expect(at.faults.count).toBe(0);
});

test('what the provider told while no webhook arrived is found by the next run, told to the world once, and never charged', async () => {
  const at = world(five());
  at.provider.card = 'none';
  await at.push();
  expect([...at.uncollected.values()]).toEqual(['open', 'open', 'open', 'open', 'open']);
  const [first, second] = [...at.provider.invoices.keys()];
  at.provider.set(first ?? '', { status: 'paid', receivedMinor: 1000n });
  at.provider.set(second ?? '', { status: 'void' });
  at.outcomes.clear();
  expect(await at.reread()).toEqual({ pushed: 0, failed: 0 });
  expect(at.uncollected.size).toBe(3);
  const states = [...at.stores.values()].map(({ stored, events }) => [
    stored.invoice.status,
    events.map(({ type }) => type),
  ]);
  expect(states).toEqual([
    ['paid', ['InvoicePaid']],
    ['void', []],
    ['issued', []],
    ['issued', []],
    ['issued', []],
  ]);
  expect(at.provider.charges).toEqual([]);
  // It is no invoice of that run, so the run has no outcome of it.
  expect(at.outcomes.size).toBe(0);
});

test('an invoice that cannot be read again is left for the next day and fails nobody', async () => {
  const at = world(five());
  at.provider.card = 'none';
  await at.push();
  const [first] = [...at.provider.invoices.keys()];
  at.provider.set(first ?? '', { status: 'paid', receivedMinor: 1000n });
  at.faults.plan.set(at.faults.count + 1, 'lost_before');
  expect(await at.reread()).toEqual({ pushed: 0, failed: 0 });
  expect(at.uncollected.size).toBe(5);
  await at.reread();
  expect(at.uncollected.size).toBe(4);
});

test('an invoice that a webhook settled is taken off the list without asking the provider', async () => {
  const at = world(five().slice(0, 1));
  at.provider.card = 'none';
  await at.push();
  const [store] = [...at.stores.values()];
  if (store === undefined) throw new Error('no store');
  store.stored = { ...store.stored, invoice: { ...store.stored.invoice, status: 'paid' } };
  const calls = at.faults.count;
  await at.reread();
  expect([at.uncollected.size, at.faults.count]).toEqual([0, calls]);
});
