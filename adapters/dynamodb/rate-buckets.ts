import { ConditionalCheckFailedException, type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { RateBuckets } from '../../core/limits/rate-limiter.ts';
import { numberAt } from './attributes.ts';
import { usageClaimsKeys } from './keys.ts';

/** The shared buckets of rate limits, one small item each, written over the state that was read. */
export function rateBuckets(client: DynamoDBClient, table: string): RateBuckets {
  return {
    async swap({ project, key, kind }, known, next, expiresAtSeconds) {
      const Item = {
        pk: { S: usageClaimsKeys.rateBucket(project, kind, key ?? '').pk },
        u: { N: String(next.left) },
        a: { N: String(next.atMicros) },
        ttl: { N: String(expiresAtSeconds) },
      };
      const condition =
        known === null
          ? { ConditionExpression: 'attribute_not_exists(pk)' }
          : {
              ConditionExpression: 'u = :u AND a = :a',
              ExpressionAttributeValues: { ':u': { N: String(known.left) }, ':a': { N: String(known.atMicros) } },
            };
      const ReturnValuesOnConditionCheckFailure = 'ALL_OLD' as const;
      const command = new PutItemCommand({ TableName: table, Item, ...condition, ReturnValuesOnConditionCheckFailure });
      try {
        await client.send(command);
        return { isStored: true };
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
        const stored = error.Item;
        // Without an item the bucket has expired, which means that it is full.
        const state = stored && { left: numberAt(stored, 'u'), atMicros: numberAt(stored, 'a') };
        return { isStored: false, state: state ?? null };
      }
    },
  };
}
