import type { Access } from './access.ts';
import { indexArn, localArn, REGION, tableArn } from './arns.ts';

/**
 * Which IAM actions on which tables one DynamoDB call needs, as AWS checks them: transactions need the item actions of
 * their parts (there is no action of their own name), batches have an action of their own on each table, a query on an
 * index needs the index. Does not own: the decision (authorizer.ts).
 */
type Input = Readonly<Record<string, unknown>>;

const ON_TABLE = new Set([
  'GetItem',
  'PutItem',
  'UpdateItem',
  'DeleteItem',
  'DescribeTable',
  'DescribeTimeToLive',
  'DescribeContinuousBackups',
  'CreateTable',
  'UpdateTable',
  'DeleteTable',
  'UpdateTimeToLive',
]);
const TRANSACTION_PARTS: Readonly<Record<string, string>> = {
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
  ConditionCheck: 'ConditionCheckItem',
  Get: 'GetItem',
};

/** The accesses of a call, without repetition; null when the operation is not known. */
export function dynamoDbAccess(operation: string, input: Input): Access[] | null {
  if (ON_TABLE.has(operation)) return [access(operation, tableOf(input))];
  switch (operation) {
    case 'Query':
    case 'Scan':
      return [access(operation, tableOf(input), typeof input.IndexName === 'string' ? input.IndexName : undefined)];
    case 'BatchGetItem':
    case 'BatchWriteItem':
      return Object.keys((input.RequestItems ?? {}) as Input).map((table) => access(operation, bareTable(table)));
    case 'TransactWriteItems':
    case 'TransactGetItems':
      return transactionAccess(input);
    case 'ListTables':
      return [{ action: 'dynamodb:ListTables', resource: '*' }];
    case 'DescribeStream':
    case 'GetShardIterator':
      return [{ action: `dynamodb:${operation}`, resource: localArn(String(input.StreamArn)) }];
    case 'GetRecords':
      return [{ action: 'dynamodb:GetRecords', resource: streamOfIterator(String(input.ShardIterator)) }];
    case 'ListStreams':
      return [{ action: 'dynamodb:ListStreams', resource: '*' }];
    default:
      return null;
  }
}

/** The parts of a transaction as [kind, part] pairs, such as `['Put', {TableName, Item}]`. */
export function transactionParts(input: Input): [string, Input][] {
  const items = Array.isArray(input.TransactItems) ? (input.TransactItems as Input[]) : [];
  return items.flatMap((item) => Object.entries(item) as [string, Input][]);
}

function transactionAccess(input: Input): Access[] | null {
  const distinct = new Map<string, Access>();
  for (const [kind, part] of transactionParts(input)) {
    const operation = TRANSACTION_PARTS[kind];
    if (operation === undefined) return null;
    const one = access(operation, tableOf(part));
    distinct.set(`${one.action} ${one.resource}`, one);
  }
  return [...distinct.values()];
}

function access(operation: string, table: string, index?: string): Access {
  return {
    action: `dynamodb:${operation}`,
    resource: index === undefined ? tableArn(table) : indexArn(table, index),
  };
}

function tableOf(input: Input): string {
  return bareTable(String(input.TableName));
}

/** Callers may name a table by its ARN. */
function bareTable(table: string): string {
  return /^arn:[^/]*table\/([^/]+)/.exec(table)?.[1] ?? table;
}

/** An iterator of DynamoDB Local carries its stream's ARN; one that does not is no stream of ours. */
function streamOfIterator(iterator: string): string {
  const stream = /arn:aws:dynamodb:[^:]*:\d+:table\/[^/|]+\/stream\/[^|]+/.exec(iterator)?.[0];
  return stream === undefined ? `arn:aws:dynamodb:${REGION}::unknown-stream` : localArn(stream);
}
