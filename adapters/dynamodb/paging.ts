import { createHash } from 'node:crypto';
import { type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { invalid } from '../../core/errors.ts';
import type { Item } from './attributes.ts';

/** One partition of the table or of an index, in the order of its sort key. */
export interface Partition {
  readonly table: string;
  readonly index?: 'by_project' | 'by_customer';
  readonly value: string;
  /** Only sort keys that begin with this. */
  readonly prefix?: string;
  readonly newestFirst?: boolean;
}

const KEY_NAMES = {
  table: ['pk', 'sk'],
  by_project: ['p1', 's1'],
  by_customer: ['p2', 's2'],
} as const;

/**
 * One page of a partition, in one call. The cursor is the last key read, bound to its partition by a digest: one from another
 * list or project is refused with `cursor_invalid`, and could not lead out of the partition if it were not.
 */
export async function queryPage(
  client: DynamoDBClient,
  partition: Partition,
  page: { readonly limit: number; readonly cursor?: string | undefined },
): Promise<{ items: readonly Item[]; cursor: string | null }> {
  const answer = await client.send(
    new QueryCommand({ ...queryOf(partition), Limit: page.limit, ...startOf(partition, page) }),
  );
  const last = answer.LastEvaluatedKey;
  return { items: answer.Items ?? [], cursor: last ? cursorOf(partition, last) : null };
}

function queryOf(partition: Partition) {
  const [hash, range] = KEY_NAMES[partition.index ?? 'table'];
  const { prefix } = partition;
  return {
    TableName: partition.table,
    ...(partition.index && { IndexName: partition.index }),
    KeyConditionExpression: prefix === undefined ? '#h = :h' : '#h = :h AND begins_with(#r, :r)',
    ExpressionAttributeNames: { '#h': hash, ...(prefix !== undefined && { '#r': range }) },
    ExpressionAttributeValues: { ':h': { S: partition.value }, ...(prefix !== undefined && { ':r': { S: prefix } }) },
    ScanIndexForward: !partition.newestFirst,
  };
}

/** What the cursor is good for: this list of this project, nothing else. */
function digestOf(partition: Partition): string {
  const name = [partition.index ?? '', partition.value, partition.prefix ?? ''].join('\n');
  return createHash('sha256').update(name).digest('base64url').slice(0, 12);
}

function cursorOf(partition: Partition, last: Item): string {
  const key = Object.fromEntries(Object.entries(last).map(([name, value]) => [name, value.S ?? '']));
  return Buffer.from(JSON.stringify({ l: digestOf(partition), k: key })).toString('base64url');
}

function startOf(partition: Partition, page: { readonly cursor?: string | undefined }): { ExclusiveStartKey?: Item } {
  if (page.cursor === undefined) return {};
  const names = partition.index ? [...KEY_NAMES.table, ...KEY_NAMES[partition.index]] : KEY_NAMES.table;
  const key = readCursor(page.cursor, digestOf(partition));
  const values = names.map((name) => [name, key?.[name]] as const);
  if (values.some(([, value]) => typeof value !== 'string')) {
    throw invalid(
      'cursor_invalid',
      'Got a cursor of another list; expected the cursor of the previous page of this one.',
      [
        {
          field: 'cursor',
          code: 'cursor_invalid',
          detail: 'Not a cursor of this list.',
          got: page.cursor.slice(0, 64),
        },
      ],
    );
  }
  return { ExclusiveStartKey: Object.fromEntries(values.map(([name, value]) => [name, { S: String(value) }])) };
}

function readCursor(text: string, digest: string): Record<string, unknown> | undefined {
  try {
    const cursor: { l?: unknown; k?: Record<string, unknown> } = JSON.parse(Buffer.from(text, 'base64url').toString());
    return cursor?.l === digest ? cursor.k : undefined;
  } catch {
    return undefined;
  }
}
