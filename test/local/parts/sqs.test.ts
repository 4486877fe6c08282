import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateQueueCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, expect, test } from 'vitest';
import { startSqs } from '../../../local/parts/sqs.ts';
import { accepts, boundAddresses, eventually, isRunning, LOOPBACK, outsideAddresses } from '../../support/listening.ts';

const folder = mkdtempSync(join(tmpdir(), 'sqs-'));
afterAll(() => rmSync(folder, { recursive: true }));

function clientOf(endpoint: string): SQSClient {
  return new SQSClient({ endpoint, region: 'us-east-1', credentials: { accessKeyId: 'TEST', secretAccessKey: 'x' } });
}

test('it answers on 127.0.0.1 and on no other address of this machine, and stops when told', async () => {
  const part = await startSqs();
  expect(await accepts('127.0.0.1', part.port)).toBe(true);
  for (const address of outsideAddresses()) expect(await accepts(address, part.port)).toBe(false);
  for (const bound of boundAddresses(part.port)) expect(LOOPBACK).toContain(bound);
  await part.stop();
  expect(isRunning(part.pid)).toBe(false);
});

test('when its owner is killed it ends, and its messages are there again after a restart', async () => {
  const owner = spawn(process.execPath, [join(import.meta.dirname, '../../support/part-owner.ts'), 'sqs', folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const line = await new Promise<string>((resolve) => owner.stdout.once('data', (chunk) => resolve(String(chunk))));
  const { pid, url } = JSON.parse(line) as { pid: number; url: string };
  const { QueueUrl } = await clientOf(url).send(new CreateQueueCommand({ QueueName: 'usage' }));
  await clientOf(url).send(new SendMessageCommand({ QueueUrl, MessageBody: 'an event' }));
  owner.kill('SIGKILL');
  expect(await eventually(() => !isRunning(pid))).toBe(true);

  const again = await startSqs({ folder });
  const read = await clientOf(again.url).send(
    new ReceiveMessageCommand({ QueueUrl: `${again.url}/000000000000/usage`, WaitTimeSeconds: 1 }),
  );
  await again.stop();
  expect(read.Messages?.map((message) => message.Body)).toEqual(['an event']);
});

test('a message that was in flight when everything was killed comes back after its visibility timeout', async () => {
  const data = join(folder, 'in-flight');
  const first = await startSqs({ folder: data });
  const { QueueUrl } = await clientOf(first.url).send(
    new CreateQueueCommand({ QueueName: 'usage', Attributes: { VisibilityTimeout: '1' } }),
  );
  await clientOf(first.url).send(new SendMessageCommand({ QueueUrl, MessageBody: 'an event' }));
  const taken = await clientOf(first.url).send(new ReceiveMessageCommand({ QueueUrl }));
  expect(taken.Messages).toHaveLength(1);
  process.kill(first.pid, 'SIGKILL');
  expect(await eventually(() => !isRunning(first.pid))).toBe(true);

  const again = await startSqs({ folder: data });
  const back = await clientOf(again.url).send(
    new ReceiveMessageCommand({ QueueUrl: `${again.url}/000000000000/usage`, WaitTimeSeconds: 3 }),
  );
  await again.stop();
  expect(back.Messages?.map((message) => message.Body)).toEqual(['an event']);
});
