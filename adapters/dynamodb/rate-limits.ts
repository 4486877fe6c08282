import { type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { RateLimitSettings, RateLimitStore } from '../../core/limits/rate-limits.ts';
import { documentOf, keyAttributes } from './attributes.ts';
import { billingKeys } from './keys.ts';

/** The rate limits a project has set, as one item that was held to its schema when it was written. */
export function rateLimitStore(client: DynamoDBClient, table: string): RateLimitStore {
  return {
    async find(project) {
      const Key = keyAttributes(billingKeys.rateLimits(project));
      const { Item } = await client.send(new GetItemCommand({ TableName: table, Key }));
      return Item === undefined ? {} : documentOf<RateLimitSettings>(Item);
    },
    async put(project, settings) {
      const key = keyAttributes(billingKeys.rateLimits(project));
      const Item = { ...key, doc: { S: JSON.stringify(settings) } };
      await client.send(new PutItemCommand({ TableName: table, Item }));
    },
  };
}
