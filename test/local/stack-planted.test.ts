/** Templates with a planted mistake through the local stack: what would fail on AWS fails here. And a stack that is killed. */
import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { type LocalStack, startStack } from '../../local/stack.ts';
import { synthSmallApp, testFolder } from './fixtures/small-app.ts';

interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, unknown>;
}
type Resources = Record<string, Resource>;

let folder: string;
let cdkOut: string;
let stack: LocalStack | undefined;
const TIMEOUT = { timeout: 60_000 };
const LONG = { timeout: 15_000, interval: 100 };

beforeAll(() => {
  folder = testFolder('planted');
  cdkOut = synthSmallApp(folder);
});
afterEach(async () => {
  await stack?.stop();
  stack = undefined;
});

function planted(name: string, change: (resources: Resources) => void): string {
  const copy = path.join(folder, name);
  cpSync(cdkOut, copy, { recursive: true });
  const file = path.join(copy, 'Small.template.json');
  const template = JSON.parse(readFileSync(file, 'utf8')) as { Resources: Resources };
  change(template.Resources);
  writeFileSync(file, JSON.stringify(template));
  return copy;
}

async function storedValue(of: LocalStack, pk: string): Promise<string | undefined> {
  const TableName = of.app.tables[0]?.name;
  const Key = { pk: { S: pk }, sk: { N: '0' } };
  return (await of.parts.dynamodb.send(new GetItemCommand({ TableName, Key }))).Item?.value?.S;
}

test(
  'a queue consumer whose role may not receive is refused at the start, as AWS refuses the mapping',
  TIMEOUT,
  async () => {
    const wrong = planted('no-receive', (resources) => {
      for (const [id, resource] of Object.entries(resources)) {
        if (resource.Type !== 'AWS::IAM::Policy' || !id.startsWith('Messages')) continue;
        resource.Properties.PolicyDocument = JSON.parse(
          JSON.stringify(resource.Properties.PolicyDocument).replace('"sqs:ReceiveMessage",', ''),
        );
      }
    });
    await expect(startStack({ cdkOut: wrong, stateDir: path.join(folder, 'state-a') })).rejects.toThrow(
      /not authorized to perform sqs:ReceiveMessage/,
    );
  },
);

test(
  'a missing permission of the API, a missing grant and a missing variable each make their path fail',
  TIMEOUT,
  async () => {
    const problems: string[] = [];
    const wrong = planted('wrong-wiring', (resources) => {
      for (const [id, resource] of Object.entries(resources)) {
        if (resource.Type === 'AWS::Lambda::Permission' && JSON.stringify(resource).includes('/hooks/'))
          delete resources[id];
        if (resource.Type === 'AWS::Lambda::Function' && id.startsWith('Tick'))
          resource.Properties.Environment = { Variables: {} };
        if (resource.Type === 'AWS::IAM::Policy' && id.startsWith('Request')) delete resources[id];
      }
    });
    stack = await startStack({
      cdkOut: wrong,
      stateDir: path.join(folder, 'state-b'),
      onProblem: (p) => problems.push(p),
    });
    const post = (where: string) => fetch(`${stack?.apiUrl}${where}`, { method: 'POST', body: 'x' });
    expect((await post('/hooks/p1')).status).toBe(500);
    expect(problems.at(-1)).toContain('no permission lets API Gateway invoke');
    expect((await post('/v1/events?to=queue')).status).toBe(500);
    expect(problems.at(-1)).toMatch(/AccessDenied.*not authorized to perform: sqs:sendmessage/i);
    await expect(stack.invoke('tick', { note: 'wrong' })).rejects.toThrow(/table\/undefined/);
  },
);

test('a killed stack leaves no process behind, and the next one has what was accepted', TIMEOUT, async () => {
  const stateDir = path.join(folder, 'state-c');
  const child = fork(path.join(import.meta.dirname, 'fixtures/stack-process.ts'), [cdkOut, stateDir], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: 'ignore',
  });
  const [{ apiUrl }] = (await once(child, 'message')) as [{ apiUrl: string }];
  const headers = { 'content-type': 'text/plain' };
  expect((await fetch(`${apiUrl}/v1/events?to=queue`, { method: 'POST', body: 'kept', headers })).status).toBe(201);
  child.kill('SIGKILL');
  await once(child, 'exit');
  // Both child processes have the state folder among their arguments.
  const isLeft = () => execFileSync('ps', ['-eo', 'args']).toString().includes(stateDir);
  await expect.poll(isLeft, LONG).toBe(false);
  stack = await startStack({ cdkOut, stateDir });
  const running = stack;
  await expect.poll(() => storedValue(running, 'message:kept'), LONG).toBe('kept');
  await expect.poll(() => storedValue(running, 'seen:message:kept'), LONG).toBe('message:kept');
});
