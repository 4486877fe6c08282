import { dynamoDbAccess } from './access-dynamodb.ts';
import { ACCOUNT, bucketArn, busArn, functionArn, localArn, queueArn, scheduleArn, secretArn } from './arns.ts';
import type { ServiceName } from './backend.ts';

/**
 * Which IAM actions on which resources one call needs, per service. An operation that is not known here is denied to
 * everybody, so a new one is added here first. Does not own: the decision (authorizer.ts).
 */
export interface Access {
  /** Such as `dynamodb:PutItem`. */
  readonly action: string;
  readonly resource: string;
  /** Condition keys of this access, such as `s3:prefix`. */
  readonly context?: Readonly<Record<string, string | string[]>>;
}

export interface Call {
  readonly service: ServiceName;
  readonly operation: string;
  /** Path and query, percent-encoded. */
  readonly url: string;
  /** The parsed JSON body; empty for S3 and Lambda. */
  readonly input: Readonly<Record<string, unknown>>;
}

type Input = Call['input'];

/** The accesses of a call; null when the operation is not known. */
export function accessesOf(call: Call): Access[] | null {
  switch (call.service) {
    case 'dynamodb':
      return dynamoDbAccess(call.operation, call.input);
    case 'sqs':
      return sqsAccess(call.operation, call.input);
    case 's3':
      return s3Access(call.operation, call.url);
    case 'events':
      return eventsAccess(call.operation, call.input);
    case 'states':
      return statesAccess(call.operation, call.input);
    case 'secretsmanager':
      return secretsAccess(call.operation, call.input);
    case 'lambda':
      return lambdaAccess(call.operation, call.url);
    case 'scheduler':
      return schedulerAccess(call.operation, call.url);
  }
}

/** Batches have no action of their own in SQS. */
const SQS_ACTIONS: Readonly<Record<string, string>> = {
  SendMessageBatch: 'SendMessage',
  DeleteMessageBatch: 'DeleteMessage',
  ChangeMessageVisibilityBatch: 'ChangeMessageVisibility',
};
const SQS_OPERATIONS = new Set(
  (
    'SendMessage SendMessageBatch ReceiveMessage DeleteMessage DeleteMessageBatch ChangeMessageVisibility ' +
    'ChangeMessageVisibilityBatch GetQueueUrl GetQueueAttributes SetQueueAttributes CreateQueue DeleteQueue PurgeQueue'
  ).split(' '),
);

function sqsAccess(operation: string, input: Input): Access[] | null {
  if (operation === 'ListQueues') return [{ action: 'sqs:ListQueues', resource: '*' }];
  if (!SQS_OPERATIONS.has(operation)) return null;
  const queue = typeof input.QueueUrl === 'string' ? input.QueueUrl.split('/').pop() : input.QueueName;
  return [{ action: `sqs:${SQS_ACTIONS[operation] ?? operation}`, resource: queueArn(String(queue)) }];
}

/** Bucket and key of a path-style address, decoded; key '' for the bucket itself. */
export function s3Target(url: string): { bucket: string; key: string; query: URLSearchParams } {
  const mark = url.indexOf('?');
  const path = mark === -1 ? url : url.slice(0, mark);
  const slash = path.indexOf('/', 1);
  const bucket = decodeURIComponent(slash === -1 ? path.slice(1) : path.slice(1, slash));
  const key = slash === -1 ? '' : decodeURIComponent(path.slice(slash + 1));
  return { bucket, key, query: new URLSearchParams(mark === -1 ? '' : url.slice(mark + 1)) };
}

function s3Access(operation: string, url: string): Access[] | null {
  const { bucket, key, query } = s3Target(url);
  switch (operation) {
    case 'PutObject':
    case 'GetObject':
    case 'DeleteObject':
      return [{ action: `s3:${operation}`, resource: `${bucketArn(bucket)}/${key}` }];
    case 'HeadObject':
      return [{ action: 's3:GetObject', resource: `${bucketArn(bucket)}/${key}` }];
    case 'ListObjectsV2':
      return [
        {
          action: 's3:ListBucket',
          resource: bucketArn(bucket),
          context: { 's3:prefix': query.get('prefix') ?? '' },
        },
      ];
    case 'HeadBucket':
      return [{ action: 's3:ListBucket', resource: bucketArn(bucket) }];
    case 'CreateBucket':
      return [{ action: 's3:CreateBucket', resource: bucketArn(bucket) }];
    default:
      return null;
  }
}

function eventsAccess(operation: string, input: Input): Access[] | null {
  if (operation !== 'PutEvents') return null;
  const entries = Array.isArray(input.Entries) ? (input.Entries as Input[]) : [];
  const distinct = new Map<string, Access>();
  for (const entry of entries) {
    const bus = String(entry.EventBusName ?? 'default');
    const one: Access = {
      action: 'events:PutEvents',
      resource: bus.startsWith('arn:') ? bus : busArn(bus),
      context: { 'events:source': String(entry.Source ?? ''), 'events:detail-type': String(entry.DetailType ?? '') },
    };
    distinct.set(JSON.stringify(one), one);
  }
  return distinct.size === 0 ? [{ action: 'events:PutEvents', resource: busArn('default') }] : [...distinct.values()];
}

function statesAccess(operation: string, input: Input): Access[] | null {
  const named = (name: string): Access[] => [
    { action: `states:${operation}`, resource: localArn(String(input[name])) },
  ];
  switch (operation) {
    case 'StartExecution':
    case 'StartSyncExecution':
    case 'ListExecutions':
    case 'DescribeStateMachine':
      return named('stateMachineArn');
    case 'DescribeExecution':
    case 'StopExecution':
    case 'GetExecutionHistory':
    case 'RedriveExecution':
      return named('executionArn');
    default:
      return null;
  }
}

const SECRET_OPERATIONS = new Set([
  'GetSecretValue',
  'PutSecretValue',
  'DescribeSecret',
  'CreateSecret',
  'DeleteSecret',
]);

function secretsAccess(operation: string, input: Input): Access[] | null {
  if (!SECRET_OPERATIONS.has(operation)) return null;
  const id = String(input.SecretId ?? input.Name);
  return [{ action: `secretsmanager:${operation}`, resource: wholeSecretArn(id) }];
}

/** Policies name a secret by its whole ARN, callers by name, whole ARN, or ARN without the six characters that AWS adds. */
function wholeSecretArn(id: string): string {
  const name = id.replace(/^arn:[^/]*:secret:/, '');
  return secretArn(name.slice(0, -7)) === id ? id : secretArn(name);
}

function lambdaAccess(operation: string, url: string): Access[] | null {
  if (operation !== 'Invoke') return null;
  const name = decodeURIComponent(/^\/2015-03-31\/functions\/([^/?]+)/.exec(url)?.[1] ?? '');
  const qualifier = new URLSearchParams(url.split('?')[1]).get('Qualifier');
  const arn = name.startsWith('arn:') ? name : functionArn(name.replace(`${ACCOUNT}:function:`, ''));
  return [{ action: 'lambda:InvokeFunction', resource: qualifier === null ? arn : `${arn}:${qualifier}` }];
}

function schedulerAccess(operation: string, url: string): Access[] | null {
  if (operation !== 'GetSchedule') return null;
  return [{ action: 'scheduler:GetSchedule', resource: scheduleArn(url.split('?')[0]?.split('/').pop() ?? '') }];
}
