import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  TransactionCanceledException,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { compareValues, holds, type Item } from './dynamodb-expression.ts';
import { updated } from './dynamodb-update.ts';

/**
 * The one fake database: DynamoDB's semantics in memory at the SDK client's `send`, for fault schedules by the thousand. It
 * passes the same contract tests as DynamoDB Local, refuses what it does not know, and lets a fault plan lose calls before
 * they take effect, lose answers after, and let the client's own retry run into its first try.
 */
export interface MemoryTable {
  /** Key attributes: partition key, and sort key if there is one. */
  readonly keys: readonly [string] | readonly [string, string];
}

/** What happens to one call. `repeat`: the answer is lost after the effect and the SDK sends the call again. */
export type Fault = 'none' | 'lost_before' | 'lost_after' | 'repeat';
export interface Call {
  readonly operation: 'get' | 'put' | 'update' | 'delete' | 'query' | 'transact';
  readonly table: string;
}
/** The items of a table by key, and by partition, so that a query looks at one partition and not at a million items. */
class TableItems extends Map<string, Item> {
  readonly #partitions = new Map<string, Map<string, Item>>();

  override set(key: string, item: Item): this {
    const name = partitionOf(key);
    const partition = this.#partitions.get(name) ?? new Map<string, Item>();
    partition.set(key, item);
    this.#partitions.set(name, partition);
    return super.set(key, item);
  }

  override delete(key: string): boolean {
    this.#partitions.get(partitionOf(key))?.delete(key);
    return super.delete(key);
  }

  /** Those of one partition; all of them when it is not known which. */
  inPartition(name: string | undefined): Iterable<Item> {
    return name === undefined ? this.values() : (this.#partitions.get(name)?.values() ?? []);
  }
}

function partitionOf(key: string): string {
  return key.split('\u0000', 1)[0] ?? '';
}

/** The partition that a key condition names; the condition itself is still asked of every item there. */
function partitionAsked(input: QueryCommand['input'], partitionKey: string): string | undefined {
  for (const [, name = '', value = ''] of (input.KeyConditionExpression ?? '').matchAll(/(#?\w+)\s*=\s*(:\w+)/g)) {
    if ((input.ExpressionAttributeNames?.[name] ?? name) === partitionKey)
      return input.ExpressionAttributeValues?.[value]?.S;
  }
  return undefined;
}

/** Asked before each call takes effect; it may wait, and so decides the order of concurrent calls. */
export type FaultPlan = (call: Call) => Fault | Promise<Fault>;

export class LostCall extends Error {
  override readonly name = 'TimeoutError';
}

interface Write {
  TableName?: string | undefined;
  ConditionExpression?: string | undefined;
  ExpressionAttributeNames?: Record<string, string> | undefined;
  ExpressionAttributeValues?: Item | undefined;
  ReturnValuesOnConditionCheckFailure?: string | undefined;
}

const MAX_ITEM_BYTES = 400 * 1024;
const PAGE_BYTES = 1024 * 1024;

export function itemBytes(item: Item): number {
  let bytes = 0;
  for (const [name, value] of Object.entries(item)) {
    bytes +=
      name.length +
      (value.S === undefined ? 0 : Buffer.byteLength(value.S)) +
      (value.B?.length ?? 0) +
      (value.N?.length ?? 0) +
      1;
  }
  return bytes;
}

export class MemoryDynamoDb {
  readonly #tables = new Map<string, { spec: MemoryTable; items: TableItems }>();
  /** Told of every item as it is put. */
  onPut: (table: string, item: Item) => void = () => {};

  constructor(tables: Readonly<Record<string, MemoryTable>>) {
    for (const [name, spec] of Object.entries(tables)) this.#tables.set(name, { spec, items: new TableItems() });
  }

  /** A client as adapters take it; each actor of a schedule has its own, with its own misfortune. */
  client(faults: FaultPlan = () => 'none'): DynamoDBClient {
    const send = async (command: unknown) => this.#send(command, faults);
    return { send } as unknown as DynamoDBClient;
  }

  /** What time to live does: deletes items whose `ttl` has passed. */
  expire(nowSeconds: number): void {
    for (const { items } of this.#tables.values()) {
      for (const [key, item] of items)
        if (item.ttl?.N !== undefined && Number(item.ttl.N) < nowSeconds) items.delete(key);
    }
  }

  items(table: string): Item[] {
    return [...this.#table(table).items.values()];
  }

  async #send(command: unknown, faults: FaultPlan): Promise<unknown> {
    const { operation, table, run } = this.#plan(command);
    const fault = await faults({ operation, table });
    if (fault === 'none') return run();
    if (fault === 'lost_before') throw new LostCall(`${operation} on ${table} was lost`);
    if (fault === 'lost_after') {
      try {
        run();
      } catch {
        // A refusal is an answer like any other, and this answer is lost.
      }
      throw new LostCall(`the answer to ${operation} on ${table} was lost`);
    }
    run();
    return run();
  }

  #plan(command: unknown): Call & { run: () => unknown } {
    if (command instanceof PutItemCommand) {
      const { input } = command;
      return { operation: 'put', table: input.TableName ?? '', run: () => this.#put(input, input.Item ?? {}) };
    }
    if (command instanceof GetItemCommand) {
      const { input } = command;
      return { operation: 'get', table: input.TableName ?? '', run: () => this.#get(input.TableName, input.Key ?? {}) };
    }
    if (command instanceof DeleteItemCommand) {
      const { input } = command;
      return {
        operation: 'delete',
        table: input.TableName ?? '',
        run: () => this.#delete(input.TableName, input.Key ?? {}),
      };
    }
    if (command instanceof UpdateItemCommand) {
      const { input } = command;
      return { operation: 'update', table: input.TableName ?? '', run: () => this.#update(input) };
    }
    if (command instanceof QueryCommand) {
      return { operation: 'query', table: command.input.TableName ?? '', run: () => this.#query(command.input) };
    }
    if (command instanceof TransactWriteItemsCommand) {
      const { input } = command;
      return {
        operation: 'transact',
        table: Object.values(input.TransactItems?.[0] ?? {})[0]?.TableName ?? '',
        run: () => this.#transact(input),
      };
    }
    throw new Error(`memory-dynamodb does not know ${(command as object).constructor.name}`);
  }

  #table(name: string | undefined) {
    const table = this.#tables.get(name ?? '');
    if (table === undefined) throw new Error(`memory-dynamodb has no table ${name}`);
    return table;
  }

  #keyOf(name: string | undefined, item: Item): string {
    return this.#table(name)
      .spec.keys.map((key) => item[key]?.S ?? item[key]?.N ?? missing(key))
      .join('\u0000');
  }

  #check(write: Write, item: Item): void {
    const existing = this.#table(write.TableName).items.get(this.#keyOf(write.TableName, item));
    if (holds(write.ConditionExpression, existing, write.ExpressionAttributeNames, write.ExpressionAttributeValues))
      return;
    throw new ConditionalCheckFailedException({
      message: 'The conditional request failed',
      $metadata: {},
      ...(write.ReturnValuesOnConditionCheckFailure === 'ALL_OLD' && existing !== undefined ? { Item: existing } : {}),
    });
  }

  #put(write: Write, item: Item): object {
    if (itemBytes(item) > MAX_ITEM_BYTES)
      throw new Error('ValidationException: Item size has exceeded the maximum allowed size');
    this.#check(write, item);
    this.#table(write.TableName).items.set(this.#keyOf(write.TableName, item), structuredClone(item));
    this.onPut(write.TableName ?? '', item);
    return {};
  }

  #update(input: UpdateItemCommand['input']): object {
    const key = input.Key ?? {};
    this.#check(input, key);
    const before = this.#table(input.TableName).items.get(this.#keyOf(input.TableName, key)) ?? key;
    return this.#put(
      { TableName: input.TableName },
      updated(input.UpdateExpression, before, input.ExpressionAttributeValues),
    );
  }

  #get(table: string | undefined, key: Item): object {
    const item = this.#table(table).items.get(this.#keyOf(table, key));
    return item === undefined ? {} : { Item: structuredClone(item) };
  }

  #delete(table: string | undefined, key: Item): object {
    this.#table(table).items.delete(this.#keyOf(table, key));
    return {};
  }

  #transact(input: TransactWriteItemsCommand['input']): object {
    const writes = (input.TransactItems ?? []).map(({ Put, Update, Delete, ...other }) => {
      const write = Put ?? Update ?? Delete;
      if (write === undefined || Object.keys(other).length > 0)
        throw new Error('memory-dynamodb transacts puts, updates and deletes only');
      const run = () => {
        if (Put) this.#put({ TableName: Put.TableName }, Put.Item ?? {});
        else if (Update) this.#update({ ...Update, ConditionExpression: undefined });
        else this.#delete(write.TableName, keyed(write));
      };
      return { write, item: keyed(write), run };
    });
    if (writes.length > 100) throw new Error('ValidationException: more than 100 items in one transaction');
    const failed = writes.map(({ write, item }) => {
      try {
        this.#check(write, item);
        return { Code: 'None' };
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException)
          return { Code: 'ConditionalCheckFailed', ...(error.Item === undefined ? {} : { Item: error.Item }) };
        throw error;
      }
    });
    if (failed.some((reason) => reason.Code !== 'None')) {
      throw new TransactionCanceledException({
        message: 'Transaction cancelled',
        $metadata: {},
        CancellationReasons: failed,
      });
    }
    for (const { run } of writes) run();
    return {};
  }

  #query(input: QueryCommand['input']): object {
    if (input.IndexName !== undefined || input.ConsistentRead !== true) {
      throw new Error('memory-dynamodb knows strong queries of the table only');
    }
    const { spec, items } = this.#table(input.TableName);
    const asked = (item: Item) =>
      holds(input.KeyConditionExpression, item, input.ExpressionAttributeNames, input.ExpressionAttributeValues);
    if (input.ExclusiveStartKey !== undefined && !asked(input.ExclusiveStartKey))
      throw new Error('ValidationException: The provided starting key does not match the range key predicate');
    const sort = spec.keys[1] ?? missing('sort key');
    const direction = input.ScanIndexForward === false ? -1 : 1;
    const matching = [...items.inPartition(partitionAsked(input, spec.keys[0] ?? missing('partition key')))]
      .filter(asked)
      .sort((a, b) => direction * (compareValues(a[sort], b[sort]) ?? 0))
      .filter(
        (item) =>
          input.ExclusiveStartKey === undefined ||
          direction * (compareValues(item[sort], input.ExclusiveStartKey[sort]) ?? 0) > 0,
      );
    const page: Item[] = [];
    let bytes = 0;
    for (const item of matching) {
      if (page.length === input.Limit || bytes > PAGE_BYTES) break;
      bytes += itemBytes(item);
      page.push(structuredClone(item));
    }
    const last = page.at(-1);
    const more = page.length < matching.length && last !== undefined;
    const shown = page.filter((item) =>
      holds(input.FilterExpression, item, input.ExpressionAttributeNames, input.ExpressionAttributeValues),
    );
    return {
      Items: shown,
      ...(more ? { LastEvaluatedKey: Object.fromEntries(spec.keys.map((key) => [key, last[key]])) } : {}),
    };
  }
}

function keyed(write: { readonly Item?: Item | undefined } | { readonly Key?: Item | undefined }): Item {
  return ('Item' in write ? write.Item : 'Key' in write ? write.Key : undefined) ?? {};
}

function missing(name: string): never {
  throw new Error(`ValidationException: the key ${name} is missing`);
}
