/** Time to live by the stack's clock: removes the items whose TTL has passed, when told to. AWS does so within days. */
import { type AttributeValue, DeleteItemCommand, type DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import type { TableModel } from './model.ts';

/**
 * @param now local time, ms since the epoch
 * @returns how many items were removed
 */
export async function expireItems(tables: readonly TableModel[], client: DynamoDBClient, now: number): Promise<number> {
  let removed = 0;
  for (const table of tables) {
    if (table.ttlAttribute === undefined) continue;
    const keys = [table.partitionKey.name, ...(table.sortKey === undefined ? [] : [table.sortKey.name])];
    let from: Record<string, AttributeValue> | undefined;
    do {
      const page = await client.send(
        new ScanCommand({
          TableName: table.name,
          FilterExpression: '#ttl < :now',
          ExpressionAttributeNames: { '#ttl': table.ttlAttribute },
          ExpressionAttributeValues: { ':now': { N: String(Math.floor(now / 1000)) } },
          ...(from === undefined ? {} : { ExclusiveStartKey: from }),
        }),
      );
      for (const item of page.Items ?? []) {
        const Key = Object.fromEntries(keys.flatMap((name) => (item[name] === undefined ? [] : [[name, item[name]]])));
        await client.send(new DeleteItemCommand({ TableName: table.name, Key }));
        removed += 1;
      }
      from = page.LastEvaluatedKey;
    } while (from !== undefined);
  }
  return removed;
}
