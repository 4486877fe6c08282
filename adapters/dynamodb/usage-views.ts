import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  TransactionCanceledException,
  TransactionConflictException,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import type { ProjectId } from '../../core/ids.ts';
import type { LogPartition } from '../../core/usage/log-partition.ts';
import type { FoldCursor, StoredView, UsageViews, ViewKey } from '../../core/usage/ports.ts';
import { decodeView, EMPTY_VIEW, encodeView } from '../../core/usage/usage-view.ts';
import { bytesAt, type Item, numberAt, textAt } from './attributes.ts';
import { type Key, usageViewsKeys } from './keys.ts';
import { queryAll } from './query-all.ts';

/** The views of the log, the cursors behind them, and the marks that folding leaves. Every write of a view checks its version. */
const NO_CURSOR: FoldCursor = { sequence: 0, total: 0, foldedAtMillis: 0, days: 0 };

export function usageViews(client: DynamoDBClient, table: string): UsageViews {
  const store: Store = { client, table };
  return {
    readCursor: (place) => readCursor(store, place),
    advanceCursor: (place, cursor) => advanceCursor(store, place, cursor),
    readView: (key) => readView(store, key),
    readViews: (project, customer, fromDay, toDay) =>
      readViews(store, {
        project,
        customer,
        from: usageViewsKeys.viewDayFrom(fromDay),
        to: usageViewsKeys.viewDayTo(toDay),
      }),
    firstDay: (project, customer) => firstDay(store, usageViewsKeys.viewsOf(project, customer)),
    writeView: (stored) => writeView(store, stored),
    splitView: (parent, parts) => splitView(store, [parent, ...parts]),
    markSeen: (project, customer) => putMark(store, usageViewsKeys.seen(project, customer), {}),
    markLate: (project, customer, day) =>
      putMark(store, usageViewsKeys.late(project, customer, day), { day: { S: day } }),
  };
}

interface Store {
  readonly client: DynamoDBClient;
  readonly table: string;
}

async function getItem({ client, table }: Store, { pk, sk }: Key): Promise<Item | undefined> {
  const command = new GetItemCommand({ TableName: table, Key: { pk: { S: pk }, sk: { S: sk } }, ConsistentRead: true });
  return (await client.send(command)).Item;
}

async function readCursor(store: Store, { project, partition }: LogPartition): Promise<FoldCursor> {
  const item = await getItem(store, usageViewsKeys.foldCursor(project, partition));
  if (item === undefined) return NO_CURSOR;
  return {
    sequence: numberAt(item, 'q'),
    total: numberAt(item, 't'),
    foldedAtMillis: numberAt(item, 'a'),
    days: numberAt(item, 'n'),
  };
}

async function advanceCursor(store: Store, { project, partition }: LogPartition, cursor: FoldCursor): Promise<void> {
  const { pk, sk } = usageViewsKeys.foldCursor(project, partition);
  const item: Item = {
    pk: { S: pk },
    sk: { S: sk },
    q: { N: String(cursor.sequence) },
    t: { N: String(cursor.total) },
    a: { N: String(cursor.foldedAtMillis) },
    n: { N: String(cursor.days) },
  };
  try {
    await store.client.send(
      new PutItemCommand({
        TableName: store.table,
        Item: item,
        ConditionExpression: 'attribute_not_exists(pk) OR q < :q',
        ExpressionAttributeValues: { ':q': { N: String(cursor.sequence) } },
      }),
    );
  } catch (error) {
    // Another folder is already there or beyond: what this one wanted to say is said.
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
  }
}

async function readView(store: Store, key: ViewKey): Promise<StoredView> {
  const item = await getItem(store, usageViewsKeys.view(key.project, key.customer, key.day, key.part));
  return item === undefined ? { key, version: 0, view: EMPTY_VIEW } : viewFromItem(key.project, key.customer, item);
}

async function readViews(
  store: Store,
  span: { project: ProjectId; customer: string; from: string; to: string },
): Promise<StoredView[]> {
  const items = await queryAll(store.client, {
    TableName: store.table,
    KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
    ExpressionAttributeValues: {
      ':pk': { S: usageViewsKeys.viewsOf(span.project, span.customer) },
      ':from': { S: span.from },
      ':to': { S: span.to },
    },
    ConsistentRead: true,
  });
  return items.map((item) => viewFromItem(span.project, span.customer, item));
}

async function firstDay({ client, table }: Store, pk: string): Promise<string | undefined> {
  const { Items: [first] = [] } = await client.send(
    new QueryCommand({
      TableName: table,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :day)',
      ExpressionAttributeValues: { ':pk': { S: pk }, ':day': { S: usageViewsKeys.viewDayPrefix } },
      Limit: 1,
      ConsistentRead: true,
    }),
  );
  return first === undefined ? undefined : textAt(first, 'day');
}

async function writeView({ client, table }: Store, stored: StoredView): Promise<'stored' | 'refused'> {
  try {
    await client.send(new PutItemCommand({ TableName: table, ...guardedPut(stored) }));
    return 'stored';
  } catch (error) {
    // Not written in either case: another version is there, or another transaction is at it.
    if (error instanceof ConditionalCheckFailedException || error instanceof TransactionConflictException)
      return 'refused';
    throw error;
  }
}

async function splitView({ client, table }: Store, views: readonly StoredView[]): Promise<'stored' | 'refused'> {
  try {
    await client.send(
      new TransactWriteItemsCommand({
        TransactItems: views.map((stored) => ({ Put: { TableName: table, ...guardedPut(stored) } })),
      }),
    );
    return 'stored';
  } catch (error) {
    if (error instanceof TransactionCanceledException) return 'refused';
    throw error;
  }
}

async function putMark({ client, table }: Store, { pk, sk }: Key, more: Item): Promise<void> {
  await client.send(new PutItemCommand({ TableName: table, Item: { pk: { S: pk }, sk: { S: sk }, ...more } }));
}

function guardedPut({ key, version, view }: StoredView): {
  Item: Item;
  ConditionExpression: string;
  ExpressionAttributeValues?: Record<string, AttributeValue>;
} {
  const { pk, sk } = usageViewsKeys.view(key.project, key.customer, key.day, key.part);
  const item: Item = {
    pk: { S: pk },
    sk: { S: sk },
    day: { S: key.day },
    part: { S: key.part },
    v: { N: String(version + 1) },
    e: { B: encodeView(view) },
  };
  if (version === 0) return { Item: item, ConditionExpression: 'attribute_not_exists(pk)' };
  return { Item: item, ConditionExpression: 'v = :v', ExpressionAttributeValues: { ':v': { N: String(version) } } };
}

function viewFromItem(project: ProjectId, customer: string, item: Item): StoredView {
  return {
    key: { project, customer, day: textAt(item, 'day'), part: textAt(item, 'part') },
    version: numberAt(item, 'v'),
    view: decodeView(bytesAt(item, 'e')),
  };
}
