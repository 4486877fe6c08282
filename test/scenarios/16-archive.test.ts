/** A closed part of the usage log goes to the archive before it expires, and the archive alone gives the same usage. */
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeView } from '../../core/usage/usage-view.ts';
import { PROJECT, Scenario } from '../support/scenario.ts';
import { eventually, NotYet, uuid7 } from '../support/scenario-api.ts';
import { runCli } from '../support/scenario-cli.ts';

const NOW = '2027-02-10T12:00:00Z';
let scenario: Scenario;
beforeAll(async () => {
  scenario = await Scenario.start({ now: NOW });
  await scenario.client.post('/v1/meters', { key: 'calls', event_type: 'call', aggregation: 'count', dimensions: [] });
  await scenario.client.post('/v1/meters', {
    ...{ key: 'tokens', event_type: 'call', aggregation: 'sum', value: 'tokens', dimensions: ['model'] },
  });
});
afterAll(() => scenario?.stop());

const call = (n: number, customer = 'acme') => ({
  ...{ id: uuid7(NOW, n), type: 'call', customer, time: NOW },
  properties: { tokens: `${n}.5`, model: n % 2 === 0 ? 'large' : 'small' },
});
const DAY = { from: '2027-02-10T00:00:00Z', to: '2027-02-11T00:00:00Z' };
const get = async (path: string) => {
  const answer = await scenario.call('GET', path);
  if (answer.status !== 200) throw new Error(`GET ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body;
};

/** The views of a table by key. */
async function viewsOf(TableName: string) {
  const { Items = [] } = await scenario.stack.parts.dynamodb.send(new ScanCommand({ TableName, ConsistentRead: true }));
  const views = Items.filter(({ sk }) => sk?.S?.startsWith('day#'));
  return Object.fromEntries(views.map(({ pk, sk, e }) => [`${pk?.S} ${sk?.S}`, decodeView(e?.B ?? new Uint8Array())]));
}

test('accepted events are found in the log, with their place in it', async () => {
  await scenario.send([1, 2, 3].map((n) => call(n)));
  await scenario.send([call(4, 'bob')]);
  await scenario.usageBecomes({ customer: 'acme', ...DAY }, { calls: '3', tokens: '7.5' });
  await scenario.usageBecomes({ customer: 'bob', ...DAY }, { calls: '1', tokens: '4.5' });
  const { data, next_cursor } = await get('/v1/events?customer=acme&limit=2');
  expect(data).toHaveLength(2);
  expect(data[0]).toMatchObject({ type: 'call', customer: 'acme', partition: '0.2027021012', sequence: 1 });
  expect([data[0].time, data[0].received_at]).toEqual([
    '2027-02-10T12:00:00.000Z',
    expect.stringMatching(/^2027-02-10T12:/),
  ]);
  const rest = await get(`/v1/events?customer=acme&limit=2&cursor=${next_cursor}`);
  expect([rest.data.length, rest.next_cursor]).toEqual([1, null]);
  expect((await get(`/v1/events?id=${call(4).id}`)).data).toMatchObject([
    { ...call(4, 'bob'), time: '2027-02-10T12:00:00.000Z' },
  ]);
});

test('64 days after its hour a partition is archived, and the archive alone gives the same views', async () => {
  const table = scenario.stack.lambda.find('archive-usage').environment.USAGE_VIEWS_TABLE ?? '';
  const before = await viewsOf(table);
  expect(Object.keys(before)).toHaveLength(2);
  // The hour ends at 13:00; 64 days and an hour later is 2027-04-15T14:00, and the archive comes at 02:30.
  scenario.at('2027-04-16T02:30:01Z');
  const restore = (...args: string[]) =>
    runCli('restore', ['--project', PROJECT, '--outputs', scenario.outputs, ...args]);
  await eventually('an archived partition', async () => {
    const { output } = await restore('--into', 'views-restored', '--create');
    return /archive\s*│\s*1\s*│\s*1\s*│\s*4/.test(output) || new NotYet(output);
  });
  expect(await viewsOf('views-restored')).toEqual(before);
  const again = await restore();
  expect([again.code, again.output]).toEqual([0, expect.stringMatching(/archive\s*│\s*1\s*│\s*0\s*│\s*0/)]);
  expect(await viewsOf(table)).toEqual(before);
});
