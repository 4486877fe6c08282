import { transactionParts } from './access-dynamodb.ts';

/**
 * The DynamoDB capacity that AWS would bill for one call, for the bench's cost meter.
 *
 * What DynamoDB Local reports is used where it is right (single items, queries, batches, their indexes). In a transaction it
 * rounds the sum of a table's items instead of each item, so a transaction counts as the larger of what it reports and
 * 2 x ceil(bytes / 1024) per item (reads: 2 x ceil(bytes / 4096)); the size of an item that an update, a delete or a check
 * touches is not in the request, it counts as what the request says of it, at least 1 KB. An index is written once per item,
 * not twice. A refused write, of which nothing is reported, counts ceil(bytes / 1024).
 */
type Input = Readonly<Record<string, unknown>>;

export interface Capacity {
  readonly readUnits: number;
  readonly writeUnits: number;
}

const WRITES = new Set(['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem']);
/** By table: the partition key attribute of each global secondary index, by index name; indexes with projection ALL. */
export type IndexKeys = ReadonlyMap<string, Readonly<Record<string, string>>>;

const READS = new Set(['GetItem', 'Query', 'Scan', 'BatchGetItem']);
const ASK = Buffer.from('{"ReturnConsumedCapacity":"TOTAL",');
const ASK_INDEXES = Buffer.from('{"ReturnConsumedCapacity":"INDEXES",');
const NOTHING: Capacity = { readUnits: 0, writeUnits: 0 };

/** The body with a question for the consumed capacity, unless the caller asked already or it would not be right. */
export function askingForCapacity(operation: string, input: Input, body: Buffer): Buffer {
  if (input.ReturnConsumedCapacity !== undefined || body[0] !== 0x7b) return body;
  if (operation === 'TransactWriteItems') return Buffer.concat([ASK_INDEXES, body.subarray(1)]);
  return WRITES.has(operation) || READS.has(operation) ? Buffer.concat([ASK, body.subarray(1)]) : body;
}

/** The units of one call, from its request and its answer. */
export function capacityOf(
  operation: string,
  input: Input,
  answer: { status: number; text: string },
  indexKeys: IndexKeys = new Map(),
): Capacity {
  if (operation === 'TransactWriteItems') {
    return { readUnits: 0, writeUnits: transactionUnits(input, answer, indexKeys) };
  }
  if (operation === 'TransactGetItems') {
    const read = answer.status === 200 ? (JSON.parse(answer.text) as { Responses?: { Item?: Input }[] }).Responses : [];
    const units = (read ?? []).map(({ Item }) => 2 * blocks(itemBytes(Item ?? {}), 4096));
    return { readUnits: sum(units), writeUnits: 0 };
  }
  if (answer.status !== 200) {
    const refused = WRITES.has(operation) && answer.text.includes('ConditionalCheckFailed');
    return refused ? { readUnits: 0, writeUnits: blocks(writtenBytes(input), 1024) } : NOTHING;
  }
  const units = reported(answer.text);
  if (WRITES.has(operation)) return { readUnits: 0, writeUnits: units };
  return READS.has(operation) ? { readUnits: units, writeUnits: 0 } : NOTHING;
}

interface ReportedTable {
  readonly TableName: string;
  readonly Table?: { readonly CapacityUnits: number };
  readonly GlobalSecondaryIndexes?: Readonly<Record<string, { readonly CapacityUnits: number }>>;
}

function transactionUnits(input: Input, answer: { status: number; text: string }, indexKeys: IndexKeys): number {
  const parts = transactionParts(input).map(([, part]) => part);
  const ofTables = sum(parts.map((part) => 2 * blocks(writtenBytes(part), 1024)));
  // A transaction that was refused is billed like one that was not, but wrote to no index.
  if (answer.status !== 200) return ofTables;
  const { ConsumedCapacity: tables = [] } = JSON.parse(answer.text) as { ConsumedCapacity?: ReportedTable[] };
  const ofIndexes = tables.flatMap(({ TableName, GlobalSecondaryIndexes = {} }) =>
    Object.entries(GlobalSecondaryIndexes).map(([index, { CapacityUnits }]) => {
      const key = indexKeys.get(TableName)?.[index];
      const written = parts.filter(
        (part) =>
          part.TableName === TableName && key !== undefined && (part.Item as Input | undefined)?.[key] !== undefined,
      );
      return Math.max(CapacityUnits / 2, sum(written.map((part) => blocks(writtenBytes(part), 1024))));
    }),
  );
  const reportedTables = sum(tables.map(({ Table }) => Table?.CapacityUnits ?? 0));
  return Math.max(ofTables, reportedTables) + sum(ofIndexes);
}

/** The size of an item as DynamoDB counts it, in bytes: names and values, numbers at about half a byte a digit. */
export function itemBytes(item: Input): number {
  let bytes = 0;
  for (const [name, value] of Object.entries(item)) bytes += Buffer.byteLength(name) + valueBytes(value);
  return bytes;
}

function valueBytes(value: unknown): number {
  const [type, content] = Object.entries(value as Input)[0] ?? ['NULL', true];
  switch (type) {
    case 'S':
      return Buffer.byteLength(String(content));
    case 'N':
      return Math.ceil(String(content).replace(/[-+.]/g, '').length / 2) + 1;
    case 'B':
      return Buffer.byteLength(String(content), 'base64');
    case 'L':
      return 3 + sum((content as unknown[]).map((element) => 1 + valueBytes(element)));
    case 'M':
      return 3 + Object.keys(content as Input).length + itemBytes(content as Input);
    case 'SS':
    case 'NS':
    case 'BS':
      return sum((content as string[]).map((element) => valueBytes({ [type.charAt(0)]: element })));
    default:
      return 1;
  }
}

/** What a put, update, delete or check says about the item it writes, in bytes. */
function writtenBytes(part: Input): number {
  if (part.Item !== undefined) return itemBytes(part.Item as Input);
  return itemBytes((part.Key ?? {}) as Input) + itemBytes((part.ExpressionAttributeValues ?? {}) as Input);
}

function blocks(bytes: number, size: number): number {
  return Math.max(1, Math.ceil(bytes / size));
}

/** The sum of CapacityUnits in the ConsumedCapacity of an answer. Text of items cannot look like it: its quotes are escaped. */
function reported(text: string): number {
  const start = text.lastIndexOf('"ConsumedCapacity":');
  if (start === -1) return 0;
  return sum(
    [...text.slice(start).matchAll(/"TableName":"[^"]*","CapacityUnits":([\d.]+)/g)].map(([, units]) => Number(units)),
  );
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
