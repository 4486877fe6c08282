/** A small month in which every function's writes are lost, throttled, contended and interrupted, one after the other. */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { FaultEffect, InjectedFault } from '../../local/gateway/faults.ts';
import { Scenario } from '../support/scenario.ts';
import { eventually, NotYet, uuid7 } from '../support/scenario-api.ts';
import { billedByRequest, hurriedAssembly } from '../support/scenario-assembly.ts';
import { subscribe } from '../support/scenario-customers.ts';

const CUSTOMERS = ['ada', 'bob', 'eve'];
const FEBRUARY = { from: '2027-02-01T00:00:00Z', to: '2027-03-01T00:00:00Z' };
/** What each function writes: the trouble is made there. */
const WRITES: readonly (readonly [string, readonly string[]])[] = [
  ['post-events', ['SendMessage', 'SendMessageBatch']],
  ['append-usage', ['PutItem']],
  ['fold-usage', ['PutItem', 'TransactWriteItems']],
  ['sweep-usage', ['PutItem', 'TransactWriteItems']],
  ['publish-usage', ['PutEvents']],
  ['settle-usage', ['PutItem', 'UpdateItem']],
  ['reconcile-usage', ['UpdateItem']],
  ['write-manifest', ['PutObject', 'UpdateItem']],
  ['rate-accounts', ['PutItem', 'PutObject']],
  ['issue-invoices', ['TransactWriteItems']],
  ['push-invoices', ['UpdateItem', 'TransactWriteItems', 'PutItem']],
  ['publish-outbox', ['PutEvents', 'DeleteItem']],
  ['finish-run', ['TransactWriteItems']],
  ['receive-stripe', ['SendMessage', 'PutItem']],
  ['apply-stripe', ['PutItem', 'TransactWriteItems']],
];

let scenario: Scenario;
beforeAll(async () => {
  scenario = await Scenario.start({
    cdkOut: hurriedAssembly(billedByRequest(inject('cdkOut'))),
    now: '2027-02-10T12:00:00Z',
  });
  await scenario.client.post('/v1/meters', { key: 'calls', event_type: 'call', aggregation: 'count', dimensions: [] });
  await scenario.client.post('/v1/plans', {
    plan: 'pro',
    name: 'Pro',
    currency: 'USD',
    interval: 'month',
    charges: [
      { kind: 'usage', key: 'calls', name: 'Calls', meter: 'calls', price: { model: 'per_unit', unit_price: '0.5' } },
    ],
  });
  for (const id of CUSTOMERS) await subscribe(scenario, { id, plan: 'pro', start: FEBRUARY.from });
});
afterAll(() => scenario?.stop());

const calls = (time: string, count: number) =>
  CUSTOMERS.flatMap((customer, c) =>
    Array.from({ length: count }, (_, n) => ({ id: uuid7(time, c * 100 + n), type: 'call', customer, time })),
  );

interface Trouble {
  readonly name: string;
  readonly fault: InjectedFault;
}

/** One kind of trouble at the `nth` of each write of each function. */
function trouble(nth: number, effectOf: (functionName: string) => FaultEffect): Trouble[] {
  const { gateway } = scenario.stack;
  return WRITES.flatMap(([name, operations]) =>
    operations.map((operation) => ({
      name,
      fault: gateway.inject({ principal: scenario.stack.principalOf(name), operation, nth, effect: effectOf(name) }),
    })),
  );
}

/** Usage, invoices and charges of a month of so many calls of each customer, at 0.50 a call. */
async function month(first: string, calls_: number, total: string, cents: number): Promise<void> {
  const invoices = await eventually(
    `paid invoices of ${first}`,
    async () => {
      const all = (await scenario.invoices()).filter(({ period }) => period.key === first);
      scenario.stack.clock.advance(1_000);
      return all.length === 3 && all.every(({ status }) => status === 'paid')
        ? all
        : new NotYet(all.map(({ status }) => status));
    },
    90_000,
  );
  expect(invoices.map(({ customer, total: is, lines }) => [customer, is, lines[0]?.quantity])).toEqual(
    CUSTOMERS.map((customer) => [customer, total, String(calls_)]),
  );
  const theirs = scenario.stripe
    .invoices()
    .filter(({ id }) => invoices.some(({ payment }) => payment?.provider_invoice === id));
  expect(theirs.map(({ amount_paid }) => amount_paid)).toEqual([cents, cents, cents]);
}

/** The schedule of trouble of a month: what happens at the first write, at the second and so on. */
const MONTHS: readonly (readonly [string, string, readonly ((name: string) => FaultEffect)[]])[] = [
  [
    '2027-02',
    '2027-02-10T12:00:00Z',
    [() => ({ kind: 'drop', when: 'before' }), () => ({ kind: 'drop', when: 'after' }), () => ({ kind: 'throttle' })],
  ],
  [
    '2027-03',
    '2027-03-10T12:00:00Z',
    [
      () => ({ kind: 'transaction-conflict' }),
      (name) => ({ kind: 'run', when: 'after', run: () => void scenario.stack.kill(name) }),
      (name) => ({ kind: 'run', when: 'before', run: () => void scenario.stack.kill(name) }),
    ],
  ],
];

test.each(MONTHS)(
  '%s is counted, billed, numbered and charged exactly once',
  { timeout: 300_000 },
  async (key, time, effects) => {
    scenario.at(time);
    const faults = effects.flatMap((effect, i) => trouble(i + 1, effect));
    // Three requests, each of which may be lost on its way in; the client sends the same ids again.
    for (const count of [4, 8, 12]) await scenario.send(calls(time, count));
    const from = `${key}-01T00:00:00Z`;
    const to = key === '2027-02' ? '2027-03-01T00:00:00Z' : '2027-04-01T00:00:00Z';
    for (const customer of CUSTOMERS) await scenario.usageBecomes({ customer, from, to }, { calls: '12' });
    scenario.at(to.replace('T00', 'T06'));
    await scenario.bill(key);
    // What one run could not finish, because its time or its tries were up, the next one does.
    await scenario.bill(key);
    // 12 x 0.50
    await month(key, 12, '6.00', 600);
    // Every function met trouble; of the two that fold, the one that came first.
    const hit = new Set(faults.filter(({ fault }) => fault.hits > 0).map(({ name }) => name));
    const spared = WRITES.map(([name]) => name).filter(
      (name) => !hit.has(name) && !/^(fold|sweep|settle)-usage$/.test(name),
    );
    expect(spared).toEqual([]);
    for (const { fault } of faults) fault.remove();
  },
);

test('two months of trouble left six invoices with six numbers, here and at Stripe, and each event on the bus once or more under one id', async () => {
  const invoices = await scenario.invoices();
  expect(invoices.map(({ number }) => number).toSorted()).toEqual([1, 2, 3, 4, 5, 6].map((n) => `INV-00000${n}`));
  expect(scenario.stripe.invoices()).toHaveLength(6);
  const ids = (type: string) =>
    new Set(
      scenario.stack
        .events()
        .filter(({ event }) => event['detail-type'] === type)
        .map(({ event }) => (event.detail as { id: string }).id),
    );
  await eventually(
    'six payments on the bus',
    async () => ids('InvoicePaid').size === 6 || new NotYet(ids('InvoicePaid').size),
  );
  expect(ids('InvoiceIssued').size).toBe(6);
});
