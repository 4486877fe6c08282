/** The small app of the fixtures through the whole local stack: real parts, real workers, IAM enforced. */
import path from 'node:path';
import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADMIN_ACCESS_KEY_ID } from '../../local/gateway/gateway.ts';
import { type LocalStack, startStack } from '../../local/stack.ts';
import { synthSmallApp, testFolder } from './fixtures/small-app.ts';

let folder: string;
let cdkOut: string;
let stack: LocalStack;
const problems: string[] = [];
const admin = () => ({
  endpoint: stack.gatewayUrl,
  region: 'us-east-1',
  credentials: { accessKeyId: ADMIN_ACCESS_KEY_ID, secretAccessKey: 'local' },
});
const start = () =>
  startStack({ cdkOut, stateDir: path.join(folder, 'state'), onProblem: (problem) => problems.push(problem) });

beforeAll(async () => {
  folder = testFolder('stack');
  cdkOut = synthSmallApp(folder);
  stack = await start();
});
afterAll(() => stack?.stop());

const LONG = { timeout: 15_000, interval: 100 };

async function storedValue(pk: string): Promise<string | undefined> {
  const TableName = stack.app.tables[0]?.name;
  const got = await stack.parts.dynamodb.send(
    new GetItemCommand({ TableName, Key: { pk: { S: pk }, sk: { N: '0' } } }),
  );
  return got.Item?.value?.S;
}

async function receive(queue: string): Promise<string | undefined> {
  const QueueUrl = stack.app.queues.find((candidate) => candidate.name.includes(queue))?.url;
  const answer = await stack.parts.sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 1 }));
  return answer.Messages?.[0]?.Body;
}

const post = (query: string, body: string) =>
  fetch(`${stack.apiUrl}/v1/events?${query}`, { method: 'POST', body, headers: { 'content-type': 'text/plain' } });

test('a message goes from HTTP through the queue into the table, and from its stream to the next function', async () => {
  expect((await post('to=queue', 'hello')).status).toBe(201);
  await expect.poll(() => storedValue('message:hello'), LONG).toBe('hello');
  await expect.poll(() => storedValue('seen:message:hello'), LONG).toBe('message:hello');
});

test('a poison message ends in the dead letters after its receives, and its neighbours do not', async () => {
  await Promise.all([post('to=queue', 'poison'), post('to=queue', 'neighbour')]);
  await expect.poll(() => storedValue('message:neighbour'), LONG).toBe('neighbour');
  await expect.poll(() => storedValue('parked:poison'), { ...LONG, timeout: 18_000 }).toBe('poison');
});

test('a stream record the handler refuses is given up after its retries, and the stream goes on', async () => {
  await post('to=queue', 'refused');
  await expect.poll(() => storedValue('message:refused'), LONG).toBe('refused');
  await post('to=queue', 'after');
  await expect.poll(() => storedValue('seen:message:after'), LONG).toBe('message:after');
  const letter = JSON.parse((await receive('StreamDead')) ?? '{}') as Record<string, Record<string, unknown>>;
  expect(problems.filter((problem) => problem.includes('given up'))).toHaveLength(1);
  expect(letter.requestContext?.condition).toBe('RetryAttemptsExhausted');
  expect(letter.DDBStreamBatchInfo?.batchSize).toBe(1);
  expect(await storedValue('seen:message:refused')).toBeUndefined();
});

test('a schedule fires when the clock passes its minute, with the input of the template', async () => {
  stack.clock.advance(61_000);
  await expect.poll(() => storedValue('tick:minute'), LONG).toBeDefined();
});

test('a rule forwards an event of its bus to its queue', async () => {
  const entry = { EventBusName: 'small-bus', Source: 'small', DetailType: 'Said', Detail: '{"a":1}' };
  await new EventBridgeClient(admin()).send(new PutEventsCommand({ Entries: [entry] }));
  const said = stack.events().find(({ event }) => event['detail-type'] === 'Said');
  expect(said?.event.detail).toEqual({ a: 1 });
  // The consumer of the queue stores each body under its own text.
  await expect.poll(() => storedValue(`message:${JSON.stringify(said?.event)}`), LONG).toBeDefined();
});

test('the state machine runs with the real client, its role, and the moved clock', async () => {
  const Bucket = stack.app.buckets[0]?.name;
  await stack.parts
    .s3Of('nobody')
    .send(new PutObjectCommand({ Bucket, Key: 'm.json', Body: '[]' }))
    .then(
      () => expect.fail('an unknown role wrote an object'),
      () => undefined,
    );
  stack.parts.s3.objects.put(Bucket ?? '', { key: 'm.json', bytes: Buffer.from('["a","b","c"]'), headers: {}, now: 0 });
  const sfn = new SFNClient(admin());
  const input = JSON.stringify({ action: 'ok', batch_action: 'ok', manifest: 'm.json' });
  const stateMachineArn = stack.app.stateMachines[0]?.arn;
  const { executionArn } = await sfn.send(new StartExecutionCommand({ stateMachineArn, name: 'run-1', input }));
  const status = async () => (await sfn.send(new DescribeExecutionCommand({ executionArn }))).status;
  await expect.poll(status, LONG).toBe('RUNNING');
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  stack.clock.advance(3_600_000);
  await expect.poll(status, LONG).toBe('SUCCEEDED');
  await expect(sfn.send(new StartExecutionCommand({ stateMachineArn, name: 'run-1', input }))).rejects.toThrow(
    /Already Exists/,
  );
});

test('what a role was not granted is refused at the gateway', async () => {
  await expect(stack.invoke('request', { queryStringParameters: { to: 'queue' }, body: 'x' })).resolves.toMatchObject({
    statusCode: 201,
  });
  const role = stack.app.functions.find((fn) => fn.logicalId.startsWith('Request'))?.roleArn ?? '';
  expect(await stack.parts.refusal(role, 'dynamodb:PutItem', stack.app.tables[0]?.arn ?? '')).toContain(
    'not authorized',
  );
});

test('what was stored, sent and read survives a restart; nothing is delivered twice from the stream', {
  timeout: 60_000,
}, async () => {
  const TableName = stack.app.tables[0]?.name;
  const url = stack.apiUrl;
  await stack.stop();
  await expect(fetch(url)).rejects.toThrow();
  stack = await start();
  expect(await storedValue('message:hello')).toBe('hello');
  // The handler would store the mark again if it saw the record again.
  const Item = { pk: { S: 'seen:message:hello' }, sk: { N: '0' }, value: { S: 'untouched' } };
  await stack.parts.dynamodb.send(new PutItemCommand({ TableName, Item }));
  await post('to=queue', 'again');
  await expect.poll(() => storedValue('seen:message:again'), LONG).toBe('message:again');
  expect(await storedValue('seen:message:hello')).toBe('untouched');
});
