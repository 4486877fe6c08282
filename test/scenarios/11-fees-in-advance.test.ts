/** A plan with its fee in advance: opened when it begins, billed with the month before, and partly given back when it ends. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Scenario } from '../support/scenario.ts';
import { eventually, type Invoice, NotYet, uuid7 } from '../support/scenario-api.ts';
import { subscribe } from '../support/scenario-customers.ts';

const PLAN = {
  plan: 'team',
  name: 'Team',
  currency: 'USD',
  charges: [
    { kind: 'fixed', key: 'base', name: 'Team base', amount: '31', timing: 'in_advance' },
    { kind: 'usage', key: 'calls', name: 'Calls', meter: 'calls', price: { model: 'per_unit', unit_price: '0.50' } },
  ],
};

let scenario: Scenario;
beforeAll(async () => {
  scenario = await Scenario.start({ now: '2027-03-01T06:00:00Z' });
  await scenario.client.post('/v1/meters', { key: 'calls', event_type: 'call', aggregation: 'count', dimensions: [] });
  await scenario.client.post('/v1/plans', PLAN);
  await subscribe(scenario, { id: 'acme', plan: 'team', start: '2027-03-01T00:00:00Z' });
});
afterAll(() => scenario?.stop());

let sent = 0;
async function calls(time: string, count: number): Promise<void> {
  const born = new Date(scenario.stack.clock.now()).toISOString();
  const events = Array.from({ length: count }, () => ({
    id: uuid7(born, ++sent),
    type: 'call',
    customer: 'acme',
    time,
  }));
  await scenario.send(events);
  await scenario.appended();
}

const shown = (invoice: Invoice | undefined) => invoice?.lines.map(({ key, amount }) => `${key} ${amount}`);

/** The invoices once there are so many and all are paid. */
const paid = (count: number) =>
  eventually(`${count} paid invoices`, async () => {
    const invoices = await scenario.invoices();
    const isThere = invoices.length === count && invoices.every(({ status }) => status === 'paid');
    if (isThere) return invoices.toSorted((a, b) => ((a.number ?? '') < (b.number ?? '') ? -1 : 1));
    return new NotYet(invoices.map(({ number, status }) => [number, status]));
  });

async function previewed() {
  const { body } = await scenario.call('POST', '/v1/invoices/preview', { customer: 'acme' });
  return body.data as readonly (Invoice & { readonly purpose: string })[];
}

test('the first fee is billed and paid by the daily trigger as soon as the subscription has begun', async () => {
  const [opening, month, ...others] = await previewed();
  expect(others).toEqual([]);
  expect([opening?.purpose, opening?.total, month?.purpose]).toEqual(['opening', '31.00', 'period']);
  await scenario.pastTriggers('2027-03-02T01:00:01Z');
  const [invoice] = await paid(1);
  expect(invoice).toMatchObject({
    number: 'INV-000001',
    purpose: 'opening',
    total: '31.00',
    period: { key: '2027-03' },
  });
  expect(shown(invoice)).toEqual(shown(opening));
  expect(scenario.stripe.invoices()).toMatchObject([{ status: 'paid', amount_paid: 3100 }]);
});

test("the month's usage and the next month's fee are on one invoice, as its preview says", async () => {
  await scenario.pastTriggers('2027-03-20T12:00:00Z');
  await calls('2027-03-20T11:00:00Z', 8);
  await scenario.pastTriggers('2027-04-01T00:30:00Z');
  await scenario.pastTriggers('2027-04-01T01:00:01Z');
  const [, invoice] = await paid(2);
  // 8 x 0.50, and April's 31.00
  expect(invoice).toMatchObject({ number: 'INV-000002', purpose: 'period', total: '35.00' });
  expect(shown(invoice)).toEqual(['sub_acme/calls/usage 4.00', 'sub_acme/base/fixed 31.00']);
});

test('an end in mid-month gives the unused part of the fee back, against the usage of that month', async () => {
  await scenario.pastTriggers('2027-04-10T12:00:00Z');
  await calls('2027-04-10T11:00:00Z', 50);
  const end = await scenario.call('POST', '/v1/subscriptions/sub_acme/end', { at: '2027-04-13T00:00:00Z' });
  expect(end.status).toBe(200);
  await scenario.usageBecomes(
    { customer: 'acme', from: '2027-04-01T00:00:00Z', to: '2027-05-01T00:00:00Z' },
    { calls: '50' },
  );
  const [preview] = await previewed();
  await scenario.pastTriggers('2027-05-01T01:00:01Z');
  const [, , invoice] = await paid(3);
  // 50 x 0.50 = 25.00; 12 of 30 days of 31.00 are 12.40, 31.00 were paid: 18.60 back
  expect(shown(invoice)).toEqual(['sub_acme/calls/usage 25.00', 'sub_acme/base/fixed/adjusts/2027-04 -18.60']);
  expect(invoice?.total).toBe('6.40');
  expect(shown(preview)).toEqual(shown(invoice));
  expect(scenario.stripe.invoices().map(({ amount_paid }) => amount_paid)).toEqual(
    expect.arrayContaining([3100, 3500, 640]),
  );
});

test('calls of an account that has ended are billed when they arrive late, by a closing invoice', async () => {
  await scenario.pastTriggers('2027-05-10T12:00:00Z');
  await calls('2027-04-12T23:59:59Z', 3);
  await scenario.pastTriggers('2027-06-05T01:00:01Z');
  const [, , , invoice] = await paid(4);
  // 3 x 0.50
  expect(invoice).toMatchObject({ purpose: 'closing', total: '1.50', period: { key: '2027-04' } });
  expect(shown(invoice)).toEqual(['sub_acme/calls/usage/adjusts/2027-04 1.50']);
  expect(scenario.problems).toEqual([]);
});
