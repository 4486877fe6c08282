import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { ProjectId } from '../../core/ids.ts';
import { textAt } from './attributes.ts';
import { usageViewsKeys } from './keys.ts';
import { queryAll } from './query-all.ts';

/** The UTC days (`20261121`) of a customer that received usage long after they had ended, as folding marked them. */
export async function readLateDays(
  client: DynamoDBClient,
  table: string,
  project: ProjectId,
  customer: string,
): Promise<readonly string[]> {
  const items = await queryAll(client, {
    TableName: table,
    ConsistentRead: true,
    KeyConditionExpression: 'pk = :pk AND begins_with(sk, :sk)',
    ExpressionAttributeValues: {
      ':pk': { S: usageViewsKeys.viewsOf(project, customer) },
      ':sk': { S: usageViewsKeys.latePrefix },
    },
  });
  return items.map((item) => textAt(item, 'day'));
}
