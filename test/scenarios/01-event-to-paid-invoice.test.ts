/** One month of one customer, from its first event to money received; every number below is worked out by hand. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EventType, eventDataSchemas, eventEnvelopeSchema } from '../../core/events/event-schemas.ts';
import { PROJECT, Scenario } from '../support/scenario.ts';
import { eventually, NotYet, uuid7 } from '../support/scenario-api.ts';
import { subscribe } from '../support/scenario-customers.ts';

const METERS = [
  { key: 'calls', event_type: 'call', aggregation: 'count', dimensions: ['region'] },
  { key: 'tokens', event_type: 'completion', aggregation: 'sum', value: 'tokens', dimensions: ['model'] },
  { key: 'storage', event_type: 'stored', aggregation: 'max', value: 'gb', dimensions: [] },
];
const PLAN = {
  plan: 'pro',
  name: 'Pro',
  currency: 'USD',
  interval: 'month',
  charges: [
    { kind: 'fixed', key: 'platform', name: 'Platform fee', amount: '49' },
    {
      kind: 'usage',
      key: 'calls',
      name: 'Calls',
      meter: 'calls',
      allowance: '2',
      price: { model: 'per_unit', unit_price: '0.125' },
    },
    {
      kind: 'usage',
      key: 'calls_eu',
      name: 'Calls, EU',
      meter: 'calls',
      filter: { region: 'eu' },
      price: { model: 'per_unit', unit_price: '0.333' },
    },
    {
      kind: 'usage',
      key: 'tokens',
      name: 'Tokens',
      meter: 'tokens',
      price: {
        model: 'graduated',
        tiers: [
          { up_to: '1000', unit_price: '0.001' },
          { up_to: null, unit_price: '0.0005', flat_amount: '0.1' },
        ],
      },
    },
    {
      kind: 'usage',
      key: 'storage',
      name: 'Storage',
      meter: 'storage',
      price: { model: 'package', package_size: '10', package_price: '2.5' },
    },
  ],
};
const FEBRUARY = { customer: 'acme', from: '2027-02-01T00:00:00Z', to: '2027-03-01T00:00:00Z' };

let scenario: Scenario;
beforeAll(async () => {
  scenario = await Scenario.start({ now: '2027-02-01T00:00:00Z' });
  for (const meter of METERS) await scenario.client.post('/v1/meters', meter);
  await scenario.client.post('/v1/plans', PLAN);
  await subscribe(scenario, { id: 'acme', plan: 'pro', start: '2027-02-01T00:00:00Z' });
});
afterAll(() => scenario?.stop());

const event = (n: number, type: string, properties: object, time = '2027-02-03T10:00:00Z') => ({
  id: uuid7('2027-02-03T10:00:00Z', n),
  type,
  customer: 'acme',
  time,
  properties,
});

interface Envelope {
  readonly id: string;
  readonly data: Record<string, unknown>;
}
const published = (type: EventType): readonly Envelope[] =>
  scenario.stack
    .events()
    .filter(({ event: { 'detail-type': is } }) => is === type)
    .map(({ event: { detail } }) => detail as Envelope);

test('one event becomes usage', async () => {
  scenario.at('2027-02-03T10:00:10Z');
  await scenario.send([event(1, 'call', { region: 'us' })]);
  await scenario.usageBecomes({ ...FEBRUARY, group_by: 'region' }, { 'calls/us': '1' });
});

test('the same event sent again, alone and in a batch with new ones, counts once', async () => {
  await scenario.send([event(1, 'call', { region: 'us' })]);
  await scenario.send([
    event(1, 'call', { region: 'us' }),
    // 5 calls from the US in all, 3 from the EU
    ...[2, 3, 4, 5].map((n) => event(n, 'call', { region: 'us' })),
    ...[6, 7, 8].map((n) => event(n, 'call', { region: 'eu' })),
    // 1,000.5 + 600.25 tokens
    event(9, 'completion', { model: 'large', tokens: '1000.5' }),
    event(10, 'completion', { model: 'small', tokens: 600.25 }),
    // the peak of 3, 20.1 and 7 GB
    event(11, 'stored', { gb: '3' }),
    event(12, 'stored', { gb: '20.1' }),
    event(13, 'stored', { gb: 7 }),
  ]);
  await scenario.usageBecomes(
    { ...FEBRUARY, group_by: 'region' },
    { 'calls/us': '5', 'calls/eu': '3', tokens: '1600.75', storage: '20.1' },
  );
});

test('each chunk of the log is told to the bus once, and the chunks hold every event', async () => {
  const recorded = await eventually('13 recorded events', async () => {
    const all = published('UsageRecorded');
    const events = all.reduce((sum, { data }) => sum + Number(data.events), 0);
    return events === 13 ? all : new NotYet(events);
  });
  for (const detail of recorded) expectValid('UsageRecorded', detail);
  expect(new Set(recorded.map(({ id }) => id)).size).toBe(recorded.length);
});

test('the month is billed by its daily trigger once it has closed and its grace is over', async () => {
  await scenario.pastTriggers('2027-03-01T00:59:00Z');
  expect((await scenario.call('POST', '/v1/invoices/preview', { customer: 'acme', period: '2027-02' })).status).toBe(
    200,
  );
  expect(await scenario.invoices()).toEqual([]);
  scenario.at('2027-03-01T01:00:01Z');
  const [invoice, ...others] = await scenario.invoicesWhen('paid');
  expect(others).toEqual([]);
  expect(invoice).toMatchObject({
    customer: 'acme',
    number: 'INV-000001',
    currency: 'USD',
    total: '59.28',
    period: { key: '2027-02' },
  });
});

test('every line of the invoice is explained to the last digit', async () => {
  const [invoice] = await scenario.invoices();
  const shown = invoice?.lines.map(({ key, quantity, allowance_used, exact_amount, amount }) => [
    key,
    quantity,
    allowance_used,
    exact_amount,
    amount,
  ]);
  expect(shown).toEqual([
    ['sub_acme/platform/fixed', '1', '0', '49', '49.00'],
    // 5 - 2 free = 3 x 0.125
    ['sub_acme/calls/usage', '5', '2', '0.375', '0.38'],
    // 3 x 0.333
    ['sub_acme/calls_eu/usage', '3', '0', '0.999', '1.00'],
    // 1,000 x 0.001 + 0.10 for entering the second tier + 600.75 x 0.0005
    ['sub_acme/tokens/usage', '1600.75', '0', '1.400375', '1.40'],
    // 20.1 GB are 3 packages of 10
    ['sub_acme/storage/usage', '20.1', '0', '7.5', '7.50'],
  ]);
  // 49.00 + 0.38 + 1.00 + 1.40 + 7.50
  expect(invoice?.total).toBe('59.28');
  const tokens = invoice?.lines[3]?.steps.map(({ quantity, unit_price, flat_amount, amount }) => [
    quantity,
    unit_price,
    flat_amount,
    amount,
  ]);
  expect(tokens).toEqual([
    ['1000', '0.001', null, '1'],
    ['600.75', '0.0005', null, '0.300375'],
    [null, null, '0.1', '0.1'],
  ]);
});

test('Stripe was charged exactly that, with the same lines', async () => {
  const [ours] = await scenario.invoices();
  const [theirs, ...others] = scenario.stripe.invoices();
  expect(others).toEqual([]);
  expect(theirs).toMatchObject({ id: ours?.payment?.provider_invoice, status: 'paid', amount_paid: 5928 });
  expect(scenario.stripe.linesOf(theirs?.id ?? '').map(({ amount }) => amount)).toEqual([4900, 38, 100, 140, 750]);
});

test('the issue, the payment and the end of the run are on the bus, once each, as their schemas say', async () => {
  const [invoice] = await scenario.invoices();
  for (const type of ['InvoiceIssued', 'InvoicePaid', 'BillingRunFinished'] as const) {
    const told = await eventually(type, async () => {
      const all = published(type);
      const isThere = all.some(({ data }) => data.invoices_issued !== 0);
      return isThere ? all : new NotYet(all);
    });
    for (const detail of told) expectValid(type, detail);
    expect(new Set(told.map(({ id }) => id)).size).toBe(told.length);
  }
  const facts = { invoice_id: invoice?.id, number: 'INV-000001', customer: 'acme', currency: 'USD', total: '59.28' };
  expect(published('InvoiceIssued').map(({ data }) => data)).toMatchObject([{ ...facts, period: '2027-02' }]);
  expect(published('InvoicePaid').map(({ data }) => data)).toMatchObject([
    { ...facts, amount_paid: '59.28', amount_to_balance: '0.00', provider: 'stripe' },
  ]);
  // The clock passed other days' triggers on its way; one run found the month.
  const billed = published('BillingRunFinished').filter(({ data }) => data.invoices_issued !== 0);
  expect(billed.map(({ data }) => data)).toMatchObject([
    { status: 'finished', failures: 0, totals: [{ currency: 'USD', total: '59.28', invoices: 1 }] },
  ]);
});

test('billing the same month again changes nothing', async () => {
  const before = await scenario.invoices();
  const run = await scenario.bill('2027-02');
  expect(run).toMatchObject({
    status: 'finished',
    report: { invoices_planned: 0, totals: [], failures: [], warnings: [] },
  });
  expect(await scenario.invoices()).toEqual(before);
  expect(scenario.stripe.invoices()).toHaveLength(1);
  expect(published('InvoiceIssued')).toHaveLength(1);
  expect(published('InvoicePaid')).toHaveLength(1);
  expect(scenario.problems).toEqual([]);
});

function expectValid(type: EventType, detail: Envelope): void {
  expect(eventEnvelopeSchema.parse(detail)).toMatchObject({ version: 1, project: PROJECT, type });
  eventDataSchemas[type].parse(detail.data);
}
