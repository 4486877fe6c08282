import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { ENV, type FunctionName } from '../../lambdas/shared/env.ts';
import { functionNameOf, ofType, ROOT, referred, type Synthesized, synthesize } from './synthesized.ts';

/**
 * A grant is needed when the function's bundle holds an SDK operation that uses it (esbuild drops the operations that nothing
 * calls). The other direction, a call without its grant, is found by the local stack, which refuses it. An action that is
 * not listed is used by the operation of its own name.
 */
const OPERATIONS_OF_ACTION: Readonly<Record<string, readonly string[]>> = {
  'dynamodb:GetItem': ['GetItem', 'TransactGetItems'],
  'dynamodb:PutItem': ['PutItem', 'TransactWriteItems'],
  'dynamodb:UpdateItem': ['UpdateItem', 'TransactWriteItems'],
  'dynamodb:DeleteItem': ['DeleteItem', 'TransactWriteItems'],
  'dynamodb:ConditionCheckItem': ['TransactWriteItems'],
  's3:GetObject': ['GetObject', 'HeadObject'],
  'sqs:SendMessage': ['SendMessage', 'SendMessageBatch'],
  // Without it S3 answers 403 instead of 404 for an object that is not there.
  's3:ListBucket': ['GetObject'],
};
/** How an SDK operation looks in a minified bundle: `class extends make(endpoint,middleware,"PutItem",schema)`. */
const OPERATION = /extends [\w$]+\([\w$]+,[\w$]+,"(\w+)",[\w$]+\)/g;

/** Used by the Lambda service in the function's name: its logs, the queue or stream it reads, where failures go. */
const USED_BY_LAMBDA = [
  'logs:CreateLogStream',
  'logs:PutLogEvents',
  'sqs:ReceiveMessage',
  'sqs:DeleteMessage',
  'sqs:GetQueueAttributes',
  'dynamodb:DescribeStream',
  'dynamodb:GetRecords',
  'dynamodb:GetShardIterator',
  'dynamodb:ListStreams',
];

let made: Synthesized;
beforeAll(() => {
  made = synthesize('dev');
});

describe('every granted action is one that the function can call', () => {
  test.each(Object.keys(ENV) as FunctionName[])('%s', (name) => {
    const bundle = readFileSync(join(ROOT, 'cdk.out/bundles', name, 'index.mjs'), 'utf8');
    const granted = actionsOf(name).filter((action) => !USED_BY_LAMBDA.includes(action));
    const called = new Set([...bundle.matchAll(OPERATION)].map((match) => match[1]));
    const needless = granted.filter((action) => {
      const operations = OPERATIONS_OF_ACTION[action] ?? [action.replace(/^.*:/, '')];
      return !operations.some((operation) => called.has(operation));
    });
    expect(needless).toEqual([]);
  });
});

function actionsOf(name: FunctionName): string[] {
  const [, lambda] = ofType(made.service, 'AWS::Lambda::Function').find(([id]) => functionNameOf(id) === name) ?? [];
  const role = referred(lambda?.Properties.Role);
  const failures = new Set(destinations());
  return ofType(made.service, 'AWS::IAM::Policy')
    .filter(([, policy]) => (policy.Properties.Roles as unknown[]).some((attached) => referred(attached) === role))
    .flatMap(([, policy]) => (policy.Properties.PolicyDocument as { Statement: Granted[] }).Statement)
    .filter(({ Resource }) => !failures.has(referred(Resource)))
    .flatMap(({ Action }) => Action);
}

interface Granted {
  readonly Action: string | string[];
  readonly Resource: unknown;
}

/** Where Lambda itself sends the position of a failed batch, with the function's permission. */
function destinations(): (string | undefined)[] {
  return ofType(made.service, 'AWS::Lambda::EventSourceMapping').flatMap(([, { Properties }]) => {
    const config = Properties.DestinationConfig as { OnFailure: { Destination: unknown } } | undefined;
    return config === undefined ? [] : [referred(config.OnFailure.Destination)];
  });
}
