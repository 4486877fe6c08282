/** A contract beats the plan, the plan beats the price list, and one customer is billed in two currencies; all by hand. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Scenario } from '../support/scenario.ts';
import { uuid7 } from '../support/scenario-api.ts';
import { subscribe } from '../support/scenario-customers.ts';

const sum = (key: string) => ({ key, event_type: key, aggregation: 'sum', value: 'n', dimensions: [] });
const priced = (key: string, unit_price: string) => ({
  kind: 'usage',
  key,
  name: key,
  meter: key,
  price: { model: 'per_unit', unit_price },
});
const fee = (amount: string) => ({ kind: 'fixed', key: 'fee', name: 'Fee', amount });
const PRO = {
  plan: 'pro',
  name: 'Pro',
  currency: 'USD',
  charges: [fee('49'), priced('calls', '0.02'), priced('tokens', '0.001')],
  envelopes: [
    {
      key: 'included',
      name: 'Included',
      quantity: '100',
      burn: [
        { charge: 'calls', weight: '1' },
        { charge: 'tokens', weight: '0.01' },
      ],
    },
  ],
  commitment: { amount: '80', term: 'period', true_up: true },
};
const NIPPON = {
  plan: 'nippon',
  name: 'Nippon',
  currency: 'JPY',
  charges: [
    fee('1980'),
    { ...priced('storage', '0'), price: { model: 'package', package_size: '10', package_price: '300' } },
  ],
};
const SUPPORT = { plan: 'support', name: 'Support', currency: 'USD', charges: [fee('99.99')] };
const DEAL = {
  id: 'acme-2027',
  customer: 'acme',
  plan: 'pro',
  currency: 'USD',
  start: '2027-02-01T00:00:00Z',
  overrides: [
    { charge: 'tokens', price: { model: 'per_unit', unit_price: '0.0005' } },
    { charge: 'fee', amount: '39' },
  ],
  commitment: { amount: '60', term: 'period', true_up: true, overage_factor: '1.5' },
};
const START = '2027-02-01T00:00:00Z';

let scenario: Scenario;
beforeAll(async () => {
  scenario = await Scenario.start({ now: START });
  const { client } = scenario;
  for (const meter of ['calls', 'tokens', 'gpu', 'storage']) await client.post('/v1/meters', sum(meter));
  for (const plan of [PRO, NIPPON, SUPPORT]) await client.post('/v1/plans', plan);
  await client.post('/v1/price-lists', { currency: 'USD', charges: [priced('gpu', '0.25'), priced('calls', '9')] });
  for (const id of ['acme', 'beta']) await subscribe(scenario, { id, plan: 'pro', start: START });
  await client.post('/v1/subscriptions', { id: 'acme_nippon', customer: 'acme', plan: 'nippon', start: START });
  const conversion = { currency: 'JPY', rate: '149.5' };
  await client.post('/v1/subscriptions', {
    id: 'acme_support',
    customer: 'acme',
    plan: 'support',
    start: START,
    conversion,
  });
});
afterAll(() => scenario?.stop());

test('a contract with faults is refused with all of them, and a good one is kept by version', async () => {
  const bad = {
    ...DEAL,
    currency: 'EUR',
    overrides: [{ charge: 'gpu' }, { charge: 'tokens', price: { model: 'per_unit', unit_price: 0.01 } }],
    commitment: { amount: '60', true_up: true },
    envelopes: [{ key: 'e', name: 'E', quantity: '1', burn: [{ charge: 'fee', weight: '1' }] }],
  };
  const { status, body } = await scenario.call('POST', '/v1/contracts', bad);
  expect([status, body.code]).toEqual([400, 'contract_invalid']);
  expect(body.faults.map(({ field, code }: Record<string, string>) => `${field} ${code}`).toSorted()).toEqual([
    'commitment.term missing',
    'currency currency_mismatch',
    'envelopes[0].burn[0].charge unknown_charge',
    'overrides[0].charge unknown_charge',
    'overrides[1].price.unit_price wrong_type',
  ]);
  const first = await scenario.call('POST', '/v1/contracts', DEAL);
  expect([first.status, first.body.version, first.body.interval]).toEqual([201, 1, 'month']);
  expect((await scenario.call('POST', '/v1/contracts', DEAL)).status).toBe(200);
  const rival = await scenario.call('POST', '/v1/contracts', { ...DEAL, id: 'rival' });
  expect([rival.status, rival.body.code]).toEqual([409, 'contract_overlaps']);
});

test('the month is billed by contract over plan over price list, in dollars and in yen', async () => {
  scenario.at('2027-02-03T10:00:10Z');
  const usage = { calls: '150', tokens: '30000', gpu: '12', storage: '20.1' };
  const events = ['acme', 'beta'].flatMap((customer, who) =>
    Object.entries(usage).map(([type, n], index) => {
      const time = '2027-02-03T10:00:00Z';
      return { id: uuid7(time, 10 * who + index), type, customer, time, properties: { n } };
    }),
  );
  await scenario.send(events);
  const span = { from: START, to: '2027-03-01T00:00:00Z' };
  for (const customer of ['acme', 'beta']) await scenario.usageBecomes({ ...span, customer }, usage);
  scenario.at('2027-03-01T01:00:01Z');
  const invoices = await scenario.invoicesWhen('paid');
  const shown = invoices
    .map(({ customer, currency, total, lines }) => ({
      who: `${customer} ${currency} ${total}`,
      lines: lines.map(({ key, amount, price_version }) => [key, amount, price_version].join(' ')),
    }))
    .toSorted((a, b) => (a.who < b.who ? -1 : 1));
  expect(shown).toEqual([
    {
      // 1,980 + 900 + 14,949
      who: 'acme JPY 17829',
      lines: [
        'acme_nippon/fee/fixed 1980 nippon@1',
        // 20.1 GB are 3 packages of 10 at 300
        'acme_nippon/storage/usage 900 nippon@1',
        // 99.99 dollars x 149.5 = 14,948.505
        'acme_support/fee/fixed 14949 support@1',
      ],
    },
    {
      who: 'acme USD 63.00',
      lines: [
        'sub_acme/fee/fixed 39.00 contract:acme-2027@1',
        // 100 of 150 are included: 50 x 0.02
        'sub_acme/calls/usage 1.00 pro@1',
        // nothing is left of what is included: 30,000 x 0.0005
        'sub_acme/tokens/usage 15.00 contract:acme-2027@1',
        // 60 - 39 - 1 - 15
        'sub_acme/commitment/true-up 5.00 contract:acme-2027@1',
        // no plan prices gpu: 12 x 0.25; calls are the plan's
        'sub_acme/list/gpu/usage 3.00 price-list:USD@1',
      ],
    },
    {
      who: 'beta USD 83.00',
      lines: [
        'sub_beta/fee/fixed 49.00 pro@1',
        'sub_beta/calls/usage 1.00 pro@1',
        // 30,000 x 0.001; together 80, which is the commitment
        'sub_beta/tokens/usage 30.00 pro@1',
        'sub_beta/list/gpu/usage 3.00 price-list:USD@1',
      ],
    },
  ]);
});

test('every invoice proves itself, and Stripe took the same amounts in both currencies', async () => {
  for (const { id } of await scenario.invoices()) {
    const { status, body } = await scenario.call('POST', `/v1/invoices/${id}/verify`);
    expect([status, body.agrees]).toEqual([200, true]);
  }
  const paid = scenario.stripe.invoices().map(({ currency, amount_paid }) => `${currency} ${amount_paid}`);
  expect(paid.toSorted()).toEqual(['jpy 17829', 'usd 6300', 'usd 8300']);
});

test('a new version of the contract prices the next month and leaves February alone', async () => {
  const { overrides: _, ...rest } = DEAL;
  const cheaper = { ...rest, commitment: null, overrides: [{ charge: 'fee', amount: '29' }] };
  expect((await scenario.call('POST', '/v1/contracts', cheaper)).body.version).toBe(2);
  const { body } = await scenario.call('POST', '/v1/invoices/preview', { customer: 'acme', period: '2027-03' });
  const dollars = body.data.find(({ currency }: { currency: string }) => currency === 'USD');
  const lines = dollars.lines.map(({ key, amount, price_version }: Record<string, string>) =>
    [key, amount, price_version].join(' '),
  );
  expect(lines).toEqual([
    'sub_acme/fee/fixed 29.00 contract:acme-2027@2',
    'sub_acme/calls/usage 0.00 pro@1',
    'sub_acme/tokens/usage 0.00 pro@1',
    'sub_acme/list/gpu/usage 0.00 price-list:USD@1',
  ]);
  expect(scenario.problems).toEqual([]);
});
