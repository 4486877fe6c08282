/** A whole stack killed with SIGKILL in the middle of each kind of work, and started again on what it left behind. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { ApiClient } from '../../cli/api-client.ts';
import { type StripeDouble, startStripeDouble } from '../../local/stripe/stripe-double.ts';
import type { Death, KillableConfig, Order } from '../support/killable-stack.ts';
import {
  eventually,
  invoicesOf,
  NotYet,
  type Run,
  rawCall,
  runEnded,
  type Usage,
  uuid7,
} from '../support/scenario-api.ts';
import { hurriedAssembly } from '../support/scenario-assembly.ts';
import { newKey } from '../support/scenario-cli.ts';
import { setClock } from '../support/scenario-clock.ts';
import { stripeAt, subscribeAt } from '../support/scenario-customers.ts';

const PROJECT = 'prj_killed';
const STRIPE_KEY = 'rk_test_killed';
const NOW = '2027-02-10T12:00:00Z';
const CUSTOMERS = ['ada', 'bob', 'eve'];
const folder = mkdtempSync(join(tmpdir(), 'killed-'));
const cdkOut = hurriedAssembly(inject('cdkOut'));

let offset = Date.parse(NOW) - Date.now();
let stripe: StripeDouble;
let child: ChildProcess;
let apiUrl = '';
let key = '';
const client = () => new ApiClient({ url: apiUrl, key });

async function start(die?: Death): Promise<void> {
  const secret = { api_key: STRIPE_KEY, signing_secrets: ['whsec_killed'], livemode: false, api_base: stripe.url };
  const config: KillableConfig = { cdkOut, stateDir: folder, stripeSecrets: { [PROJECT]: secret }, die };
  child = fork(join(import.meta.dirname, '../support/killable-stack.ts'), [JSON.stringify(config)], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const [message] = (await Promise.race([once(child, 'message'), diedAs(child)])) as [{ apiUrl: string } | string];
  if (typeof message === 'string') throw new Error(`the stack ended while it started: ${message}`);
  ({ apiUrl } = message);
  // While another step of a run is to die, webhooks wait: else those of the charges would all have been acted on before it
  // is the turn of the function that acts on them.
  const isWaiting = die !== undefined && !die.at.includes('apply-stripe');
  stripe.setWebhook(isWaiting ? undefined : { url: `${apiUrl}/webhooks/stripe/${PROJECT}`, secrets: ['whsec_killed'] });
}

const diedAs = async (of: ChildProcess) => [String((await once(of, 'exit')).findLast(Boolean))];

/** Waits until the stack has killed itself where it was told to. */
async function died(of: ChildProcess): Promise<void> {
  await eventually('the death of the stack', async () => of.signalCode ?? of.exitCode ?? new NotYet('alive'), 120_000);
  expect(of.signalCode).toBe('SIGKILL');
}

async function clockTo(millis: number): Promise<void> {
  offset = millis - Date.now();
  await tell({ clock: millis });
}

async function tell(order: Order): Promise<void> {
  child.send(order);
  await once(child, 'message');
}

beforeAll(async () => {
  setClock(folder, NOW);
  stripe = await startStripeDouble({ now: () => Date.now() + offset, apiKey: STRIPE_KEY });
  await start();
  key = await newKey(join(folder, 'outputs.json'), PROJECT);
  await client().post('/v1/meters', { key: 'calls', event_type: 'call', aggregation: 'count', dimensions: [] });
  await client().post('/v1/plans', {
    plan: 'pro',
    name: 'Pro',
    currency: 'USD',
    interval: 'month',
    charges: [
      { kind: 'usage', key: 'calls', name: 'Calls', meter: 'calls', price: { model: 'per_unit', unit_price: '0.5' } },
    ],
  });
  const theirs = stripeAt(stripe.url, STRIPE_KEY);
  for (const id of CUSTOMERS) await subscribeAt(client(), theirs, { id, plan: 'pro', start: '2027-02-01T00:00:00Z' });
});
afterAll(async () => {
  child?.kill('SIGKILL');
  await stripe?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Ten calls of each customer; the same round has the same ids. */
const calls = (round: number) =>
  CUSTOMERS.flatMap((customer, c) =>
    Array.from({ length: 10 }, (_, n) => ({
      id: uuid7(NOW, round * 1000 + c * 100 + n),
      type: 'call',
      customer,
      time: NOW,
    })),
  );
const send = (round: number) => rawCall(`${apiUrl}/v1/events`, { method: 'POST', body: calls(round), key });

/** Each customer's calls of February, once they are as many. */
async function counted(expected: number): Promise<void> {
  const span = { from: '2027-02-01T00:00:00Z', to: '2027-03-01T00:00:00Z' };
  await eventually(`${expected} calls of each`, async () => {
    const seen: string[] = [];
    for (const customer of CUSTOMERS) {
      const { data } = (await client().get(`/v1/usage?${new URLSearchParams({ customer, ...span })}`)) as {
        data: Usage[];
      };
      seen.push(data[0]?.quantity ?? '0');
    }
    if (seen.every((quantity) => quantity === String(expected))) return true;
    await clockTo(Date.now() + offset + 120_000);
    return new NotYet(seen);
  });
}

const DEATHS = [
  ['post-events', 'before'],
  ['post-events', 'after'],
  ['append-usage', 'before'],
  ['append-usage', 'after'],
  ['fold-usage, sweep-usage', 'after'],
] as const;

test.each(DEATHS)(
  'killed in %s, %s its write: what was accepted is counted, and a retry counts nothing twice',
  {
    timeout: 180_000,
  },
  async (at, when) => {
    const round = DEATHS.findIndex((death) => death[0] === at && death[1] === when) + 1;
    // Old enough for the next chunk to be folded at once.
    await clockTo(Date.now() + offset + 1_000_000);
    await tell({ die: { at: at.split(', '), when } });
    const killed = child;
    const answer = send(round).catch(() => undefined);
    await died(killed);
    const status = (await answer)?.status;
    await start();
    // A client without an answer sends again; one with an answer may, too.
    if (status !== 202 || round % 2 === 0) expect((await send(round)).status).toBe(202);
    await counted(10 * round);
  },
);

const STEPS = [
  'settle-usage',
  'reconcile-usage',
  'write-manifest',
  'rate-accounts',
  'issue-invoices',
  'push-invoices',
  'publish-outbox',
  'finish-run',
  'apply-stripe',
];

test('killed in every step of a billing run, it ends with each customer billed and charged once', {
  timeout: 400_000,
}, async () => {
  expect((await send(6)).status).toBe(202);
  await clockTo(Date.parse('2027-03-01T06:00:00Z'));
  child.kill('SIGKILL');
  await once(child, 'exit');
  let run = '';
  for (const at of STEPS) {
    await start({ at: [at], when: 'after' });
    const killed = child;
    if (run === '')
      run = (await rawCall(`${apiUrl}/v1/billing-runs`, { method: 'POST', body: { through: '2027-02' }, key })).body.id;
    await died(killed);
  }
  await start();
  const ended: Run = await runEnded(client(), run, () => undefined);
  expect(ended).toMatchObject({ status: 'finished', report: { failures: [] } });
  const invoices = await eventually('three paid invoices', async () => {
    const all = await invoicesOf(client());
    return all.length === 3 && all.every(({ status }) => status === 'paid') ? all : new NotYet(all);
  });
  // 6 rounds of 10 calls at 0.50
  expect(invoices.map(({ customer, total, lines }) => [customer, total, lines[0]?.quantity])).toEqual(
    CUSTOMERS.map((customer) => [customer, '30.00', '60']),
  );
  expect(invoices.map(({ number }) => number).toSorted()).toEqual(['INV-000001', 'INV-000002', 'INV-000003']);
  const theirs = stripe.invoices();
  expect(theirs.map(({ id }) => id).toSorted()).toEqual(
    invoices.map(({ payment }) => payment?.provider_invoice ?? '').toSorted(),
  );
  for (const { id } of theirs) expect(stripe.linesOf(id).map(({ amount }) => amount)).toEqual([3000]);
  // Each was charged once.
  expect(stripe.payments().map(({ status, amount_paid }) => [status, amount_paid])).toEqual([
    ['paid', 3000],
    ['paid', 3000],
    ['paid', 3000],
  ]);
  expect(stripe.customers()).toHaveLength(3);
});
