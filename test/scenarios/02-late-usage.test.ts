/** Usage that arrives after its month was billed, for customers whose months begin at different instants. */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { Scenario } from '../support/scenario.ts';
import { type Invoice, uuid7 } from '../support/scenario-api.ts';
import { billedByRequest } from '../support/scenario-assembly.ts';
import { subscribe } from '../support/scenario-customers.ts';

/** February begins at 2027-01-31T18:30Z in Kolkata (+05:30), at 2027-02-01T05:00Z in New York (-05:00). */
const CUSTOMERS = [
  { id: 'kolkata', timeZone: 'Asia/Kolkata', start: '2027-01-31T18:30:00Z' },
  { id: 'newyork', timeZone: 'America/New_York', start: '2027-02-01T05:00:00Z' },
  { id: 'utc', timeZone: 'UTC', start: '2027-02-01T00:00:00Z' },
];
const PLAN = {
  plan: 'pro',
  name: 'Pro',
  currency: 'USD',
  interval: 'month',
  charges: [
    {
      kind: 'usage',
      key: 'tokens',
      name: 'Tokens',
      meter: 'tokens',
      allowance: '100',
      price: { model: 'per_unit', unit_price: '0.01' },
    },
  ],
};

let scenario: Scenario;
beforeAll(async () => {
  scenario = await Scenario.start({ cdkOut: billedByRequest(inject('cdkOut')), now: '2027-02-01T06:00:00Z' });
  await scenario.client.post('/v1/meters', {
    key: 'tokens',
    event_type: 'completion',
    aggregation: 'sum',
    value: 'tokens',
    dimensions: [],
  });
  await scenario.client.post('/v1/plans', PLAN);
  for (const customer of CUSTOMERS) await subscribe(scenario, { ...customer, plan: 'pro' });
});
afterAll(() => scenario?.stop());

let sent = 0;
const tokens = (customer: string, time: string, amount: string) => ({
  id: uuid7(new Date(scenario.stack.clock.now()).toISOString(), ++sent),
  type: 'completion',
  customer,
  time,
  properties: { tokens: amount },
});

const shown = (invoice: Invoice | undefined) =>
  invoice?.lines.map(({ key, kind, quantity, amount, adjusts }) => ({
    key,
    kind,
    quantity,
    amount,
    ...(adjusts && { adjusts: [adjusts.period, adjusts.previous_amount, adjusts.current_amount] }),
  }));
const of = (invoices: readonly Invoice[], customer: string, period: string) =>
  invoices.find((invoice) => invoice.customer === customer && invoice.period.key === period);

test('an event at the instant a month ends belongs to the later month, in each zone', async () => {
  scenario.at('2027-03-01T00:59:00Z');
  await scenario.send([
    // The last microsecond of February and the first of March in each zone.
    tokens('kolkata', '2027-02-28T18:29:59.999999Z', '600'),
    tokens('kolkata', '2027-02-28T18:30:00Z', '1000'),
    tokens('utc', '2027-02-28T23:59:59.999999Z', '800'),
    tokens('utc', '2027-03-01T00:00:00Z', '3000'),
  ]);
  await scenario.appended();
  // An hour of grace after midnight UTC. New York's February is open until its own midnight.
  scenario.at('2027-03-01T01:00:01Z');
  expect(await scenario.bill('2027-02')).toMatchObject({ status: 'finished', report: { failures: [] } });
  expect((await scenario.invoicesWhen('paid')).map(({ customer }) => customer)).toEqual(['kolkata', 'utc']);
  scenario.at('2027-03-01T06:00:00Z');
  await scenario.send([
    tokens('newyork', '2027-03-01T04:59:59.999999Z', '700'),
    tokens('newyork', '2027-03-01T05:00:00Z', '2000'),
  ]);
  await scenario.appended();
  scenario.at('2027-03-02T12:00:00Z');
  expect(await scenario.bill('2027-02')).toMatchObject({ status: 'finished', report: { failures: [] } });
  const invoices = await scenario.invoicesWhen('paid');
  expect(invoices.map(({ customer, period, total }) => [customer, period.start, period.end, total])).toEqual([
    // (600 - 100) x 0.01
    ['kolkata', '2027-01-31T18:30:00.000Z', '2027-02-28T18:30:00.000Z', '5.00'],
    // (700 - 100) x 0.01
    ['newyork', '2027-02-01T05:00:00.000Z', '2027-03-01T05:00:00.000Z', '6.00'],
    // (800 - 100) x 0.01
    ['utc', '2027-02-01T00:00:00.000Z', '2027-03-01T00:00:00.000Z', '7.00'],
  ]);
});

test('what arrives after the bill is an adjustment on the next one, more or less than was billed', async () => {
  scenario.at('2027-03-05T09:00:00Z');
  await scenario.send([
    // 60.5 more at the last instant of Kolkata's February: 660.5 - 100 = 560.5 x 0.01 = 5.605, billed 5.00
    tokens('kolkata', '2027-02-28T18:29:59Z', '60.5'),
    // A correction of 300 less in New York's February: 400 - 100 = 300 x 0.01 = 3.00, billed 6.00
    tokens('newyork', '2027-02-20T00:00:00Z', '-300'),
  ]);
  await scenario.appended();
  // Daylight saving began on March 14th: New York's March ends at 04:00Z.
  scenario.at('2027-04-02T12:00:00Z');
  expect(await scenario.bill('2027-03')).toMatchObject({ status: 'finished', report: { failures: [] } });
  const invoices = await scenario.invoicesWhen('paid');
  expect(invoices).toHaveLength(6);
  expect(shown(of(invoices, 'kolkata', '2027-03'))).toEqual([
    // (1,000 - 100) x 0.01
    { key: 'sub_kolkata/tokens/usage', kind: 'usage', quantity: '1000', amount: '9.00' },
    // 5.605 rounds to 5.61; 5.61 - 5.00
    {
      key: 'sub_kolkata/tokens/usage/adjusts/2027-02',
      kind: 'adjustment',
      quantity: '60.5',
      amount: '0.61',
      adjusts: ['2027-02', '5.00', '5.61'],
    },
  ]);
  expect(shown(of(invoices, 'newyork', '2027-03'))).toEqual([
    // (2,000 - 100) x 0.01
    { key: 'sub_newyork/tokens/usage', kind: 'usage', quantity: '2000', amount: '19.00' },
    // 3.00 - 6.00
    {
      key: 'sub_newyork/tokens/usage/adjusts/2027-02',
      kind: 'adjustment',
      quantity: '-300',
      amount: '-3.00',
      adjusts: ['2027-02', '6.00', '3.00'],
    },
  ]);
  // (3,000 - 100) x 0.01, and nothing to adjust
  expect(shown(of(invoices, 'utc', '2027-03'))).toEqual([
    { key: 'sub_utc/tokens/usage', kind: 'usage', quantity: '3000', amount: '29.00' },
  ]);
  // 9.00 + 0.61, 19.00 - 3.00, 29.00
  const totals = CUSTOMERS.map(({ id }) => of(invoices, id, '2027-03')?.total);
  expect(totals).toEqual(['9.61', '16.00', '29.00']);
  expect(of(invoices, 'newyork', '2027-03')?.period.end).toBe('2027-04-01T04:00:00.000Z');
});

test('an adjustment is billed once: the month after has none, and issued invoices never changed', async () => {
  scenario.at('2027-05-02T12:00:00Z');
  await scenario.bill('2027-04');
  const invoices = await scenario.invoicesWhen('paid');
  expect(invoices).toHaveLength(9);
  for (const { id } of CUSTOMERS) expect(of(invoices, id, '2027-04')).toMatchObject({ total: '0.00' });
  expect(of(invoices, 'kolkata', '2027-02')?.total).toBe('5.00');
  expect(of(invoices, 'newyork', '2027-02')?.total).toBe('6.00');
  // Gapless, in the order of issue.
  expect(invoices.map(({ number }) => number).toSorted()).toEqual(
    [1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => `INV-00000${n}`),
  );
  expect(scenario.problems).toEqual([]);
});
