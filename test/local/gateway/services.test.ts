import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  busArn,
  executionArn,
  functionArn,
  logStreamArn,
  queueArn,
  queueUrl,
  roleArn,
  stateMachineArn,
} from '../../../local/gateway/arns.ts';
import { jsonBackend, ServiceError, type ServiceRequest } from '../../../local/gateway/backend.ts';
import { forwardTo } from '../../../local/gateway/forward.ts';
import { ADMIN_ACCESS_KEY_ID, type Gateway, startGateway } from '../../../local/gateway/gateway.ts';
import { policiesByResource } from '../../../local/gateway/policies.ts';

const MACHINE = stateMachineArn('monthly-billing');
const invoked: ServiceRequest[] = [];
let gateway: Gateway;
const settings = (accessKeyId: string) => ({
  endpoint: gateway.url,
  region: 'us-east-1',
  maxAttempts: 1,
  credentials: { accessKeyId, secretAccessKey: 'local' },
});
const allowing = (name: string, Action: string, Resource: string) => ({
  name,
  arn: roleArn(name),
  identityPolicies: [{ Statement: [{ Effect: 'Allow', Action, Resource }] }],
});

beforeAll(async () => {
  gateway = await startGateway({
    principals: new Map([
      ['API', allowing('api', 'states:StartExecution', MACHINE)],
      ['MACHINE', allowing('machine', 'lambda:InvokeFunction', functionArn('settle-usage'))],
      ['SENDER', allowing('sender', 'sqs:SendMessage', '*')],
    ]),
    resourcePolicies: policiesByResource(
      [
        {
          resourceArn: queueArn('closed'),
          policy: { Statement: { Effect: 'Deny', Principal: '*', Action: 'sqs:*', Resource: queueArn('closed') } },
        },
      ],
      [
        {
          functionArn: functionArn('api'),
          principal: 'apigateway.amazonaws.com',
          action: 'lambda:InvokeFunction',
          sourceArn: 'arn:aws:execute-api:us-east-1:000000000000:abc123/*/*/v1/{proxy+}',
          sourceAccount: undefined,
        },
      ],
    ),
    backends: {
      states: jsonBackend({
        StartExecution: (input) => {
          if (input.name === 'taken')
            throw new ServiceError('ExecutionAlreadyExists', 'Execution Already Exists: taken');
          return { executionArn: executionArn('monthly-billing', String(input.name)), startDate: 1_795_230_000.5 };
        },
      }),
      lambda: async (request) => {
        invoked.push(request);
        return { status: 200, headers: { 'content-type': 'application/json' }, body: '{"done":true}' };
      },
    },
  });
});
afterAll(() => gateway.close());

test('an execution is started under its machine, and a failure of the part is the exception of the SDK', async () => {
  const client = new SFNClient(settings('API'));
  const started = await client.send(new StartExecutionCommand({ stateMachineArn: MACHINE, name: 'r1', input: '{}' }));
  expect(started).toMatchObject({
    executionArn: 'arn:aws:states:us-east-1:000000000000:execution:monthly-billing:r1',
    startDate: new Date('2026-11-21T03:00:00.500Z'),
  });
  await expect(
    client.send(new StartExecutionCommand({ stateMachineArn: MACHINE, name: 'taken' })),
  ).rejects.toMatchObject({ name: 'ExecutionAlreadyExists', message: 'Execution Already Exists: taken' });
  await expect(
    client.send(new DescribeExecutionCommand({ executionArn: executionArn('monthly-billing', 'r1') })),
  ).rejects.toMatchObject({ name: 'AccessDeniedException' });
});

test('a function is invoked by name or ARN with the rights of the caller', async () => {
  const invoke = (name: string) =>
    fetch(`${gateway.url}/2015-03-31/functions/${encodeURIComponent(name)}/invocations`, {
      method: 'POST',
      headers: {
        authorization:
          'AWS4-HMAC-SHA256 Credential=MACHINE/20261121/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0',
      },
      body: '{"project":"p"}',
    });
  const answers = [await invoke('settle-usage'), await invoke(functionArn('settle-usage'))];
  expect(await Promise.all(answers.map((answer) => answer.json()))).toEqual([{ done: true }, { done: true }]);
  expect(invoked[0]).toMatchObject({ operation: 'Invoke', caller: { name: 'machine' } });
  const refused = await invoke('issue-invoices');
  expect([refused.status, refused.headers.get('x-amzn-errortype')]).toEqual([403, 'AccessDeniedException']);
  expect(invoked).toHaveLength(2);
});

test('a function may write to its own log, and to no other', async () => {
  const group = 'arn:aws:logs:us-east-1:000000000000:log-group:fold-usage:*';
  gateway.addPrincipal('FOLD', allowing('fold', 'logs:PutLogEvents', group));
  const write = (name: string) =>
    gateway
      .authorize('FOLD', { action: 'logs:PutLogEvents', resource: logStreamArn(name) })
      .then(({ allowed }) => allowed);
  expect(await write('fold-usage')).toBe(true);
  expect(await write('append-usage')).toBe(false);
});

test('a resource policy that denies is stronger than the grant of the caller', async () => {
  const send = new SendMessageCommand({ QueueUrl: queueUrl(gateway.url, 'closed'), MessageBody: 'x' });
  await expect(new SQSClient(settings('SENDER')).send(send)).rejects.toMatchObject({
    name: 'AccessDeniedException',
    message: expect.stringContaining('with an explicit deny in a resource-based policy'),
  });
});

test('a service invokes a function only where a permission names it and its source', async () => {
  const invoke = (service: string, name: string, source: string) =>
    gateway
      .authorizeService(service, {
        action: 'lambda:InvokeFunction',
        resource: functionArn(name),
        context: { 'aws:SourceArn': source },
      })
      .then(({ allowed }) => allowed);
  const route = 'arn:aws:execute-api:us-east-1:000000000000:abc123/$default/GET/v1/{proxy+}';
  expect(await invoke('apigateway.amazonaws.com', 'api', route)).toBe(true);
  expect(await invoke('apigateway.amazonaws.com', 'other', route)).toBe(false);
  expect(await invoke('events.amazonaws.com', 'api', route)).toBe(false);
  expect(await invoke('apigateway.amazonaws.com', 'api', route.replace('abc123', 'other9'))).toBe(false);
  expect(await invoke('apigateway.amazonaws.com', 'api', busArn('company'))).toBe(false);
});

test('a service that the stack does not run, and an operation that its part does not have, are errors that say so', async () => {
  gateway.addPrincipal('ALL', allowing('all', '*', '*'));
  await expect(
    new SQSClient(settings('ALL')).send(
      new SendMessageCommand({ QueueUrl: queueUrl(gateway.url, 'open'), MessageBody: 'x' }),
    ),
  ).rejects.toThrow('The local stack runs no sqs.');
  await expect(
    new SFNClient(settings(ADMIN_ACCESS_KEY_ID)).send(
      new DescribeExecutionCommand({ executionArn: 'arn:aws:states:x' }),
    ),
  ).rejects.toThrow('The local part does not have DescribeExecution.');
});

test('a part that died is a server error, never an answer', async () => {
  const dead = forwardTo('http://127.0.0.1:9');
  gateway.setBackend('sqs', dead.handle);
  await expect(
    new SQSClient(settings(ADMIN_ACCESS_KEY_ID)).send(
      new SendMessageCommand({ QueueUrl: queueUrl(gateway.url, 'open'), MessageBody: 'x' }),
    ),
  ).rejects.toMatchObject({ $metadata: { httpStatusCode: 500 } });
  dead.close();
});

test('a hook can kill a caller in the middle of its call, after the call took effect', async () => {
  const caller = fork(
    join(import.meta.dirname, '../../support/looping-caller.ts'),
    [gateway.url, ADMIN_ACCESS_KEY_ID, MACHINE],
    {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    },
  );
  const fault = gateway.inject({
    service: 'states',
    operation: 'StartExecution',
    principal: 'local-admin',
    nth: 3,
    effect: { kind: 'run', when: 'after', run: () => void caller.kill('SIGKILL') },
  });
  const [, signal] = await once(caller, 'exit');
  expect([signal, fault.hits]).toEqual(['SIGKILL', 1]);
  fault.remove();
});
