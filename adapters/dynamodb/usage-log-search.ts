import { type DynamoDBClient, QueryCommand, type QueryCommandOutput } from '@aws-sdk/client-dynamodb';
import type { LogSearch } from '../../core/usage/ports.ts';
import type { Item } from './attributes.ts';
import { usageLogKeys } from './keys.ts';
import { chunkFromItem } from './usage-log.ts';

/** The usage log read backwards: one query a call, at most 1 MB of chunks. */
export function usageLogSearch(client: DynamoDBClient, table: string): LogSearch {
  return {
    async chunksBelow(place, sequence) {
      const { pk } = usageLogKeys.chunk(place.project, place.partition, 0);
      const { Items = [] } = await client.send(
        new QueryCommand({
          TableName: table,
          KeyConditionExpression: 'pk = :pk AND sk < :sk',
          ExpressionAttributeValues: { ':pk': { S: pk }, ':sk': { N: String(sequence) } },
          ConsistentRead: true,
          ScanIndexForward: false,
        }),
      );
      return Items.map(chunkFromItem);
    },

    async *chunksWithVoids(place) {
      const { pk } = usageLogKeys.chunk(place.project, place.partition, 0);
      let start: Item | undefined;
      do {
        const page: QueryCommandOutput = await client.send(
          new QueryCommand({
            TableName: table,
            KeyConditionExpression: 'pk = :pk',
            FilterExpression: 'attribute_exists(w)',
            ExpressionAttributeValues: { ':pk': { S: pk } },
            ConsistentRead: true,
            ...(start === undefined ? {} : { ExclusiveStartKey: start }),
          }),
        );
        yield (page.Items ?? []).map(chunkFromItem);
        start = page.LastEvaluatedKey;
      } while (start !== undefined);
    },
  };
}
