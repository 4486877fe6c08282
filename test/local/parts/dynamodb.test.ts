import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateTableCommand, DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type DynamoDbPart, startDynamoDb } from '../../../local/parts/dynamodb.ts';
import { accepts, boundAddresses, eventually, isRunning, LOOPBACK, outsideAddresses } from '../../support/listening.ts';

const folder = mkdtempSync(join(tmpdir(), 'dynamodb-'));
let part: DynamoDbPart;

beforeAll(async () => {
  part = await startDynamoDb();
});
afterAll(async () => {
  await part.stop();
  rmSync(folder, { recursive: true });
});

function clientOf(endpoint: string, accessKeyId = 'TEST'): DynamoDBClient {
  return new DynamoDBClient({ endpoint, region: 'us-east-1', credentials: { accessKeyId, secretAccessKey: 'x' } });
}

async function createTable(client: DynamoDBClient, name: string): Promise<void> {
  await client.send(
    new CreateTableCommand({
      TableName: name,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    }),
  );
}

test('it answers on 127.0.0.1 and on no other address of this machine', async () => {
  expect(await accepts('127.0.0.1', part.port)).toBe(true);
  for (const address of outsideAddresses()) expect(await accepts(address, part.port)).toBe(false);
  for (const bound of boundAddresses(part.port)) expect(LOOPBACK).toContain(bound);
});

test('callers with different access keys see the same tables', async () => {
  await createTable(clientOf(part.url, 'FIRST'), 'shared');
  await clientOf(part.url, 'SECOND').send(new PutItemCommand({ TableName: 'shared', Item: { pk: { S: 'a' } } }));
  const read = await clientOf(part.url, 'FIRST').send(
    new GetItemCommand({ TableName: 'shared', Key: { pk: { S: 'a' } } }),
  );
  expect(read.Item).toEqual({ pk: { S: 'a' } });
});

test('when its owner is killed it ends, and what was written is there again after a restart', async () => {
  const owner = spawn(
    process.execPath,
    [join(import.meta.dirname, '../../support/part-owner.ts'), 'dynamodb', folder],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const line = await new Promise<string>((resolve) => owner.stdout.once('data', (chunk) => resolve(String(chunk))));
  const { pid, url } = JSON.parse(line) as { pid: number; url: string };
  await createTable(clientOf(url), 'kept');
  await clientOf(url).send(new PutItemCommand({ TableName: 'kept', Item: { pk: { S: 'a' }, n: { N: '7' } } }));
  owner.kill('SIGKILL');
  expect(await eventually(() => !isRunning(pid))).toBe(true);

  const again = await startDynamoDb({ folder });
  const read = await clientOf(again.url).send(new GetItemCommand({ TableName: 'kept', Key: { pk: { S: 'a' } } }));
  await again.stop();
  expect(read.Item).toEqual({ pk: { S: 'a' }, n: { N: '7' } });
  expect(isRunning(again.pid)).toBe(false);
});

test('without Java, or with one that is too old, one sentence says what to install', async () => {
  const none = { PATH: join(folder, 'empty') };
  await expect(startDynamoDb({ env: none })).rejects.toThrow(
    'DynamoDB Local needs Java, and none was found. Install a Java runtime, version 17 or later',
  );
  await expect(startDynamoDb({ env: { JAVA_HOME: join(folder, 'nowhere') } })).rejects.toThrow(
    /but JAVA_HOME \(.*nowhere\) holds no bin\/java\. Install/,
  );
  const old = join(folder, 'old');
  mkdirSync(old);
  writeFileSync(
    join(old, 'java'),
    '#!/bin/sh\nif [ "$1" = -version ]; then echo \'openjdk version "11.0.2"\' >&2; exit 0; fi\n' +
      'echo "Exception in thread main java.lang.UnsupportedClassVersionError: LocalDynamo" >&2\n' +
      'printf "\\tat java.base/Loader\\n" >&2\nexit 1\n',
  );
  chmodSync(join(old, 'java'), 0o755);
  const failure = await startDynamoDb({ env: { PATH: `${old}:${process.env.PATH}` } }).catch((error: Error) => error);
  expect(String(failure)).toContain('needs Java 17 or later');
  expect(String(failure)).toContain('openjdk version "11.0.2"');
  expect(String(failure)).not.toContain('at java.base');
});

test('the committed class file runs on Java 17', () => {
  const bytes = readFileSync(join(import.meta.dirname, '../../../local/parts/java/LocalDynamo.class'));
  expect(bytes.readUInt32BE(0)).toBe(0xcafebabe);
  expect(bytes.readUInt16BE(6)).toBe(61);
});
