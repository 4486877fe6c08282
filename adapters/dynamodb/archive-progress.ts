import { type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { ArchiveProgress } from '../../core/usage/ports.ts';
import { keyAttributes, numberAt } from './attributes.ts';
import { usageViewsKeys } from './keys.ts';

/** How far each project's log is archived. Two walks at once may write it back a little; what they repeat is harmless. */
export function archiveProgress(client: DynamoDBClient, table: string): ArchiveProgress {
  return {
    async read(project) {
      const Key = keyAttributes(usageViewsKeys.archived(project));
      const { Item } = await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }));
      return Item && { hourMillis: numberAt(Item, 'h'), partitionsDone: numberAt(Item, 'n') };
    },

    async write(project, { hourMillis, partitionsDone }) {
      const Item = {
        ...keyAttributes(usageViewsKeys.archived(project)),
        h: { N: String(hourMillis) },
        n: { N: String(partitionsDone) },
      };
      await client.send(new PutItemCommand({ TableName: table, Item }));
    },
  };
}
