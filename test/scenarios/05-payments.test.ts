/** Cards that are declined, and webhooks as the world delivers them: twice, out of order, late, forged. */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { signatureHeader } from '../../local/stripe/webhook-sender.ts';
import { Scenario, SIGNING_SECRET } from '../support/scenario.ts';
import { eventually, type Invoice, NotYet, rawCall } from '../support/scenario-api.ts';
import { billedByRequest } from '../support/scenario-assembly.ts';
import { stripeOf, subscribe } from '../support/scenario-customers.ts';

let scenario: Scenario;
beforeAll(async () => {
  scenario = await Scenario.start({ cdkOut: billedByRequest(inject('cdkOut')), now: '2027-02-01T06:00:00Z' });
  await scenario.client.post('/v1/plans', {
    plan: 'fee',
    name: 'Fee',
    currency: 'USD',
    interval: 'month',
    charges: [{ kind: 'fixed', key: 'fee', name: 'Fee', amount: '25' }],
  });
  await subscribe(scenario, { id: 'good', plan: 'fee', start: '2027-02-01T00:00:00Z' });
  await subscribe(scenario, {
    id: 'poor',
    plan: 'fee',
    start: '2027-02-01T00:00:00Z',
    card: 'pm_card_chargeDeclinedInsufficientFunds',
  });
});
afterAll(() => scenario?.stop());

const of = async (customer: string, period: string): Promise<Invoice> => {
  const found = (await scenario.invoices()).find(
    (invoice) => invoice.customer === customer && invoice.period.key === period,
  );
  if (found === undefined) throw new Error(`no invoice of ${customer} for ${period}`);
  return found;
};
const statusBecomes = (customer: string, period: string, status: string) =>
  eventually(`${customer}'s invoice of ${period} ${status}`, async () => {
    const invoice = await of(customer, period);
    return invoice.status === status ? invoice : new NotYet(invoice.status);
  });
const told = (type: string) =>
  scenario.stack
    .events()
    .filter(({ event }) => event['detail-type'] === type)
    .map(({ event }) => (event.detail as { data: Record<string, unknown> }).data);
const webhooksDone = () =>
  eventually('no waiting webhooks', async () =>
    scenario.stripe.webhooks.waiting() === 0 ? true : new NotYet(scenario.stripe.webhooks.waiting()),
  );
const deliver = (body: string, signature: string) =>
  rawCall(scenario.webhookUrl, { method: 'POST', body, key: null, headers: { 'stripe-signature': signature } });
const nowSeconds = () => Math.floor(scenario.stack.clock.now() / 1000);
const lastEvent = (type: string) => {
  const found = scenario.stripe.events().findLast((event) => event.type === type);
  if (found === undefined) throw new Error(`the double sent no ${type}`);
  return JSON.stringify(found);
};

test('a declined card leaves the invoice open, and the company is told once', async () => {
  scenario.at('2027-03-01T06:00:00Z');
  await scenario.bill('2027-02');
  expect((await statusBecomes('good', '2027-02', 'paid')).payment?.status).toBe('paid');
  const failed = await eventually('PaymentFailed', async () =>
    told('PaymentFailed').length > 0 ? told('PaymentFailed') : new NotYet(0),
  );
  expect(failed).toMatchObject([
    { customer: 'poor', amount_due: '25.00', attempt: 1, reason: 'insufficient_funds', provider: 'stripe' },
  ]);
  expect(await of('poor', '2027-02')).toMatchObject({
    status: 'issued',
    total: '25.00',
    payment: { status: 'open', failed_attempts: 1 },
  });
  expect(told('InvoicePaid').map(({ customer }) => customer)).toEqual(['good']);
});

test('a webhook that is delivered again changes nothing', async () => {
  await webhooksDone();
  const before = await scenario.invoices();
  const body = lastEvent('invoice.payment_failed');
  for (let n = 0; n < 3; n += 1)
    expect((await deliver(body, signatureHeader(body, [SIGNING_SECRET], nowSeconds()))).status).toBe(200);
  await settledQueue();
  expect(await scenario.invoices()).toEqual(before);
  expect(told('PaymentFailed')).toHaveLength(1);
});

test('a new card pays the open invoice, and an old failure that arrives afterwards does not open it again', async () => {
  scenario.stripe.webhooks.hold();
  const stripe = stripeOf(scenario);
  const open = scenario.stripe.invoices().find(({ status }) => status === 'open');
  const customer = String(open?.customer);
  // A second failure whose webhook is on its way while the next try succeeds.
  await stripe.invoices.pay(open?.id ?? '').catch(() => undefined);
  const method = await stripe.paymentMethods.attach('pm_card_visa', { customer });
  await stripe.customers.update(customer, { invoice_settings: { default_payment_method: method.id } });
  await stripe.invoices.pay(open?.id ?? '');
  scenario.stripe.webhooks.set({ reorder: true, duplicate: 2 });
  scenario.stripe.webhooks.release();
  await statusBecomes('poor', '2027-02', 'paid');
  await webhooksDone();
  await settledQueue();
  expect(await of('poor', '2027-02')).toMatchObject({ status: 'paid', payment: { status: 'paid' } });
  const paid = () => told('InvoicePaid').filter(({ customer: who }) => who === 'poor').length;
  await eventually('InvoicePaid on the bus', async () => paid() > 0 || new NotYet(paid()));
  expect(paid()).toBe(1);
  scenario.stripe.webhooks.set({});
});

test('a webhook of a day ago is refused by its signature, and the same event signed now is taken', async () => {
  const body = lastEvent('invoice.paid');
  const stale = await deliver(body, signatureHeader(body, [SIGNING_SECRET], nowSeconds() - 86_400));
  expect(stale).toMatchObject({ status: 400, body: { code: 'webhook_signature_invalid' } });
  expect((await deliver(body, signatureHeader(body, [SIGNING_SECRET], nowSeconds()))).status).toBe(200);
});

test('a tampered, unsigned or foreign webhook is refused and does nothing', async () => {
  const before = await scenario.invoices();
  const body = lastEvent('invoice.paid');
  const header = signatureHeader(body, [SIGNING_SECRET], nowSeconds());
  const forged = [
    await deliver(body.replace('"paid"', '"void"'), header),
    await deliver(body, ''),
    await deliver(body, signatureHeader(body, ['whsec_other'], nowSeconds())),
  ];
  for (const answer of forged)
    expect(answer).toMatchObject({ status: 400, body: { code: 'webhook_signature_invalid' } });
  const nobody = await rawCall(scenario.webhookUrl.replace('prj_story', 'prj_none'), {
    method: 'POST',
    body,
    key: null,
  });
  expect(nobody).toMatchObject({ status: 404, body: { code: 'not_found' } });
  expect(await scenario.invoices()).toEqual(before);
});

test('a signing secret is rotated without losing a webhook', async () => {
  const next = 'whsec_next';
  const body = lastEvent('invoice.paid');
  const with_ = async (secret: string) => (await deliver(body, signatureHeader(body, [secret], nowSeconds()))).status;
  expect(await with_(next)).toBe(400);
  // Both are known to us before the provider uses the new one; functions keep a secret for five minutes.
  scenario.putStripeSecret([SIGNING_SECRET, next]);
  scenario.stack.clock.advance(301_000);
  expect([await with_(SIGNING_SECRET), await with_(next)]).toEqual([200, 200]);
  scenario.stripe.setWebhook({ url: scenario.webhookUrl, secrets: [next] });
  scenario.putStripeSecret([next]);
  scenario.stack.clock.advance(301_000);
  expect([await with_(SIGNING_SECRET), await with_(next)]).toEqual([400, 200]);
  scenario.at('2027-04-01T06:00:00Z');
  await scenario.bill('2027-03');
  await statusBecomes('good', '2027-03', 'paid');
  await statusBecomes('poor', '2027-03', 'paid');
  expect(scenario.problems).toEqual([]);
});

/** Waits until the webhooks that were answered with 200 have been acted on. */
async function settledQueue(): Promise<void> {
  await scenario.emptied(scenario.stack.lambda.find('receive-stripe').environment.WEBHOOK_QUEUE_URL ?? '');
}
