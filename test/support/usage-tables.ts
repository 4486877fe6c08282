import { CreateTableCommand, DeleteTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { startDynamoDb } from '../../local/parts/dynamodb.ts';
import { memoryTables, TABLES } from './usage-fixtures.ts';

/** The three tables of usage, empty for each test: in memory, or in DynamoDB Local. */
export interface UsageTables {
  client(): DynamoDBClient;
  /** Empties all tables. */
  reset(): Promise<void>;
  stop(): Promise<void>;
}

const text = (name: string) => ({ AttributeName: name, AttributeType: 'S' }) as const;
const number = (name: string) => ({ AttributeName: name, AttributeType: 'N' }) as const;
const hash = { AttributeName: 'pk', KeyType: 'HASH' } as const;
const range = { AttributeName: 'sk', KeyType: 'RANGE' } as const;

const SPECS = [
  { TableName: TABLES.log, KeySchema: [hash, range], AttributeDefinitions: [text('pk'), number('sk')] },
  { TableName: TABLES.claims, KeySchema: [hash], AttributeDefinitions: [text('pk')] },
  { TableName: TABLES.views, KeySchema: [hash, range], AttributeDefinitions: [text('pk'), text('sk')] },
];

export async function usageTablesInMemory(): Promise<UsageTables> {
  let database = memoryTables();
  return {
    client: () => database.client(),
    reset: async () => {
      database = memoryTables();
    },
    stop: async () => {},
  };
}

export async function usageTablesInDynamoDbLocal(): Promise<UsageTables> {
  const part = await startDynamoDb();
  const client = new DynamoDBClient({
    endpoint: part.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  const create = async () => {
    for (const spec of SPECS) await client.send(new CreateTableCommand({ ...spec, BillingMode: 'PAY_PER_REQUEST' }));
  };
  await create();
  return {
    client: () => client,
    reset: async () => {
      for (const { TableName } of SPECS) await client.send(new DeleteTableCommand({ TableName }));
      await create();
    },
    stop: async () => {
      client.destroy();
      await part.stop();
    },
  };
}
