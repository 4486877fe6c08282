import { CreateTableCommand, type CreateTableCommandInput, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { startDynamoDb } from '../../local/parts/dynamodb.ts';

/** A real DynamoDB with the product's Billing and UsageViews tables, for contract tests. */
export interface LocalTables {
  readonly client: DynamoDBClient;
  readonly billing: string;
  readonly usageViews: string;
  stop(): Promise<void>;
}

const text = (name: string) => ({ AttributeName: name, AttributeType: 'S' }) as const;
const keys = (hash: string, range: string) =>
  [
    { AttributeName: hash, KeyType: 'HASH' },
    { AttributeName: range, KeyType: 'RANGE' },
  ] as const;

const index = (name: string, hash: string, range: string) => ({
  IndexName: name,
  KeySchema: [...keys(hash, range)],
  Projection: { ProjectionType: 'ALL' as const },
});

const BILLING: CreateTableCommandInput = {
  TableName: 'Billing',
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: ['pk', 'sk', 'p1', 's1', 'p2', 's2'].map(text),
  KeySchema: [...keys('pk', 'sk')],
  GlobalSecondaryIndexes: [index('by_project', 'p1', 's1'), index('by_customer', 'p2', 's2')],
};

const USAGE_VIEWS: CreateTableCommandInput = {
  TableName: 'UsageViews',
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: ['pk', 'sk'].map(text),
  KeySchema: [...keys('pk', 'sk')],
};

/** The log and its headers, for the tests that read them. */
export async function createLogTables(client: DynamoDBClient): Promise<void> {
  const pk = { AttributeName: 'pk', KeyType: 'HASH' } as const;
  const sequence = { AttributeName: 'sk', AttributeType: 'N' } as const;
  const log = { KeySchema: [...keys('pk', 'sk')], AttributeDefinitions: [text('pk'), sequence] };
  const claims = { KeySchema: [pk], AttributeDefinitions: [text('pk')] };
  await client.send(new CreateTableCommand({ TableName: 'UsageLog', BillingMode: 'PAY_PER_REQUEST', ...log }));
  await client.send(new CreateTableCommand({ TableName: 'UsageClaims', BillingMode: 'PAY_PER_REQUEST', ...claims }));
}

export async function startLocalTables(): Promise<LocalTables> {
  const part = await startDynamoDb();
  const client = new DynamoDBClient({
    endpoint: part.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  await client.send(new CreateTableCommand(BILLING));
  await client.send(new CreateTableCommand(USAGE_VIEWS));
  return {
    client,
    billing: 'Billing',
    usageViews: 'UsageViews',
    async stop() {
      client.destroy();
      await part.stop();
    },
  };
}
