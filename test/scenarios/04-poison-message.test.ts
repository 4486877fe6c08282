/** Messages that nobody can read, beside good ones: they are parked, their neighbours are counted, an operator decides. */
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { PROJECT, Scenario } from '../support/scenario.ts';
import { eventually, NotYet, uuid7 } from '../support/scenario-api.ts';
import { hurriedAssembly } from '../support/scenario-assembly.ts';
import { runCli } from '../support/scenario-cli.ts';

const NOW = '2027-02-10T12:00:00Z';
const DAY = { customer: 'acme', from: '2027-02-10T00:00:00Z', to: '2027-02-11T00:00:00Z' };
let scenario: Scenario;
beforeAll(async () => {
  scenario = await Scenario.start({ cdkOut: hurriedAssembly(inject('cdkOut')), now: NOW });
  await scenario.client.post('/v1/meters', { key: 'calls', event_type: 'call', aggregation: 'count', dimensions: [] });
});
afterAll(() => scenario?.stop());

const call = (n: number) => ({ id: uuid7(NOW, n), type: 'call', customer: 'acme', time: NOW, properties: {} });
const enqueue = (body: string) =>
  scenario.stack.parts.sqs.send(
    new SendMessageCommand({
      QueueUrl: scenario.stack.lambda.find('post-events').environment.USAGE_QUEUE_URL,
      MessageBody: body,
    }),
  );
const replay = (...args: string[]) => runCli('replay', [...args, '--outputs', scenario.outputs]);

/** What the operator sees, once so many messages are parked. */
const parked = (project: string, count: number) =>
  eventually(
    `${count} parked messages of ${project}`,
    async () => {
      const { output } = await replay('--project', project, '--list');
      return (output.match(/unreadable:|undeliverable:/g) ?? []).length === count ? output : new NotYet(output);
    },
    90_000,
  );

test('poison does not keep its neighbours from being counted', async () => {
  await scenario.send([call(1), call(2)]);
  await enqueue('{"v": 1, "p": "prj_story"');
  await scenario.send([call(3)]);
  await enqueue('not from here');
  await scenario.send([call(4), call(5)]);
  await eventually('5 calls', async () => {
    const [row] = await scenario.usage(DAY);
    if (row?.quantity === '5') return true;
    scenario.stack.clock.advance(60_000);
    return new NotYet(row);
  });
});

test('poison ends in durable parking after its tries, with its reason, where an operator finds it', async () => {
  const output = await parked('system', 2);
  expect(output).toContain('unreadable');
  expect(output).toContain('The message (13 bytes) is not one that ingest wrote.');
});

test('a parked message is discarded by its name, and only that one', async () => {
  const names = (await parked('system', 2)).match(/unreadable:[\w-]+/g) ?? [];
  const shown = await replay('--project', 'system', '--name', names[0] ?? '', '--show');
  expect([shown.code, shown.output]).toEqual([0, expect.stringMatching(/It begins: (not from here|\{"v": 1)/)]);
  const [first = '', second = ''] = names;
  expect(await replay('--project', 'system', '--discard')).toMatchObject({
    code: 1,
    output: expect.stringContaining('--name'),
  });
  const { code, output } = await replay('--project', 'system', '--name', first, '--discard');
  expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining('discarded') });
  expect(await parked('system', 1)).toContain(second);
});

test('what could not be appended is replayed once its cause is gone, and counts once however often', async () => {
  // The log refuses every write, as it would without a table or a permission.
  const outage = scenario.stack.gateway.inject({
    ...{ principal: scenario.stack.principalOf('append-usage'), operation: 'PutItem', times: Number.POSITIVE_INFINITY },
    effect: { kind: 'fail', when: 'before', code: 'AccessDeniedException', status: 400 },
  });
  await scenario.send([call(6), call(7)]);
  const listed = await parked(PROJECT, 1);
  expect(listed).toMatch(/undeliverable:\S+ .*undeliverable.* 2 /);
  outage.remove();
  const { code, output } = await replay('--project', PROJECT);
  expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining('replayed') });
  await scenario.usageBecomes(DAY, { calls: '7' });
  expect((await replay('--project', PROJECT)).output).toContain('Nothing is parked.');
  await scenario.send([call(6), call(7)]);
  await scenario.usageBecomes(DAY, { calls: '7' });
});
