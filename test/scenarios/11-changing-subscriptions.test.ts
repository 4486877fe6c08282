/** Subscriptions that change within a month: an upgrade, two weeks' pause over the change of clocks, a trial that is extended. */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { Scenario } from '../support/scenario.ts';
import { type Invoice, uuid7 } from '../support/scenario-api.ts';
import { billedByRequest } from '../support/scenario-assembly.ts';
import { subscribe } from '../support/scenario-customers.ts';

const METERS = [
  { key: 'tokens', event_type: 'completion', aggregation: 'sum', value: 'tokens', dimensions: [] },
  { key: 'seats', event_type: 'seats', aggregation: 'latest', value: 'seats', dimensions: [] },
];
const usage = (key: string, unit_price: string, allowance?: string) => ({
  kind: 'usage',
  key,
  name: key,
  meter: key,
  ...(allowance && { allowance }),
  price: { model: 'per_unit', unit_price },
});
const planOf = (plan: string, fee: string, charges: readonly object[], more: object = {}) => ({
  ...{ plan, name: plan, currency: 'USD', interval: 'month' },
  charges: [{ kind: 'fixed', key: 'fee', name: 'Fee', amount: fee }, ...charges],
  ...more,
});
const PLANS = [
  planOf('small', '31.00', [usage('tokens', '0.01', '310'), usage('seats', '10')]),
  planOf('big', '62.00', [usage('tokens', '0.005', '620'), usage('seats', '8')]),
  planOf('tried', '31.00', [usage('tokens', '0.01')], { trial: { days: 14 } }),
];

let scenario: Scenario;
beforeAll(async () => {
  scenario = await Scenario.start({ cdkOut: billedByRequest(inject('cdkOut')), now: '2027-03-01T14:00:00Z' });
  for (const meter of METERS) await scenario.client.post('/v1/meters', meter);
  for (const plan of PLANS) await scenario.client.post('/v1/plans', plan);
  // Kathmandu is 5:45 ahead of UTC, Berlin 1:00 and from 28 March on 2:00, Lord Howe 11:00.
  await subscribe(scenario, { id: 'nepal', timeZone: 'Asia/Kathmandu', plan: 'small', start: '2027-02-28T18:15:00Z' });
  await subscribe(scenario, { id: 'berlin', timeZone: 'Europe/Berlin', plan: 'small', start: '2027-02-28T23:00:00Z' });
  await subscribe(scenario, {
    id: 'isle',
    timeZone: 'Australia/Lord_Howe',
    plan: 'tried',
    start: '2027-03-01T13:00:00Z',
  });
});
afterAll(() => scenario?.stop());

let sent = 0;
const event = (type: string, customer: string, time: string, properties: Readonly<Record<string, string>>) => ({
  id: uuid7(new Date(scenario.stack.clock.now()).toISOString(), ++sent),
  ...{ type, customer, time, properties },
});
const tokens = (customer: string, time: string, amount: string) =>
  event('completion', customer, time, { tokens: amount });
const seats = (customer: string, time: string, count: string) => event('seats', customer, time, { seats: count });

const act = (customer: string, what: string, body: object) =>
  scenario.call('POST', `/v1/subscriptions/sub_${customer}/${what}`, body);
const phases = ({ body }: { body: { phases: readonly { from: string; state: string; plan: string }[] } }) =>
  body.phases.map(({ from, state, plan }) => [from, state, plan]);
const of = (invoices: readonly Invoice[], customer: string, period: string) =>
  invoices.find((invoice) => invoice.customer === customer && invoice.period.key === period);
const shown = (invoice: Invoice | undefined) => [
  ...(invoice?.lines ?? []).map(({ key, quantity, amount }) => `${key} ${quantity}: ${amount}`),
  `total ${invoice?.total}`,
];

test('a change asked for at 10:17:33 is made at 10:15, a pause and a longer trial when they are wanted', async () => {
  scenario.at('2027-03-11T10:17:33Z');
  const changed = await act('nepal', 'change', { plan: 'big', at: 'now', prorate: true });
  expect(changed).toMatchObject({ status: 200, body: { plan: 'big', status: 'active' } });
  expect(phases(changed)).toEqual([
    ['2027-02-28T18:15:00.000Z', 'active', 'small'],
    ['2027-03-11T10:15:00.000Z', 'active', 'big'],
  ]);
  // from 15 March, 00:00 +01:00, to 29 March, 00:00 +02:00
  await act('berlin', 'pause', { at: '2027-03-15T00:00:00+01:00' });
  const resumed = await act('berlin', 'resume', { at: '2027-03-29T00:00:00+02:00' });
  expect(phases(resumed)).toEqual([
    ['2027-02-28T23:00:00.000Z', 'active', 'small'],
    ['2027-03-14T23:00:00.000Z', 'paused', 'small'],
    ['2027-03-28T22:00:00.000Z', 'active', 'small'],
  ]);
  // 14 days from 2 March, 00:00, and then to 25 March, 00:00 +11:00
  const tried = await scenario.call('GET', '/v1/subscriptions/sub_isle');
  expect(phases(tried)[1]).toEqual(['2027-03-15T13:00:00.000Z', 'active', 'tried']);
  expect(phases(await act('isle', 'trial', { end: '2027-03-25T00:00:00+11:00' }))[1]).toEqual([
    '2027-03-24T13:00:00.000Z',
    'active',
    'tried',
  ]);
});

test('what contradicts that is refused with what is in the way', async () => {
  const refused = async (customer: string, what: string, body: object) => {
    const answer = await act(customer, what, body);
    return [answer.status, answer.body.code];
  };
  expect(await refused('berlin', 'pause', { at: '2027-03-20T00:00:00Z' })).toEqual([409, 'subscription_paused']);
  expect(await refused('berlin', 'pause', { at: 'now' })).toEqual([409, 'change_scheduled']);
  expect(await refused('isle', 'pause', { at: 'now' })).toEqual([409, 'subscription_in_trial']);
  expect(await refused('nepal', 'resume', { at: 'now' })).toEqual([409, 'subscription_not_paused']);
  expect(await refused('nepal', 'change', { plan: 'big', at: '2027-02-01T00:00:00Z', prorate: true })).toEqual([
    409,
    'subscription_not_begun',
  ]);
});

test('every part of the month is a part of the bill, by its own prices and days', async () => {
  await scenario.send([
    seats('nepal', '2027-03-05T09:00:00Z', '3'),
    // the last microsecond of the small plan and the first of the big one
    tokens('nepal', '2027-03-11T10:14:59.999999Z', '500'),
    tokens('nepal', '2027-03-11T10:15:00Z', '400'),
    tokens('berlin', '2027-03-05T12:00:00Z', '200'),
    seats('berlin', '2027-03-03T08:00:00Z', '2'),
    tokens('isle', '2027-03-10T00:00:00Z', '100'),
  ]);
  scenario.at('2027-03-31T23:00:00Z');
  await scenario.send([
    seats('nepal', '2027-03-20T09:00:00Z', '7'),
    tokens('nepal', '2027-03-31T18:14:59Z', '600'),
    tokens('berlin', '2027-03-20T12:00:00Z', '900'),
    // the last microsecond of the pause, the first after it
    tokens('berlin', '2027-03-28T21:59:59.999999Z', '1'),
    tokens('berlin', '2027-03-28T22:00:00Z', '50'),
    tokens('isle', '2027-03-24T12:59:59Z', '70'),
    tokens('isle', '2027-03-24T13:00:00Z', '40'),
  ]);
  await scenario.appended();
  scenario.at('2027-04-02T12:00:00Z');
  const run = await scenario.bill('2027-03');
  expect(run).toMatchObject({ status: 'finished', report: { failures: [] } });
  const invoices = await scenario.invoicesWhen('paid');
  expect(shown(of(invoices, 'nepal', '2027-03'))).toEqual([
    'sub_nepal/fee/fixed 1: 10.00', // 10 days, the 11th belongs to the new plan: 31 x 10/31
    'sub_nepal/tokens/usage 500: 4.00', // 310 x 10/31 = 100 included; 400 x 0.01
    'sub_nepal/seats/usage 7: 22.58', // 7 x 10 x 10/31
    'sub_nepal/phase-2/fee/fixed 1: 42.00', // 62 x 21/31
    'sub_nepal/phase-2/tokens/usage 1000: 2.90', // 620 x 21/31 = 420 included; 580 x 0.005
    'sub_nepal/phase-2/seats/usage 7: 37.94', // 7 x 8 x 21/31 = 37.935...
    'total 119.42',
  ]);
  expect(shown(of(invoices, 'berlin', '2027-03'))).toEqual([
    'sub_berlin/fee/fixed 1: 14.00', // 31 x 14/31
    'sub_berlin/tokens/usage 200: 0.60', // 310 x 14/31 = 140 included; 60 x 0.01
    'sub_berlin/seats/usage 2: 16.47', // 2 x 10 x 14/17 of the days that bill
    'sub_berlin/phase-3/fee/fixed 1: 3.00', // 31 x 3/31, the 23-hour day before them in the pause
    'sub_berlin/phase-3/tokens/usage 50: 0.20', // 310 x 3/31 = 30 included; 20 x 0.01
    'sub_berlin/phase-3/seats/usage 2: 3.53', // 2 x 10 x 3/17
    'total 37.80',
  ]);
  expect(shown(of(invoices, 'isle', '2027-03'))).toEqual([
    'sub_isle/phase-2/fee/fixed 1: 7.00', // 31 x 7/31, from the 25th on
    'sub_isle/phase-2/tokens/usage 40: 0.40', // 40 x 0.01
    'total 7.40',
  ]);
  // berlin's in the pause, isle's in the trial
  expect(JSON.stringify(run.report.warnings)).toContain('2 invoices have usage that nothing bills');
});

test('late usage of a part is adjusted by its key, and what is billed does not change any more', async () => {
  scenario.at('2027-04-03T09:00:00Z');
  const refused = await act('nepal', 'change', { plan: 'small', at: '2027-03-20T00:00:00Z', prorate: true });
  expect([refused.status, refused.body.code, refused.body.context]).toEqual([
    409,
    'period_already_billed',
    { billed_through: '2027-03-31T18:15:00.000Z' },
  ]);
  await scenario.send([tokens('nepal', '2027-03-08T00:00:00Z', '100')]);
  await scenario.appended();
  scenario.at('2027-05-02T12:00:00Z');
  expect(await scenario.bill('2027-04')).toMatchObject({ status: 'finished', report: { failures: [] } });
  const invoices = await scenario.invoicesWhen('paid');
  expect(shown(of(invoices, 'nepal', '2027-04'))).toEqual([
    'sub_nepal/phase-2/fee/fixed 1: 62.00',
    'sub_nepal/phase-2/tokens/usage 0: 0.00',
    'sub_nepal/phase-2/seats/usage 0: 0.00',
    'sub_nepal/tokens/usage/adjusts/2027-03 100: 1.00', // 600 - 100 = 500 x 0.01 = 5.00, billed 4.00
    'total 63.00',
  ]);
  expect(of(invoices, 'nepal', '2027-03')?.total).toBe('119.42');
  expect(scenario.problems).toEqual([]);
});
