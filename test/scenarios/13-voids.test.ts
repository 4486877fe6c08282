/** Events that should never have been sent: voided before the bill, and after it. And a view that is not what the log says. */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { usageViews } from '../../adapters/dynamodb/usage-views.ts';
import type { ProjectId } from '../../core/ids.ts';
import { PROJECT, Scenario } from '../support/scenario.ts';
import { eventually, NotYet, uuid7 } from '../support/scenario-api.ts';
import { billedByRequest } from '../support/scenario-assembly.ts';
import { subscribe } from '../support/scenario-customers.ts';

const PER_TOKEN = { model: 'per_unit', unit_price: '0.01' };
const PER_SEAT = { model: 'per_unit', unit_price: '1' };
const PLAN = {
  ...{ plan: 'pro', name: 'Pro', currency: 'USD', interval: 'month' },
  charges: [
    { kind: 'usage', key: 'tokens', name: 'Tokens', meter: 'tokens', price: PER_TOKEN },
    { kind: 'usage', key: 'seats', name: 'Most seats', meter: 'seats', price: PER_SEAT },
  ],
};

let scenario: Scenario;
beforeAll(async () => {
  scenario = await Scenario.start({ cdkOut: billedByRequest(inject('cdkOut')), now: '2027-02-01T06:00:00Z' });
  const meter = { event_type: 'use', dimensions: [] };
  await scenario.client.post('/v1/meters', { key: 'tokens', ...meter, aggregation: 'sum', value: 'tokens' });
  await scenario.client.post('/v1/meters', { key: 'seats', ...meter, aggregation: 'max', value: 'seats' });
  await scenario.client.post('/v1/plans', PLAN);
  await subscribe(scenario, { id: 'ada', plan: 'pro', start: '2027-02-01T00:00:00Z' });
});
afterAll(() => scenario?.stop());

let sent = 0;
const use = (time: string, tokens: string, seats: string, more: object = {}) => ({
  id: uuid7(new Date(scenario.stack.clock.now()).toISOString(), ++sent),
  ...{ type: 'use', customer: 'ada', time, properties: { tokens, seats } },
  ...more,
});
const ok = async (path: string, body: unknown) => {
  const answer = await scenario.call('POST', path, body);
  expect([path, answer.status, answer.body]).toEqual([path, 202, answer.body]);
  return answer.body;
};
const finished = (id: string) =>
  eventually('the job', async () => {
    const { body } = await scenario.call('GET', `/v1/jobs/${id}`);
    return body.status === 'finished' ? body : new NotYet(body);
  });
const february = async () => {
  const span = { from: '2027-02-01T00:00:00Z', to: '2027-03-01T00:00:00Z' };
  const rows = await scenario.usage({ customer: 'ada', ...span });
  return Object.fromEntries(rows.map(({ meter, quantity }) => [meter, quantity]));
};

test('a void before the bill lowers the usage, whichever of the two came first', async () => {
  scenario.at('2027-02-10T12:00:00Z');
  const [right, wrong, test1] = [
    use('2027-02-10T11:00:00Z', '600', '5'),
    use('2027-02-10T11:01:00Z', '400', '9'),
    use('2027-02-10T11:02:00Z', '70000', '40'),
  ];
  const never = use('2027-02-10T11:03:00Z', '70000', '50');
  const foreign = use('2027-02-10T11:04:00Z', '70000', '60', { id: 'order-1' });
  await ok('/v1/events/void', { id: never.id, customer: 'ada', reason: 'cancelled before it was sent' });
  await scenario.send([right, wrong, test1, never, foreign]);
  const answer = await ok('/v1/events/void', [
    { id: test1.id, customer: 'ada', reason: 'a test' },
    { id: 'order-1', customer: 'ada' },
    { id: 'order-2', customer: 'ada' },
  ]);
  expect(answer).toMatchObject({ accepted: 2, rejected: [{ index: 2, code: 'event_not_found' }] });
  await scenario.appended();
  scenario.at('2027-03-01T06:00:00Z');
  expect(await scenario.bill('2027-02')).toMatchObject({ status: 'finished', report: { failures: [] } });
  const [invoice] = await scenario.invoicesWhen('paid');
  // (600 + 400) x 0.01, and at most 9 seats x 1
  expect(invoice?.lines.map(({ key, amount }) => [key, amount])).toEqual([
    ['sub_ada/tokens/usage', '10.00'],
    ['sub_ada/seats/usage', '9.00'],
  ]);
});

test('a void after the bill is an adjustment on the next one, by line', async () => {
  scenario.at('2027-03-05T09:00:00Z');
  const filter = { customer: 'ada', from: '2027-02-10T11:01:00Z', to: '2027-02-10T11:02:00Z' };
  const asked = { filter: { ...filter, properties: { seats: '9' } }, reason: 'a loop' };
  const { report } = await finished((await ok('/v1/events/void', { ...asked, dry_run: true })).id);
  expect(report).toMatchObject({
    ...{ matched: 1, sent: 0, voided_before: 0 },
    effect: { tokens: { events: 1, quantity: '400' }, seats: { events: 1, quantity: null } },
  });
  expect(await february()).toEqual({ tokens: '1000', seats: '9' });
  const done = await finished((await ok('/v1/events/void', { ...asked, dry_run: false })).id);
  expect(done.report).toMatchObject({ matched: 1, sent: 1 });
  await scenario.send([use('2027-03-04T00:00:00Z', '2000', '3')]);
  await scenario.appended();
  scenario.at('2027-04-02T12:00:00Z');
  expect(await scenario.bill('2027-03')).toMatchObject({ status: 'finished', report: { failures: [] } });
  expect(await february()).toEqual({ tokens: '600', seats: '5' });
  const invoice = (await scenario.invoicesWhen('paid')).find(({ period }) => period.key === '2027-03');
  expect(
    invoice?.lines.map(({ kind, amount, adjusts }) => [
      kind,
      amount,
      adjusts?.previous_amount,
      adjusts?.current_amount,
    ]),
  ).toEqual([
    // 2000 x 0.01 and 3 x 1
    ['usage', '20.00', undefined, undefined],
    ['usage', '3.00', undefined, undefined],
    // 600 x 0.01 - 10.00, and 5 x 1 - 9.00
    ['adjustment', '-4.00', '10.00', '6.00'],
    ['adjustment', '-4.00', '9.00', '5.00'],
  ]);
  expect(invoice?.total).toBe('15.00');
});

test('voided again it is a duplicate, and the books of the hour balance', async () => {
  scenario.at('2027-04-03T09:00:00Z');
  const [event] = (
    await scenario.call('GET', '/v1/events?customer=ada&from=2027-02-10T11:01:00Z&to=2027-02-10T11:02:00Z')
  ).body.data;
  expect(event.voided).toMatchObject({ reason: 'a loop' });
  await ok('/v1/events/void', { id: event.id, customer: 'ada' });
  await scenario.appended();
  const { body } = await scenario.call('GET', '/v1/audit/usage?hour=2027-02-10T12');
  // Five events and four voids were stored; the second void of one event is the duplicate.
  expect(body).toMatchObject({
    balances: true,
    total: { accepted: 10, stored: 9, duplicates: 1, conflicts: 0, parked: 0 },
  });
  expect(await february()).toEqual({ tokens: '600', seats: '5' });
});

test('a view that does not say what the log says is not billed, and rebuilt it is', async () => {
  scenario.at('2027-04-10T12:00:00Z');
  await scenario.send([use('2027-04-10T11:00:00Z', '500', '2')]);
  await scenario.appended();
  const april = { customer: 'ada', from: '2027-04-01T00:00:00Z', to: '2027-05-01T00:00:00Z' };
  await scenario.usageBecomes(april, { tokens: '500', seats: '2' });
  const { USAGE_VIEWS_TABLE = '' } = scenario.stack.lambda.find('fold-usage').environment;
  const views = usageViews(scenario.stack.parts.dynamodb, USAGE_VIEWS_TABLE);
  const key = { project: PROJECT as ProjectId, customer: 'ada', day: '20270410', part: '' };
  const stored = await views.readView(key);
  const { tokens, ...meters } = stored.view.meters;
  if (tokens === undefined) throw new Error('no tokens in the view');
  const wrong = { ...tokens, dimensions: { '[]': { 44: '50000' } } };
  await views.writeView({ ...stored, view: { ...stored.view, meters: { ...meters, tokens: wrong } } });

  await scenario.pastTriggers('2027-05-02T12:00:00Z');
  const { id, report } = await scenario.bill('2027-04');
  expect(report.failures).toMatchObject([{ customer: 'ada', code: 'usage_disputed' }]);
  expect(report.failures[0].reason).toContain('20270410');
  const run = (await scenario.call('GET', `/v1/billing-runs/${id}`)).body;
  expect(run.reconciled).toMatchObject({ disputed_days: 1, unprovable_days: 0 });
  expect((await scenario.invoices()).map(({ period }) => period.key)).not.toContain('2027-04');

  const rebuild = { customers: ['ada'], from: '2027-04-10T00:00:00Z', to: '2027-04-11T00:00:00Z' };
  await finished((await ok('/v1/meters/tokens/rebuild', rebuild)).id);
  expect(await scenario.bill('2027-04')).toMatchObject({ status: 'finished', report: { failures: [] } });
  const invoice = (await scenario.invoicesWhen('paid')).find((one) => one.period.key === '2027-04');
  expect(invoice?.total).toBe('7.00');
});
