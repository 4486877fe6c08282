/** Many callers at a hard limit, the bill of what they were let, and a project that sends faster than it may. */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { Scenario } from '../support/scenario.ts';
import { eventually, NotYet, uuid7 } from '../support/scenario-api.ts';
import { billedByRequest } from '../support/scenario-assembly.ts';
import { subscribe } from '../support/scenario-customers.ts';

const PLAN = {
  ...{ plan: 'team', name: 'Team', currency: 'USD', interval: 'month' },
  charges: [
    {
      ...{ kind: 'usage', key: 'searches', name: 'Searches', meter: 'searches' },
      price: { model: 'per_unit', unit_price: '0.10' },
    },
  ],
  entitlements: [
    { kind: 'metered', feature: 'searches', meter: 'searches', limit: '25', overage: 'refuse', reset: 'month' },
  ],
};
const FEBRUARY = { customer: 'ada', from: '2027-02-01T00:00:00Z', to: '2027-03-01T00:00:00Z' };

let scenario: Scenario;
beforeAll(async () => {
  scenario = await Scenario.start({ cdkOut: billedByRequest(inject('cdkOut')), now: '2027-02-10T12:00:00Z' });
  const meter = { event_type: 'search', aggregation: 'sum', value: 'n', dimensions: [] };
  await scenario.client.post('/v1/meters', { key: 'searches', ...meter });
  await scenario.client.post('/v1/plans', PLAN);
  await subscribe(scenario, { id: 'ada', plan: 'team', start: FEBRUARY.from });
});
afterAll(() => scenario?.stop());

const consume = (id: string, quantity: string) =>
  eventually(`an answer for ${id}`, async () => {
    const answer = await scenario.call('POST', '/v1/entitlements/consume', {
      ...{ customer: 'ada', feature: 'searches', quantity, id },
    });
    // A quota that many write at once answers 503 now and then: the same id again is the same consumption.
    return answer.status === 200 ? answer.body : new NotYet(answer);
  });
const check = async () =>
  (await scenario.call('POST', '/v1/entitlements/check', { customer: 'ada', feature: 'searches' })).body;

test('thirty callers at once are let to the hard limit, to the unit, and no further', async () => {
  const answers = await Promise.all(Array.from({ length: 30 }, (_, i) => consume(`search-${i}`, '2')));
  const allowed = answers.filter((answer) => answer.allowed === true);
  // Twelve times two of 25.
  expect(allowed).toHaveLength(12);
  expect(answers.filter((answer) => answer.reason === 'limit_reached')).toHaveLength(18);
  expect(await check()).toMatchObject({ used: '24', limit: '25', remaining: '1' });
});

test('a stack that starts again still knows, retries take nothing, and what is left can be taken', async () => {
  await scenario.restart();
  const again = await Promise.all(Array.from({ length: 30 }, (_, i) => consume(`search-${i}`, '2')));
  expect(again.filter((answer) => answer.allowed === true && answer.duplicate === true)).toHaveLength(12);
  expect(await consume('last', '1')).toMatchObject({ allowed: true });
  expect(await consume('too-many', '1')).toMatchObject({ allowed: false });
  await scenario.usageBecomes(FEBRUARY, { searches: '25' });
  expect(await check()).toMatchObject({ allowed: false, used: '25', remaining: '0' });
});

test('the bill has what was let, and each event can say on which line', async () => {
  scenario.at('2027-03-01T06:00:00Z');
  expect(await scenario.bill('2027-02')).toMatchObject({ status: 'finished', report: { failures: [] } });
  const [invoice] = await scenario.invoicesWhen('paid');
  expect(invoice).toMatchObject({ total: '2.50', lines: [{ key: 'sub_ada/searches/usage', quantity: '25' }] });
  const { body } = await scenario.call('GET', '/v1/events/last?customer=ada');
  expect(body.counted).toMatchObject([
    { meter: 'searches', state: 'counted', billed: [{ invoice: invoice?.id, event: 'in_quantity' }] },
  ]);
});

test('who sends faster than the project may is told when to come back, and what was refused is counted when it comes', async () => {
  const limits = { project: { events: { per_second: 100, burst: 1_000 } } };
  expect((await scenario.call('PUT', '/v1/settings/rate-limits', limits)).status).toBe(200);
  // A worker may know the old limits for so long.
  scenario.stack.clock.advance(31_000);
  const now = new Date(scenario.stack.clock.now()).toISOString();
  const batch = (from: number) =>
    Array.from({ length: 600 }, (_, i) => ({
      ...{ id: uuid7(now, from + i), type: 'search', customer: 'eve', time: now, properties: { n: '1' } },
    }));
  const first = await scenario.call('POST', '/v1/events', batch(0));
  const second = await scenario.call('POST', '/v1/events', batch(600));
  expect([first.status, second.status]).toEqual([202, 429]);
  expect(second.body).toMatchObject({ code: 'rate_limited' });
  const seconds = Number(second.headers.get('retry-after'));
  expect(seconds).toBeGreaterThan(0);
  scenario.stack.clock.advance(Math.max(seconds, 10) * 1_000);
  await scenario.send(batch(600));
  await scenario.usageBecomes(
    { customer: 'eve', from: '2027-03-01T00:00:00Z', to: '2027-04-01T00:00:00Z' },
    {
      searches: '1200',
    },
  );
});
