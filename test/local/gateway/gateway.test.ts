import {
  CreateTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
} from '@aws-sdk/client-dynamodb-streams';
import { CreateQueueCommand, SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { localArn, queueArn, queueUrl, roleArn, tableArn } from '../../../local/gateway/arns.ts';
import type { CallRecord } from '../../../local/gateway/call-handling.ts';
import { type ForwardingBackend, forwardTo, forwardToSqs } from '../../../local/gateway/forward.ts';
import { ADMIN_ACCESS_KEY_ID, type Gateway, startGateway } from '../../../local/gateway/gateway.ts';
import type { Principal } from '../../../local/gateway/policies.ts';
import { type DynamoDbPart, startDynamoDb } from '../../../local/parts/dynamodb.ts';
import { type SqsPart, startSqs } from '../../../local/parts/sqs.ts';
import { accepts, outsideAddresses } from '../../support/listening.ts';

const allow = (...pairs: [action: string | string[], resource: string][]): Principal['identityPolicies'] => [
  {
    Version: '2012-10-17',
    Statement: pairs.map(([Action, Resource]) => ({ Effect: 'Allow', Action, Resource })),
  },
];
const principal = (name: string, identityPolicies: Principal['identityPolicies']): Principal => ({
  name,
  arn: roleArn(name),
  identityPolicies,
});

let dynamo: DynamoDbPart;
let sqs: SqsPart;
let gateway: Gateway;
let forwards: ForwardingBackend[];
const calls: CallRecord[] = [];

const keysOf = (accessKeyId: string) => ({
  endpoint: gateway.url,
  region: 'us-east-1',
  maxAttempts: 1,
  credentials: { accessKeyId, secretAccessKey: 'local' },
});
const dynamoAs = (accessKeyId: string) => new DynamoDBClient(keysOf(accessKeyId));
const item = (pk: string, more = {}) => ({ pk: { S: pk }, sk: { S: 'x' }, ...more });

beforeAll(async () => {
  [dynamo, sqs] = await Promise.all([startDynamoDb(), startSqs()]);
  forwards = [forwardTo(dynamo.url), forwardToSqs(sqs.url)];
  gateway = await startGateway({
    principals: new Map([
      [
        'WRITER',
        principal('writer', allow([['dynamodb:PutItem'], tableArn('Billing')], ['sqs:SendMessage', queueArn('usage')])),
      ],
      ['READER', principal('reader', allow(['dynamodb:Query', `${tableArn('Billing')}/index/*`]))],
      ['NOBODY', principal('nobody', [])],
      [
        'STREAM',
        principal(
          'stream',
          allow([
            ['dynamodb:DescribeStream', 'dynamodb:GetShardIterator', 'dynamodb:GetRecords'],
            `${tableArn('Billing')}/stream/*`,
          ]),
        ),
      ],
    ]),
    backends: { dynamodb: forwards[0]?.handle as never, sqs: forwards[1]?.handle as never },
    onCall: (record) => calls.push(record),
    indexKeys: new Map([['Billing', { by_project: 'p1' }]]),
  });
  await dynamoAs(ADMIN_ACCESS_KEY_ID).send(
    new CreateTableCommand({
      TableName: 'Billing',
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['pk', 'sk', 'p1'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' as const })),
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: 'by_project',
          KeySchema: [{ AttributeName: 'p1', KeyType: 'HASH' }],
          Projection: { ProjectionType: 'ALL' },
        },
      ],
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' },
    }),
  );
});
afterAll(async () => {
  await gateway.close();
  for (const forward of forwards) forward.close();
  await Promise.all([dynamo.stop(), sqs.stop()]);
});
beforeEach(() => calls.splice(0));

test('a principal does what its policy grants, and nothing else: the SDK raises AccessDeniedException with the sentence of AWS', async () => {
  const writer = dynamoAs('WRITER');
  await writer.send(new PutItemCommand({ TableName: 'Billing', Item: item('a') }));
  await expect(writer.send(new GetItemCommand({ TableName: 'Billing', Key: item('a') }))).rejects.toMatchObject({
    name: 'AccessDeniedException',
    message:
      'User: arn:aws:sts::000000000000:assumed-role/writer/local is not authorized to perform: dynamodb:GetItem on resource: ' +
      'arn:aws:dynamodb:us-east-1:000000000000:table/Billing because no identity-based policy allows the dynamodb:GetItem action',
  });
});

test('a caller without a signature, or with an unknown access key, is refused as AWS refuses it', async () => {
  const unsigned = await fetch(gateway.url, {
    method: 'POST',
    headers: { 'x-amz-target': 'DynamoDB_20120810.ListTables' },
    body: '{}',
  });
  expect([unsigned.status, await unsigned.json()]).toMatchObject([
    400,
    { __type: expect.stringContaining('MissingAuthenticationTokenException') },
  ]);
  await expect(
    dynamoAs('STRANGER').send(new PutItemCommand({ TableName: 'Billing', Item: item('a') })),
  ).rejects.toMatchObject({ name: 'UnrecognizedClientException' });
});

test('a query on an index needs the index, and a query on its table needs the table', async () => {
  const query = { KeyConditionExpression: 'p1 = :p', ExpressionAttributeValues: { ':p': { S: 'x' } } };
  const reader = dynamoAs('READER');
  const found = await reader.send(new QueryCommand({ TableName: 'Billing', IndexName: 'by_project', ...query }));
  expect(found.Items).toEqual([]);
  await expect(
    reader.send(
      new QueryCommand({
        TableName: 'Billing',
        KeyConditionExpression: 'pk = :p',
        ExpressionAttributeValues: { ':p': { S: 'x' } },
      }),
    ),
  ).rejects.toMatchObject({ name: 'AccessDeniedException' });
});

test('a transaction needs the item action of each of its parts', async () => {
  const transaction = (key: string) =>
    dynamoAs(key).send(
      new TransactWriteItemsCommand({
        TransactItems: [
          { Put: { TableName: 'Billing', Item: item('t1') } },
          {
            ConditionCheck: { TableName: 'Billing', Key: item('t2'), ConditionExpression: 'attribute_not_exists(pk)' },
          },
        ],
      }),
    );
  await expect(transaction('WRITER')).rejects.toThrow('not authorized to perform: dynamodb:ConditionCheckItem');
  gateway.addPrincipal(
    'CHECKER',
    principal('checker', allow([['dynamodb:PutItem', 'dynamodb:ConditionCheckItem'], tableArn('Billing')])),
  );
  await transaction('CHECKER');
});

test('queue actions need the queue; a batch needs the action of one message; removing the grant refuses at once', async () => {
  const { QueueUrl } = await new SQSClient(keysOf(ADMIN_ACCESS_KEY_ID)).send(
    new CreateQueueCommand({ QueueName: 'usage' }),
  );
  expect(QueueUrl).toBe(queueUrl(gateway.url, 'usage'));
  const writer = new SQSClient(keysOf('WRITER'));
  const batch = new SendMessageBatchCommand({ QueueUrl, Entries: [{ Id: '1', MessageBody: 'an event' }] });
  expect((await writer.send(batch)).Successful).toHaveLength(1);
  gateway.addPrincipal('BARRED', principal('barred', allow(['sqs:SendMessage', queueArn('usage')])));
  const barred = new SQSClient(keysOf('BARRED'));
  await barred.send(batch);
  gateway.addPrincipal('BARRED', principal('barred', []));
  await expect(barred.send(batch)).rejects.toThrow('not authorized to perform: sqs:SendMessage');
});

test('a stream is read with the rights of its reader, under the ARN of the account', async () => {
  const streams = new DynamoDBStreamsClient(keysOf('STREAM'));
  const described = await dynamoAs(ADMIN_ACCESS_KEY_ID).send(
    new (await import('@aws-sdk/client-dynamodb')).DescribeTableCommand({ TableName: 'Billing' }),
  );
  const StreamArn = described.Table?.LatestStreamArn ?? '';
  expect(localArn(StreamArn)).toMatch(/^arn:aws:dynamodb:us-east-1:000000000000:table\/Billing\/stream\/20/);
  const stream = await streams.send(new DescribeStreamCommand({ StreamArn }));
  const ShardId = stream.StreamDescription?.Shards?.[0]?.ShardId;
  const { ShardIterator } = await streams.send(
    new GetShardIteratorCommand({ StreamArn, ShardId, ShardIteratorType: 'TRIM_HORIZON' }),
  );
  const read = await streams.send(new GetRecordsCommand({ ShardIterator }));
  expect(read.Records?.[0]?.dynamodb?.NewImage?.pk).toEqual({ S: 'a' });
  const nobody = new DynamoDBStreamsClient(keysOf('NOBODY'));
  await expect(nobody.send(new GetRecordsCommand({ ShardIterator }))).rejects.toThrow(
    'not authorized to perform: dynamodb:GetRecords on resource: arn:aws:dynamodb:us-east-1:000000000000:table/Billing/stream/',
  );
});

test('an operation that the gateway does not know is denied, even to one who may do everything', async () => {
  gateway.addPrincipal('ALL', principal('all', allow(['*', '*'])));
  const { ExecuteStatementCommand } = await import('@aws-sdk/client-dynamodb');
  await expect(
    dynamoAs('ALL').send(new ExecuteStatementCommand({ Statement: 'SELECT * FROM Billing' })),
  ).rejects.toMatchObject({ name: 'AccessDeniedException' });
});

test('what was used is recorded by principal, and a grant that nothing used is named', async () => {
  gateway.addPrincipal(
    'TWO',
    principal(
      'two',
      allow([['dynamodb:PutItem', 'dynamodb:DeleteItem'], tableArn('Billing')], ['sqs:SendMessage', queueArn('usage')]),
    ),
  );
  await dynamoAs('TWO').send(new PutItemCommand({ TableName: 'Billing', Item: item('b') }));
  expect(gateway.usedActions().two).toEqual([{ action: 'dynamodb:PutItem', resource: tableArn('Billing') }]);
  expect(gateway.unusedGrants().filter((grant) => grant.principal === 'two')).toEqual([
    { principal: 'two', action: 'dynamodb:DeleteItem', resources: [tableArn('Billing')] },
    { principal: 'two', action: 'sqs:SendMessage', resources: [queueArn('usage')] },
  ]);
  expect(gateway.usedActions()['local-admin']).toBeUndefined();
});

test('a trigger that is no HTTP call is decided by the same policies', async () => {
  gateway.addPrincipal(
    'SCHEDULE',
    principal('schedule', allow(['lambda:InvokeFunction', 'arn:aws:lambda:us-east-1:000000000000:function:sweep'])),
  );
  const invoke = (name: string) =>
    gateway.authorize('SCHEDULE', {
      action: 'lambda:InvokeFunction',
      resource: `arn:aws:lambda:us-east-1:000000000000:function:${name}`,
    });
  expect(await invoke('sweep')).toEqual({ allowed: true, reason: '' });
  expect((await invoke('other')).allowed).toBe(false);
});

test('a policy with a condition that cannot be judged here is refused when it is loaded', () => {
  expect(() =>
    gateway.addPrincipal(
      'LEADING',
      principal('leading', [
        {
          Statement: {
            Effect: 'Allow',
            Action: 'dynamodb:GetItem',
            Resource: '*',
            Condition: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['a'] } },
          },
        },
      ]),
    ),
  ).toThrow('A policy of leading has a condition on dynamodb:LeadingKeys, which the local gateway cannot supply.');
});

test('each call is told with the units that AWS would bill', async () => {
  const admin = dynamoAs(ADMIN_ACCESS_KEY_ID);
  const TableName = 'Billing';
  // 3,000 bytes of text and the key: 3 KB rounded up.
  await admin.send(new PutItemCommand({ TableName, Item: item('big', { text: { S: 'x'.repeat(3_000) } }) }));
  // Eventually consistent: half a unit for 4 KB.
  await admin.send(new GetItemCommand({ TableName, Key: item('big') }));
  await expect(
    admin.send(
      new PutItemCommand({
        TableName,
        Item: item('big', { text: { S: 'x'.repeat(1_500) } }),
        ConditionExpression: 'attribute_not_exists(pk)',
      }),
    ),
  ).rejects.toMatchObject({ name: 'ConditionalCheckFailedException' });
  await admin.send(
    new TransactWriteItemsCommand({
      TransactItems: [
        { Put: { TableName, Item: item('big', { text: { S: 'x'.repeat(3_000) } }) } },
        { Put: { TableName, Item: item('small') } },
      ],
    }),
  );
  await admin.send(
    new TransactWriteItemsCommand({
      TransactItems: ['i1', 'i2'].map((pk) => ({ Put: { TableName, Item: item(pk, { p1: { S: 'p' } }) } })),
    }),
  );
  await admin.send(
    new TransactWriteItemsCommand({
      TransactItems: [
        {
          Update: {
            TableName,
            Key: item('big'),
            UpdateExpression: 'SET n = :n',
            ExpressionAttributeValues: { ':n': { N: '1' } },
          },
        },
      ],
    }),
  );
  await admin.send(new PutItemCommand({ TableName, Item: item('i3', { p1: { S: 'p' } }) }));
  expect(calls.map(({ operation, readUnits, writeUnits }) => [operation, readUnits, writeUnits])).toEqual([
    ['PutItem', 0, 3],
    ['GetItem', 0.5, 0],
    // 1,500 bytes and the key: 2 units, although nothing was written.
    ['PutItem', 0, 2],
    // 2 x 3 + 2 x 1.
    ['TransactWriteItems', 0, 8],
    // Twice 2 x 1 for the table, and 1 for each in the index.
    ['TransactWriteItems', 0, 6],
    // An update of the item of 3,000 bytes: 2 x 3.
    ['TransactWriteItems', 0, 6],
    // 1 for the table and 1 for its index.
    ['PutItem', 0, 2],
  ]);
  expect(calls[0]).toMatchObject({
    service: 'dynamodb',
    principal: 'local-admin',
    resource: tableArn('Billing'),
    status: 200,
  });
  expect(calls[0]?.requestBytes).toBeGreaterThan(3_000);
});

test('it listens on 127.0.0.1 and on no other address of this machine', async () => {
  expect(await accepts('127.0.0.1', gateway.port)).toBe(true);
  for (const address of outsideAddresses()) expect(await accepts(address, gateway.port)).toBe(false);
});

test('a fault hits the calls that its rule names, before or after they took effect', async () => {
  const admin = dynamoAs(ADMIN_ACCESS_KEY_ID);
  const TableName = 'Billing';
  const put = (pk: string) => admin.send(new PutItemCommand({ TableName, Item: item(pk) }));
  const isThere = async (pk: string) =>
    (await admin.send(new GetItemCommand({ TableName, Key: item(pk) }))).Item !== undefined;
  const rule = { service: 'dynamodb', operation: 'PutItem', resource: 'table/Billing' } as const;

  const second = gateway.inject({ ...rule, nth: 2, effect: { kind: 'fail', when: 'before' } });
  await put('f1');
  await expect(put('f2')).rejects.toMatchObject({ name: 'InternalServerError', $metadata: { httpStatusCode: 500 } });
  await put('f3');
  expect([second.seen, second.hits]).toEqual([3, 1]);
  expect([await isThere('f2'), await isThere('f3')]).toEqual([false, true]);
  second.remove();

  const after = gateway.inject({ ...rule, effect: { kind: 'fail', when: 'after' } });
  await expect(put('f4')).rejects.toMatchObject({ name: 'InternalServerError' });
  expect(await isThere('f4')).toBe(true);
  after.remove();

  const lost = gateway.inject({ ...rule, effect: { kind: 'drop', when: 'after' } });
  await expect(put('f5')).rejects.toMatchObject({ code: 'ECONNRESET' });
  expect(await isThere('f5')).toBe(true);
  lost.remove();

  const throttle = gateway.inject({ ...rule, times: 2, effect: { kind: 'throttle' } });
  await expect(put('f6')).rejects.toMatchObject({ name: 'ProvisionedThroughputExceededException' });
  await expect(put('f6')).rejects.toMatchObject({ name: 'ProvisionedThroughputExceededException' });
  await put('f6');
  throttle.remove();

  const hooked: string[] = [];
  const hook = gateway.inject({
    ...rule,
    effect: { kind: 'run', when: 'after', run: () => void hooked.push('after') },
  });
  await put('f7');
  expect(hooked).toEqual(['after']);
  hook.remove();
});

test('a conflict between transactions looks to the SDK as it does on AWS', async () => {
  const admin = dynamoAs(ADMIN_ACCESS_KEY_ID);
  const fault = gateway.inject({ service: 'dynamodb', times: 2, effect: { kind: 'transaction-conflict' } });
  await expect(
    admin.send(
      new TransactWriteItemsCommand({
        TransactItems: [
          { Put: { TableName: 'Billing', Item: item('c1') } },
          { Put: { TableName: 'Billing', Item: item('c2') } },
        ],
      }),
    ),
  ).rejects.toMatchObject({
    name: 'TransactionCanceledException',
    CancellationReasons: [{ Code: 'TransactionConflict' }, { Code: 'None' }],
  });
  await expect(admin.send(new UpdateItemCommand({ TableName: 'Billing', Key: item('c1') }))).rejects.toMatchObject({
    name: 'TransactionConflictException',
  });
  fault.remove();
});
