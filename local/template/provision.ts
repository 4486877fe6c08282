/**
 * Makes what the template declares on the local parts. Idempotent: what is there stays, with its data; a table whose keys
 * changed is an error, because its data would not fit. TTL is not switched on: DynamoDB Local deletes by the real time, and the
 * stack lives on its own clock (expire-items.ts removes expired items by that).
 */
import { randomInt } from 'node:crypto';
import {
  type AttributeDefinition,
  CreateTableCommand,
  type CreateTableCommandInput,
  DescribeTableCommand,
  type DynamoDBClient,
  type GlobalSecondaryIndex,
  type KeySchemaElement,
  ResourceNotFoundException,
} from '@aws-sdk/client-dynamodb';
import { CreateQueueCommand, GetQueueUrlCommand, SetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { TemplateError } from './json.ts';
import type { AppModel, KeyAttribute, QueueModel, SecretModel, TableModel } from './model.ts';

export interface ProvisionTargets {
  readonly dynamodb: DynamoDBClient;
  readonly sqs: SQSClient;
  readonly createBucket: (name: string) => void;
  readonly createBus: (name: string) => void;
  /** Keeps the value a secret has; `value` is asked only when there is none. */
  readonly ensureSecret: (name: string, value: () => string) => void;
}

/** @throws TemplateError when a table of this name has other keys */
export async function provision(app: AppModel, targets: ProvisionTargets): Promise<void> {
  for (const table of app.tables) await provisionTable(table, targets.dynamodb);
  // Dead-letter queues first: a redrive policy names a queue that exists.
  const queues = [...app.queues].sort((left, right) => depth(left) - depth(right));
  for (const queue of queues) await provisionQueue(queue, targets.sqs);
  for (const bucket of app.buckets) targets.createBucket(bucket.name);
  for (const bus of app.buses) targets.createBus(bus.name);
  for (const secret of app.secrets) targets.ensureSecret(secret.name, () => secretValue(secret));
}

function depth(queue: QueueModel): number {
  return queue.attributes.RedrivePolicy === undefined ? 0 : 1;
}

async function provisionTable(table: TableModel, client: DynamoDBClient): Promise<void> {
  const wanted = tableInput(table);
  const existing = await client.send(new DescribeTableCommand({ TableName: table.name })).catch((error: unknown) => {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  });
  if (existing?.Table === undefined) {
    await client.send(new CreateTableCommand(wanted));
    return;
  }
  const keys = (schema: readonly KeySchemaElement[] = []) =>
    schema.map((key) => `${key.AttributeName}:${key.KeyType}`).join();
  const shape = (schema: CreateTableCommandInput['KeySchema'], indexes: readonly GlobalSecondaryIndex[] = []) =>
    [keys(schema), ...indexes.map((index) => `${index.IndexName}(${keys(index.KeySchema)})`).sort()].join(' ');
  const { KeySchema, GlobalSecondaryIndexes } = existing.Table;
  if (
    shape(KeySchema, GlobalSecondaryIndexes as GlobalSecondaryIndex[] | undefined) !==
    shape(wanted.KeySchema, wanted.GlobalSecondaryIndexes)
  ) {
    throw new TemplateError(
      `table ${table.name} has other keys or indexes than the template; start with --reset to make it anew`,
    );
  }
}

function tableInput(table: TableModel): CreateTableCommandInput {
  const attributes = new Map<string, AttributeDefinition>();
  const schema = (partition: KeyAttribute, sort: KeyAttribute | undefined): KeySchemaElement[] => {
    for (const key of [partition, sort]) {
      if (key !== undefined) attributes.set(key.name, { AttributeName: key.name, AttributeType: key.type });
    }
    const range = sort === undefined ? [] : [{ AttributeName: sort.name, KeyType: 'RANGE' as const }];
    return [{ AttributeName: partition.name, KeyType: 'HASH' }, ...range];
  };
  const KeySchema = schema(table.partitionKey, table.sortKey);
  const indexes = table.indexes.map((index) => ({
    IndexName: index.name,
    KeySchema: schema(index.partitionKey, index.sortKey),
    Projection: {
      ProjectionType: index.projection,
      ...(index.projectedAttributes.length === 0 ? {} : { NonKeyAttributes: [...index.projectedAttributes] }),
    },
  }));
  return {
    TableName: table.name,
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema,
    ...(indexes.length === 0 ? {} : { GlobalSecondaryIndexes: indexes }),
    ...(table.streamView === undefined
      ? {}
      : { StreamSpecification: { StreamEnabled: true, StreamViewType: table.streamView } }),
    AttributeDefinitions: [...attributes.values()],
  };
}

async function provisionQueue(queue: QueueModel, client: SQSClient): Promise<void> {
  const existing = await client.send(new GetQueueUrlCommand({ QueueName: queue.name })).catch((error: unknown) => {
    if (error instanceof Error && /NonExistentQueue|QueueDoesNotExist/.test(error.name)) return undefined;
    throw error;
  });
  const Attributes = { ...queue.attributes };
  if (existing?.QueueUrl === undefined) {
    await client.send(new CreateQueueCommand({ QueueName: queue.name, Attributes }));
  } else if (Object.keys(Attributes).length > 0) {
    await client.send(new SetQueueAttributesCommand({ QueueUrl: existing.QueueUrl, Attributes }));
  }
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

function secretValue(secret: SecretModel): string {
  if (secret.generate === undefined) return secret.value ?? '';
  const { length, excluded, template, key } = secret.generate;
  const alphabet = [...LETTERS].filter((letter) => !excluded.includes(letter));
  const drawn = Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');
  if (template === undefined || key === undefined) return drawn;
  return JSON.stringify({ ...(JSON.parse(template) as object), [key]: drawn });
}
