import { type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { ProjectId } from '../../core/ids.ts';
import type { LogPartition } from '../../core/usage/log-partition.ts';
import type { UsageRegistry } from '../../core/usage/ports.ts';
import { textAt } from './attributes.ts';
import { usageViewsKeys } from './keys.ts';
import { queryAll } from './query-all.ts';

/** Which partitions were appended to in which hour: the list that settling and sweeping go by. Writing twice is writing once. */
export function usageRegistry(client: DynamoDBClient, table: string): UsageRegistry {
  return {
    async register({ project, partition }: LogPartition, appendHour: string, expiresAtSeconds: number): Promise<void> {
      const { pk, sk } = usageViewsKeys.registry(project, appendHour, partition);
      await client.send(
        new PutItemCommand({
          TableName: table,
          Item: { pk: { S: pk }, sk: { S: sk }, partition: { S: partition }, ttl: { N: String(expiresAtSeconds) } },
        }),
      );
    },

    async partitionsOf(project: ProjectId, appendDay: string, fromHour?: string): Promise<readonly string[]> {
      const items = await queryAll(client, {
        TableName: table,
        KeyConditionExpression: 'pk = :pk AND sk >= :from',
        ExpressionAttributeValues: {
          ':pk': { S: usageViewsKeys.registryOf(project, appendDay) },
          ':from': { S: usageViewsKeys.registryFrom(fromHour ?? appendDay) },
        },
        ConsistentRead: true,
      });
      return [...new Set(items.map((item) => textAt(item, 'partition')))];
    },
  };
}
