import { appendFileSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Stripe from 'stripe';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type StripeDouble, startStripeDouble } from '../../../local/stripe/stripe-double.ts';
import { API_KEY, clientOf, customerWith, draftWith, errorOf, openDouble, type TestClock } from './double-fixture.ts';

let double: StripeDouble;
let stripe: Stripe;
let clock: TestClock;

beforeEach(async () => {
  ({ double, stripe, clock } = await openDouble());
});
afterEach(() => double.close());

describe('an invoice from draft to paid', () => {
  test('goes draft, open, paid, and the payment is on it', async () => {
    const customer = await customerWith(stripe, 'pm_card_visa');
    const id = await draftWith(stripe, customer, [1234, 66]);
    const open = await stripe.invoices.finalizeInvoice(id, { auto_advance: false });
    expect([open.status, open.total, open.amount_due, open.amount_paid]).toEqual(['open', 1300, 1300, 0]);
    const paid = await stripe.invoices.pay(id, { expand: ['payments'] });
    expect([paid.status, paid.amount_paid, paid.amount_remaining]).toEqual(['paid', 1300, 0]);
    expect(paid.payments?.data.map((one) => [one.status, one.amount_paid])).toEqual([['paid', 1300]]);
    expect(double.payments()).toHaveLength(1);
  });

  test('a declined card answers 402, keeps the invoice open and counts the attempt', async () => {
    const id = await draftWith(stripe, await customerWith(stripe, 'pm_card_chargeDeclined'), [5000]);
    await stripe.invoices.finalizeInvoice(id);
    const error = await errorOf(stripe.invoices.pay(id));
    expect([error.statusCode, error.type, error.code, error.decline_code]).toEqual([
      402,
      'StripeCardError',
      'card_declined',
      'generic_decline',
    ]);
    const invoice = await stripe.invoices.retrieve(id, { expand: ['payments.data.payment.payment_intent'] });
    expect([invoice.status, invoice.attempt_count, invoice.amount_remaining]).toEqual(['open', 1, 5000]);
    const intent = invoice.payments?.data[0]?.payment.payment_intent as Stripe.PaymentIntent;
    expect(intent.status).toBe('requires_payment_method');
  });

  test('cannot be paid without a payment method', async () => {
    const id = await draftWith(stripe, await customerWith(stripe, null), [5000]);
    await stripe.invoices.finalizeInvoice(id);
    expect((await errorOf(stripe.invoices.pay(id))).statusCode).toBe(400);
  });

  test('paid out of band records no payment', async () => {
    const id = await draftWith(stripe, await customerWith(stripe, null), [5000]);
    await stripe.invoices.finalizeInvoice(id);
    const paid = await stripe.invoices.pay(id, { paid_out_of_band: true });
    expect([paid.status, paid.amount_paid_off_stripe, double.payments().length]).toEqual(['paid', 5000, 0]);
  });
});

describe('illegal transitions are refused', () => {
  test('a finalized invoice takes no lines, is not finalized again, not deleted and not renumbered', async () => {
    const id = await draftWith(stripe, await customerWith(stripe, 'pm_card_visa'), [5000]);
    await stripe.invoices.finalizeInvoice(id);
    expect((await errorOf(stripe.invoices.addLines(id, { lines: [{ amount: 1 }] }))).code).toBe('invoice_not_editable');
    expect((await errorOf(stripe.invoices.finalizeInvoice(id))).statusCode).toBe(400);
    expect((await errorOf(stripe.invoices.del(id))).statusCode).toBe(400);
    expect((await errorOf(stripe.invoices.update(id, { number: 'X-1' }))).code).toBe('invoice_not_editable');
    expect((await stripe.invoices.update(id, { metadata: { a: 'b' } })).metadata).toEqual({ a: 'b' });
  });

  test('a paid invoice is neither paid again nor voided; a void one is terminal; an uncollectible one can be paid', async () => {
    const customer = await customerWith(stripe, 'pm_card_visa');
    const paid = await draftWith(stripe, customer, [5000]);
    await stripe.invoices.finalizeInvoice(paid);
    await stripe.invoices.pay(paid);
    expect((await errorOf(stripe.invoices.pay(paid))).statusCode).toBe(400);
    expect((await errorOf(stripe.invoices.voidInvoice(paid))).statusCode).toBe(400);
    const voided = await draftWith(stripe, customer, [5000]);
    await stripe.invoices.finalizeInvoice(voided);
    await stripe.invoices.voidInvoice(voided);
    expect((await errorOf(stripe.invoices.pay(voided))).statusCode).toBe(400);
    const written = await draftWith(stripe, customer, [5000]);
    await stripe.invoices.finalizeInvoice(written);
    expect((await stripe.invoices.markUncollectible(written)).status).toBe('uncollectible');
    expect((await stripe.invoices.pay(written)).status).toBe('paid');
    expect(double.payments()).toHaveLength(2);
  });

  test('an empty invoice is not finalized, and a draft can be deleted', async () => {
    const customer = await customerWith(stripe, 'pm_card_visa');
    const { id } = await stripe.invoices.create({ customer, auto_advance: false });
    expect((await errorOf(stripe.invoices.finalizeInvoice(id))).code).toBe('invoice_no_customer_line_items');
    expect((await stripe.invoices.del(id)).deleted).toBe(true);
    expect((await errorOf(stripe.invoices.retrieve(id))).code).toBe('resource_missing');
  });
});

describe('parameters', () => {
  test('an unknown parameter is refused by name, nested ones too', async () => {
    const unknown = await errorOf(stripe.customers.create({ nmae: 'x' } as Stripe.CustomerCreateParams));
    expect([unknown.code, unknown.param]).toEqual(['parameter_unknown', 'nmae']);
    const id = await draftWith(stripe, await customerWith(stripe, null), [1]);
    const line: object = { amount: 1, unit_amount: 3 };
    const lines = [line] as Stripe.InvoiceAddLinesParams['lines'];
    const nested = await errorOf(stripe.invoices.addLines(id, { lines }));
    expect([nested.code, nested.param]).toEqual(['parameter_unknown', 'lines[0][unit_amount]']);
  });

  test('amounts are integers, metadata values end at 500 characters, numbers at 26, credit notes are not built', async () => {
    const customer = await customerWith(stripe, null);
    const id = await draftWith(stripe, customer, [1]);
    expect((await errorOf(stripe.invoices.addLines(id, { lines: [{ amount: 1.5 }] }))).code).toBe(
      'parameter_invalid_integer',
    );
    expect((await stripe.customers.update(customer, { metadata: { a: 'x'.repeat(500) } })).metadata.a).toHaveLength(
      500,
    );
    expect((await errorOf(stripe.customers.update(customer, { metadata: { a: 'x'.repeat(501) } }))).statusCode).toBe(
      400,
    );
    expect((await stripe.invoices.update(id, { number: 'N'.repeat(26) })).number).toHaveLength(26);
    expect((await errorOf(stripe.invoices.update(id, { number: 'N'.repeat(27) }))).statusCode).toBe(400);
    expect((await errorOf(stripe.creditNotes.create({ invoice: id }))).statusCode).toBe(501);
  });

  test('an invoice number is taken once', async () => {
    const customer = await customerWith(stripe, null);
    await stripe.invoices.create({ customer, number: 'INV-1' });
    expect((await errorOf(stripe.invoices.create({ customer, number: 'INV-1' }))).param).toBe('number');
  });

  test('a due date belongs to send_invoice, and send_invoice needs one', async () => {
    const customer = await customerWith(stripe, null);
    expect((await errorOf(stripe.invoices.create({ customer, days_until_due: 3 }))).statusCode).toBe(400);
    expect((await errorOf(stripe.invoices.create({ customer, collection_method: 'send_invoice' }))).statusCode).toBe(
      400,
    );
    const sent = await stripe.invoices.create({ customer, collection_method: 'send_invoice', days_until_due: 3 });
    await stripe.invoices.addLines(sent.id, { lines: [{ amount: 100 }] });
    expect((await stripe.invoices.finalizeInvoice(sent.id)).due_date).toBe(1_796_083_200 + 3 * 86_400);
  });

  test('250 lines fit on an invoice and the 251st does not', async () => {
    const id = await draftWith(
      stripe,
      await customerWith(stripe, null),
      Array.from({ length: 250 }, () => 1),
    );
    expect((await errorOf(stripe.invoices.addLines(id, { lines: [{ amount: 1 }] }))).statusCode).toBe(400);
    const lines = await stripe.invoices.listLineItems(id, { limit: 100 }).autoPagingToArray({ limit: 1000 });
    expect(lines).toHaveLength(250);
    expect((await stripe.invoices.retrieve(id)).lines.data).toHaveLength(10);
  });

  test('wrong keys are refused with 401, live keys at the start', async () => {
    expect((await errorOf(clientOf(double, 'rk_test_other').customers.list())).statusCode).toBe(401);
    await expect(startStripeDouble({ now: Date.now, apiKey: 'sk_live_x' })).rejects.toThrow(/live key/);
  });
});

describe('amounts that are not simply charged', () => {
  const cases = [
    // total, balance before, after: status, amount_due, balance after
    { name: 'below the minimum: to the balance, paid without money', amounts: [49], before: 0, after: ['paid', 0, 49] },
    { name: 'at the minimum: charged', amounts: [50], before: 0, after: ['open', 50, 0] },
    { name: 'a debit of 49 and 1 more make a charge of 50', amounts: [1], before: 49, after: ['open', 50, 0] },
    { name: 'credit covers everything', amounts: [300], before: -500, after: ['paid', 0, -200] },
    { name: 'credit covers a part', amounts: [800], before: -500, after: ['open', 300, 0] },
    { name: 'a negative total becomes credit', amounts: [100, -700], before: 0, after: ['paid', 0, -600] },
    { name: 'zero is paid at once', amounts: [100, -100], before: 0, after: ['paid', 0, 0] },
  ];
  test.each(cases)('$name', async ({ amounts, before, after }) => {
    const customer = await customerWith(stripe, 'pm_card_visa');
    if (before !== 0) await stripe.customers.update(customer, { balance: before });
    const invoice = await stripe.invoices.finalizeInvoice(await draftWith(stripe, customer, amounts));
    const owner = (await stripe.customers.retrieve(customer)) as Stripe.Customer;
    expect([invoice.status, invoice.amount_due, owner.balance]).toEqual(after);
    expect(invoice.ending_balance).toBe(owner.balance);
    expect(double.payments()).toHaveLength(0);
  });

  test('KWD wants a last digit of 0, ISK two zeros, JPY has no minor unit', async () => {
    const customer = await customerWith(stripe, 'pm_card_visa');
    expect((await errorOf(draftWith(stripe, customer, [5123], 'kwd'))).statusCode).toBe(400);
    expect((await errorOf(draftWith(stripe, customer, [5150], 'isk'))).code).toBe(
      'invalid_charge_amount_no_decimal_compatible',
    );
    const yen = await stripe.invoices.finalizeInvoice(await draftWith(stripe, customer, [51], 'jpy'));
    expect([yen.status, yen.amount_due]).toEqual(['open', 51]);
  });
});

describe('idempotency', () => {
  test('the same key and request is executed once and marked as replayed', async () => {
    const first = await stripe.customers.create({ name: 'A' }, { idempotencyKey: 'k1' });
    const again = await stripe.customers.create({ name: 'A' }, { idempotencyKey: 'k1' });
    expect(again.id).toBe(first.id);
    expect(again.lastResponse.headers['idempotent-replayed']).toBe('true');
    expect(double.customers()).toHaveLength(1);
  });

  test('the same key with other parameters or another endpoint is refused', async () => {
    await stripe.customers.create({ name: 'A' }, { idempotencyKey: 'k1' });
    const other = await errorOf(stripe.customers.create({ name: 'B' }, { idempotencyKey: 'k1' }));
    expect([other.statusCode, other.type]).toEqual([400, 'StripeIdempotencyError']);
    expect((await errorOf(stripe.invoices.create({}, { idempotencyKey: 'k1' }))).statusCode).toBe(400);
  });

  test('a key is forgotten after a day, and then the request is a new one', async () => {
    await stripe.customers.create({ name: 'A' }, { idempotencyKey: 'k1' });
    clock.ms += 86_399_000;
    await stripe.customers.create({ name: 'A' }, { idempotencyKey: 'k1' });
    expect(double.customers()).toHaveLength(1);
    clock.ms += 1000;
    await stripe.customers.create({ name: 'A' }, { idempotencyKey: 'k1' });
    expect(double.customers()).toHaveLength(2);
  });

  test('a key that is in use answers 409', async () => {
    double.faults.add({ endpoint: 'POST /v1/customers', kind: 'slow', delayMs: 150 });
    const slow = stripe.customers.create({ name: 'A' }, { idempotencyKey: 'k1' });
    await new Promise((resolve) => setTimeout(resolve, 50));
    const second = await errorOf(stripe.customers.create({ name: 'A' }, { idempotencyKey: 'k1' }));
    expect([second.statusCode, second.code]).toEqual([409, 'idempotency_key_in_use']);
    await slow;
    expect(double.customers()).toHaveLength(1);
  });

  test('refused parameters, rate limits and wrong keys are not remembered; a stored 500 and a decline are', async () => {
    await errorOf(stripe.customers.create({ nmae: 'A' } as Stripe.CustomerCreateParams, { idempotencyKey: 'k1' }));
    double.faults.add({ endpoint: 'POST /v1/customers', kind: 'rate_limit' });
    expect((await errorOf(stripe.customers.create({ name: 'A' }, { idempotencyKey: 'k1' }))).statusCode).toBe(429);
    await stripe.customers.create({ name: 'A' }, { idempotencyKey: 'k1' });
    double.faults.add({ endpoint: 'POST /v1/customers', kind: 'error_stored' });
    await errorOf(stripe.customers.create({ name: 'B' }, { idempotencyKey: 'k2' }));
    const replayed = await errorOf(stripe.customers.create({ name: 'B' }, { idempotencyKey: 'k2' }));
    expect([replayed.statusCode, replayed.headers?.['idempotent-replayed']]).toEqual([500, 'true']);
    const id = await draftWith(stripe, await customerWith(stripe, 'pm_card_chargeDeclined'), [5000]);
    await stripe.invoices.finalizeInvoice(id);
    await errorOf(stripe.invoices.pay(id, {}, { idempotencyKey: 'p1' }));
    expect((await errorOf(stripe.invoices.pay(id, {}, { idempotencyKey: 'p1' }))).statusCode).toBe(402);
    expect((await stripe.invoices.retrieve(id)).attempt_count).toBe(1);
  });

  test('a lost answer was executed: the SDK retries with its key and gets the first result', async () => {
    double.faults.add({ endpoint: 'POST /v1/customers', kind: 'drop_after' });
    const retrying = clientOf(double, API_KEY, 2);
    await retrying.customers.create({ name: 'A' }, { idempotencyKey: 'k1' });
    expect(double.customers()).toHaveLength(1);
  });
});

describe('limits and lists', () => {
  test('the 26th request of an endpoint in a second is refused with its reason, and the next second is free', async () => {
    const limited = await openDouble({ limits: { perEndpoint: 25, global: 100 } });
    for (let index = 0; index < 25; index += 1) await limited.stripe.customers.list();
    const error = await errorOf(limited.stripe.customers.list());
    expect([error.statusCode, error.headers?.['stripe-rate-limited-reason']]).toEqual([429, 'endpoint-rate']);
    await limited.stripe.invoices.list();
    limited.clock.ms += 1000;
    await limited.stripe.customers.list();
    await limited.double.close();
  });

  test('customers are listed by e-mail and by creation, newest first, in pages', async () => {
    for (let index = 0; index < 7; index += 1) {
      clock.ms += 1000;
      await stripe.customers.create({
        email: index % 2 ? 'odd@example.com' : 'even@example.com',
        metadata: { index: String(index) },
      });
    }
    const odd = await stripe.customers.list({ email: 'odd@example.com' });
    expect(odd.data.map((one) => one.metadata.index)).toEqual(['5', '3', '1']);
    const all = await stripe.customers.list({ limit: 3 }).autoPagingToArray({ limit: 100 });
    expect(all).toHaveLength(7);
    expect((await stripe.customers.list({ created: { gte: 1_796_083_206 } })).data).toHaveLength(2);
  });
});

test('state survives a restart, a torn last line is dropped, and ids go on', async () => {
  const stateFile = join(mkdtempSync(join(tmpdir(), 'stripe-double-')), 'state.ndjson');
  writeFileSync(stateFile, '');
  const before = await openDouble({ stateFile });
  const customer = await customerWith(before.stripe, 'pm_card_visa');
  await before.stripe.customers.create({ name: 'B' }, { idempotencyKey: 'k1' });
  await before.double.close();
  appendFileSync(stateFile, '[["customer","cus_torn",{"id"');
  const after = await openDouble({ stateFile });
  expect(after.double.customers()).toHaveLength(2);
  await after.stripe.customers.create({ name: 'B' }, { idempotencyKey: 'k1' });
  expect(after.double.customers()).toHaveLength(2);
  const id = await draftWith(after.stripe, customer, [5000]);
  await after.stripe.invoices.finalizeInvoice(id);
  expect((await after.stripe.invoices.pay(id)).status).toBe('paid');
  await after.double.close();
});
