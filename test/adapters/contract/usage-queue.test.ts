import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  type SendMessageBatchCommandOutput,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { queueDepth } from '../../../adapters/sqs/queue-depth.ts';
import { usageQueue } from '../../../adapters/sqs/usage-queue.ts';
import { encodeUsageBatches } from '../../../core/usage/usage-batch.ts';
import { type SqsPart, startSqs } from '../../../local/parts/sqs.ts';
import { logged, NOW_MILLIS, PARTITION, PROJECT } from '../../support/usage-fixtures.ts';

let part: SqsPart;
let client: SQSClient;
let url: string;

beforeAll(async () => {
  part = await startSqs();
  client = new SQSClient({
    endpoint: part.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  url = (await client.send(new CreateQueueCommand({ QueueName: 'usage' }))).QueueUrl ?? '';
});
afterAll(async () => {
  client.destroy();
  await part.stop();
});

/** Everything in the queue, taken out. */
async function drain(): Promise<string[]> {
  const bodies: string[] = [];
  for (;;) {
    const { Messages = [] } = await client.send(
      new ReceiveMessageCommand({ QueueUrl: url, MaxNumberOfMessages: 10, WaitTimeSeconds: 0 }),
    );
    if (Messages.length === 0) return bodies.sort();
    bodies.push(...Messages.map(({ Body }) => Body ?? ''));
    const Entries = Messages.map(({ ReceiptHandle }, i) => ({ Id: String(i), ReceiptHandle }));
    await client.send(new DeleteMessageBatchCommand({ QueueUrl: url, Entries }));
  }
}

/** The calls that a client makes, answered by `answer`. */
function recording(answer: (input: { Entries?: unknown[] }) => Partial<SendMessageBatchCommandOutput> = () => ({})) {
  const calls: { name: string; bodies: number; bytes: number }[] = [];
  const send = async (command: { input: { MessageBody?: string; Entries?: { MessageBody: string }[] } }) => {
    const bodies = command.input.Entries?.map(({ MessageBody }) => MessageBody) ?? [command.input.MessageBody ?? ''];
    const bytes = bodies.reduce((sum, body) => sum + Buffer.byteLength(body), 0);
    calls.push({ name: command.constructor.name, bodies: bodies.length, bytes });
    return answer(command.input);
  };
  return { calls, client: { send } as unknown as SQSClient };
}

describe('the depth of a queue', () => {
  test('counts what waits and what a worker holds', async () => {
    expect(await queueDepth(client, url)).toBe(0);
    await usageQueue(client, url).send(['a', 'b', 'c']);
    expect(await queueDepth(client, url)).toBe(3);
    await client.send(new ReceiveMessageCommand({ QueueUrl: url, MaxNumberOfMessages: 1, VisibilityTimeout: 1 }));
    expect(await queueDepth(client, url)).toBe(3);
    const emptied = async () => {
      await drain();
      return queueDepth(client, url);
    };
    await expect.poll(emptied, { timeout: 10_000 }).toBe(0);
  });
});

describe('the usage queue', () => {
  test.each([1, 2, 10, 11, 25])('takes %d messages, each exactly once', async (count) => {
    const messages = Array.from({ length: count }, (_, i) => `{"message":${i},"text":"Zoë 🚀"}`);
    await usageQueue(client, url).send(messages);
    expect(await drain()).toEqual([...messages].sort());
  });

  test('takes messages that are more than 1 MiB together', async () => {
    const messages = Array.from({ length: 9 }, (_, i) => String(i).repeat(262_144));
    await usageQueue(client, url).send(messages);
    expect((await drain()).map((body) => [body[0], body.length])).toEqual(
      [...'012345678'].map((digit) => [digit, 262_144]),
    );
  });

  test('takes the messages of a request as ingest makes them, whatever the characters', async () => {
    const note = '"\\\u2028🚀é\u00ad\ufffd'.repeat(100);
    const events = Array.from({ length: 1000 }, (_, index) => ({
      ...logged({ id: `order-${index}`, index, properties: { note } }),
      partition: PARTITION,
    }));
    const batch = {
      project: PROJECT,
      batchId: 'b',
      rejected: 0,
      meterRevision: 1,
      receivedAtMillis: NOW_MILLIS,
      events,
    };
    const messages = encodeUsageBatches(batch);
    expect(messages.length).toBeGreaterThan(2);
    await usageQueue(client, url).send(messages);
    expect(await drain()).toEqual([...messages].sort());
  });

  test('refuses the characters that SQS does not take, which is why the door refuses them', async () => {
    for (const character of ['\ufffe', '\uffff', '\u0007'])
      await expect(usageQueue(client, url).send([`a${character}`])).rejects.toThrow(/Invalid characters/);
  });

  test('asks SQS for at most ten messages and 1 MiB in one call, counted in bytes', async () => {
    const { calls, client: recorder } = recording();
    const queue = usageQueue(recorder, url);
    await queue.send(['x'.repeat(1_048_576)]);
    await queue.send(Array.from({ length: 21 }, () => 'x'));
    // four times 262,144 bytes are exactly 1 MiB; é has two bytes
    await queue.send(Array.from({ length: 9 }, () => 'é'.repeat(131_072)));
    await queue.send([]);
    expect(calls.map(({ name, bodies, bytes }) => [name, bodies, bytes])).toEqual([
      ['SendMessageCommand', 1, 1_048_576],
      ['SendMessageBatchCommand', 10, 10],
      ['SendMessageBatchCommand', 10, 10],
      ['SendMessageBatchCommand', 1, 1],
      ['SendMessageBatchCommand', 4, 1_048_576],
      ['SendMessageBatchCommand', 4, 1_048_576],
      ['SendMessageBatchCommand', 1, 262_144],
    ]);
  });

  test('fails when SQS refuses a single message of a batch, so that nobody is told it was taken', async () => {
    const { client: recorder } = recording(() => ({
      Failed: [{ Id: '1', Code: 'InternalError', SenderFault: false }],
    }));
    await expect(usageQueue(recorder, url).send(['a', 'b', 'c'])).rejects.toMatchObject({
      kind: 'not-ready',
      code: 'queue_unavailable',
      retryable: true,
      message:
        'The queue refused 1 of 3 messages (InternalError). Send the same request again; what was taken is not counted twice.',
    });
  });

  test('fails when the queue cannot be reached', async () => {
    await expect(usageQueue(client, `${part.url}/000000000000/nowhere`).send(['a'])).rejects.toThrow();
  });
});
