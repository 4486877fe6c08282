import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Stripe from 'stripe';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { StripeDouble } from '../../../local/stripe/stripe-double.ts';
import { customerWith, draftWith, openDouble, type TestClock } from './double-fixture.ts';

interface Received {
  readonly body: string;
  readonly signature: string;
}

let double: StripeDouble;
let stripe: Stripe;
let clock: TestClock;
let server: Server;
let received: Received[];
let answers: number[];

beforeEach(async () => {
  received = [];
  answers = [];
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    received.push({
      body: Buffer.concat(chunks).toString('utf8'),
      signature: String(request.headers['stripe-signature']),
    });
    response.writeHead(answers.shift() ?? 200).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  ({ double, stripe, clock } = await openDouble({ webhook: { url, secrets: ['whsec_new', 'whsec_old'] } }));
});
afterEach(async () => {
  await double.close();
  server.closeAllConnections();
  server.close();
});

function types(): string[] {
  return received.map((one) => (JSON.parse(one.body) as { type: string }).type);
}

async function delivered(): Promise<void> {
  await double.webhooks.pump();
  await double.webhooks.pump();
}

test('events carry two signatures that the SDK accepts with either secret, and not with another', async () => {
  await stripe.customers.create({ name: 'A' });
  await delivered();
  const [{ body, signature } = { body: '', signature: '' }] = received;
  const at = Math.floor(clock.ms / 1000);
  for (const secret of ['whsec_new', 'whsec_old']) {
    const event = Stripe.webhooks.constructEvent(body, signature, secret, 300, undefined, at * 1000);
    expect([event.type, event.api_version, event.livemode]).toEqual(['customer.created', '2026-10-28.endive', false]);
  }
  expect(() => Stripe.webhooks.constructEvent(body, signature, 'whsec_x', 300, undefined, at * 1000)).toThrow(
    /No signatures found/,
  );
});

test('an answer other than 2xx is delivered again, later each time, until it is taken', async () => {
  answers = [500, 503];
  await stripe.customers.create({ name: 'A' });
  await delivered();
  expect(received).toHaveLength(1);
  clock.ms += 1000;
  await delivered();
  expect(received).toHaveLength(2);
  clock.ms += 1000;
  await delivered();
  expect(received).toHaveLength(2);
  clock.ms += 1000;
  await delivered();
  expect(received).toHaveLength(3);
  expect(double.webhooks.waiting()).toBe(0);
  expect((await stripe.events.list({ delivery_success: true })).data).toHaveLength(1);
});

test('it can be told to hold, to duplicate and to reverse the order', async () => {
  double.webhooks.hold();
  double.webhooks.set({ duplicate: 2, reorder: true });
  const id = await draftWith(stripe, await customerWith(stripe, 'pm_card_visa'), [5000]);
  await stripe.invoices.finalizeInvoice(id);
  await stripe.invoices.pay(id);
  expect(received).toHaveLength(0);
  double.webhooks.release();
  await delivered();
  expect(types().filter((type) => type === 'invoice.paid')).toHaveLength(2);
  expect(types().indexOf('invoice.paid')).toBeLessThan(types().indexOf('invoice.finalized'));
});
