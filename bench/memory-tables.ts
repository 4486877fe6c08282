import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  TransactionCanceledException,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { itemBytes } from '../local/gateway/capacity.ts';
import { MemoryDynamoDb } from '../test/support/memory-dynamodb.ts';
import type { WireAnswer, WireCall } from './in-process-endpoint.ts';

/**
 * DynamoDB's wire protocol over the fake database, with the consumed capacity that DynamoDB would report: whole KB of the
 * larger of the old and the new item for a write, 4 KB steps of everything read together for a read, at least one.
 */
export const TABLES = { log: 'UsageLog', claims: 'UsageClaims', views: 'UsageViews', billing: 'Billing' } as const;

type WireItem = Record<string, Record<string, unknown>>;
type Item = Record<string, AttributeValue>;

export class MemoryTables {
  readonly database = new MemoryDynamoDb({
    [TABLES.log]: { keys: ['pk', 'sk'] },
    [TABLES.claims]: { keys: ['pk'] },
    [TABLES.views]: { keys: ['pk', 'sk'] },
    [TABLES.billing]: { keys: ['pk', 'sk'] },
  });
  readonly #client = this.database.client();
  /** Bytes of each item by table and key, as DynamoDB counts them. */
  readonly #sizes = new Map<string, number>();

  /** Bytes stored in a table: attributes, and the 100 bytes that DynamoDB charges beside each item. */
  storedBytes(table: string): number {
    let bytes = 0;
    for (const [name, size] of this.#sizes) if (name.startsWith(`${table}\0`)) bytes += size + 100;
    return bytes;
  }

  async answer({ operation, body }: WireCall): Promise<WireAnswer> {
    const input = JSON.parse(body) as Record<string, unknown>;
    try {
      const output = await this.#run(operation, input);
      return { status: 200, body: JSON.stringify(output) };
    } catch (error) {
      return { status: 400, body: JSON.stringify(refusalOf(error)) };
    }
  }

  async #run(operation: string, input: Record<string, unknown>): Promise<object> {
    const decoded = bytesDecoded(input);
    if (operation === 'GetItem') {
      const { Item: found } = await this.#client.send(new GetItemCommand(decoded as never));
      const item = found === undefined ? undefined : wireOf(found);
      const units = readUnits(item === undefined ? 0 : itemBytes(item), input.ConsistentRead === true);
      return { ...(item === undefined ? {} : { Item: item }), ConsumedCapacity: reported(input, units) };
    }
    if (operation === 'Query') {
      const page = await this.#client.send(new QueryCommand(decoded as never));
      const items = (page.Items ?? []).map(wireOf);
      const bytes = items.reduce((sum, item) => sum + itemBytes(item), 0);
      const last = page.LastEvaluatedKey === undefined ? {} : { LastEvaluatedKey: wireOf(page.LastEvaluatedKey) };
      return { Items: items, ...last, ConsumedCapacity: reported(input, readUnits(bytes, true)) };
    }
    if (operation === 'PutItem') {
      await this.#client.send(new PutItemCommand(decoded as never));
      return { ConsumedCapacity: reported(input, this.#written(input)) };
    }
    if (operation === 'UpdateItem') {
      await this.#client.send(new UpdateItemCommand(decoded as never));
      return { ConsumedCapacity: reported(input, 1) };
    }
    if (operation === 'DeleteItem') {
      await this.#client.send(new DeleteItemCommand(decoded as never));
      return { ConsumedCapacity: reported(input, 1) };
    }
    if (operation === 'TransactWriteItems') {
      await this.#client.send(new TransactWriteItemsCommand(decoded as never));
      for (const { Put } of (input.TransactItems ?? []) as { Put: Record<string, unknown> }[]) this.#written(Put);
      return { ConsumedCapacity: [] };
    }
    throw new Error(`The bench's tables do not know ${operation}.`);
  }

  #written(input: Record<string, unknown>): number {
    const item = input.Item as WireItem;
    const name = `${String(input.TableName)}\0${String(item.pk?.S)}\0${String(item.sk?.S ?? item.sk?.N)}`;
    const before = this.#sizes.get(name) ?? 0;
    const size = itemBytes(item);
    this.#sizes.set(name, size);
    return Math.ceil(Math.max(before, size, 1) / 1024);
  }
}

/** Read units of bytes read together: 4 KB each when strongly consistent, half of that when not. */
export function readUnits(bytes: number, isStrong: boolean): number {
  const units = Math.max(1, Math.ceil(bytes / 4096));
  return isStrong ? units : units / 2;
}

function reported(input: Record<string, unknown>, units: number) {
  return { TableName: input.TableName, CapacityUnits: units };
}

function refusalOf(error: unknown): object {
  if (error instanceof ConditionalCheckFailedException) {
    const item = error.Item === undefined ? {} : { Item: wireOf(error.Item) };
    return {
      __type: 'com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException',
      message: error.message,
      ...item,
    };
  }
  if (error instanceof TransactionCanceledException) {
    const { message, CancellationReasons } = error;
    return { __type: 'com.amazonaws.dynamodb.v20120810#TransactionCanceledException', message, CancellationReasons };
  }
  throw error;
}

/** Bytes travel as base64: both ways between what is on the wire and what the SDK's commands hold. */
function bytesDecoded(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(bytesDecoded);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [first] = entries;
  if (entries.length === 1 && first?.[0] === 'B' && typeof first[1] === 'string') {
    return { B: Buffer.from(first[1], 'base64') };
  }
  return Object.fromEntries(entries.map(([name, entry]) => [name, bytesDecoded(entry)]));
}

export function wireOf(item: Item): WireItem {
  return Object.fromEntries(
    Object.entries(item).map(([name, value]) => [
      name,
      value.B === undefined
        ? (value as unknown as Record<string, unknown>)
        : { B: Buffer.from(value.B).toString('base64') },
    ]),
  );
}
