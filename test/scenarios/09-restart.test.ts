/** A stack that stops and starts goes on where it was; keys end when they said they would. */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { Scenario } from '../support/scenario.ts';
import { uuid7 } from '../support/scenario-api.ts';
import { billedByRequest } from '../support/scenario-assembly.ts';
import { runCli } from '../support/scenario-cli.ts';
import { subscribe } from '../support/scenario-customers.ts';

const NOW = '2027-02-10T12:00:00Z';
const FEBRUARY = { customer: 'acme', from: '2027-02-01T00:00:00Z', to: '2027-03-01T00:00:00Z' };
let scenario: Scenario;
beforeAll(async () => {
  scenario = await Scenario.start({ cdkOut: billedByRequest(inject('cdkOut')), now: NOW });
  await scenario.client.post('/v1/meters', { key: 'calls', event_type: 'call', aggregation: 'count', dimensions: [] });
  await scenario.client.post('/v1/plans', {
    plan: 'pro',
    name: 'Pro',
    currency: 'USD',
    interval: 'month',
    charges: [
      { kind: 'usage', key: 'calls', name: 'Calls', meter: 'calls', price: { model: 'per_unit', unit_price: '2' } },
    ],
  });
  await subscribe(scenario, { id: 'acme', plan: 'pro', start: '2027-02-01T00:00:00Z' });
});
afterAll(() => scenario?.stop());

const call = (n: number, id = uuid7(NOW, n)) => ({ id, type: 'call', customer: 'acme', time: NOW, properties: {} });
const status = async (key: string) => (await scenario.call('GET', '/v1/meters', undefined, key)).status;

test('what was accepted, counted and created is there after a restart, and so is the clock', {
  timeout: 180_000,
}, async () => {
  await scenario.send([call(1), call(2), call(3, 'foreign-3')]);
  await scenario.usageBecomes(FEBRUARY, { calls: '3' });
  const before = scenario.stack.clock.now();
  const events = scenario.stack.events().length;
  await scenario.restart();
  expect(scenario.stack.clock.now()).toBeGreaterThanOrEqual(before);
  expect(scenario.stack.clock.now() - before).toBeLessThan(120_000);
  expect(scenario.stack.events().length).toBeGreaterThanOrEqual(events);
  await scenario.usageBecomes(FEBRUARY, { calls: '3' });
  // Identities are remembered, those of claims too.
  await scenario.send([call(2), call(3, 'foreign-3'), call(4)]);
  await scenario.usageBecomes(FEBRUARY, { calls: '4' });
});

test('a month that began before the restart is billed and paid after it', { timeout: 180_000 }, async () => {
  scenario.at('2027-03-01T06:00:00Z');
  await scenario.bill('2027-02');
  const invoices = await scenario.invoicesWhen('paid');
  // 4 x 2.00
  expect(invoices.map(({ total, number }) => [total, number])).toEqual([['8.00', 'INV-000001']]);
  await scenario.restart();
  expect(await scenario.invoices()).toEqual(invoices);
  await scenario.bill('2027-02');
  expect(await scenario.invoices()).toEqual(invoices);
  expect(scenario.stripe.invoices()).toHaveLength(1);
});

test('a rotated key works beside its successor for the overlap, and not a moment longer', async () => {
  const { body: old } = await scenario.call('POST', '/v1/keys', { name: 'backend', scopes: ['read'] });
  const { status: created, body: next } = await scenario.call('POST', `/v1/keys/${old.id}/rotate`, {
    overlap_hours: 48,
  });
  expect(created).toBe(201);
  const end = Date.parse(next.replaced.expires_at);
  expect(Math.abs(end - scenario.stack.clock.now() - 48 * 3_600_000)).toBeLessThan(60_000);
  expect([await status(old.key), await status(next.key)]).toEqual([200, 200]);
  scenario.stack.clock.set(end - 20_000);
  expect([await status(old.key), await status(next.key)]).toEqual([200, 200]);
  scenario.stack.clock.set(end);
  expect([await status(old.key), await status(next.key)]).toEqual([401, 200]);
  expect(await scenario.call('POST', `/v1/keys/${old.id}/rotate`, {})).toMatchObject({
    status: 409,
    body: { code: 'api_key_not_active' },
  });
});

test('the operator rotates and revokes keys on the command line', async () => {
  const { body: key } = await scenario.call('POST', '/v1/keys', { name: 'cli', scopes: ['read'] });
  const target = ['--project', 'prj_story', '--outputs', scenario.outputs];
  const revoked = await runCli('keys', ['revoke', key.id, ...target]);
  expect(revoked.code).toBe(0);
  expect(await status(key.key)).toBe(401);
  const listed = await runCli('keys', ['list', ...target]);
  expect(listed.output).toContain(key.id);
  expect(listed.output).not.toContain(key.key);
  expect(scenario.problems).toEqual([]);
});
