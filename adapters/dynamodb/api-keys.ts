import {
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { ApiKeyRecord } from '../../core/accounts/api-key.ts';
import type { ApiKeyStore } from '../../core/accounts/ports.ts';
import { conflict } from '../../core/errors.ts';
import type { Instant } from '../../core/time/instant.ts';
import { documentOf, type Item, keyAttributes } from './attributes.ts';
import { billingKeys } from './keys.ts';
import { queryPage } from './paging.ts';
import { isConditionRefused, refusedPositions, rethrowUnrefused } from './refusals.ts';

/**
 * API keys in the Billing table. `doc` holds what never changes; `expires_at`, `revoked_at` and `rotated_to` are attributes of
 * their own, because conditions read them. Keys are kept after they end, so that the reason of a refusal can be told.
 */
export function apiKeyStore(client: DynamoDBClient, table: string): ApiKeyStore {
  return {
    async find(project, id, read) {
      const { Item } = await client.send(
        new GetItemCommand({
          TableName: table,
          Key: keyAttributes(billingKeys.apiKey(project, id)),
          ConsistentRead: read === 'fresh',
        }),
      );
      return Item && apiKeyFromItem(Item);
    },

    async create(record) {
      try {
        await client.send(
          new PutItemCommand({
            TableName: table,
            Item: apiKeyToItem(record),
            ConditionExpression: 'attribute_not_exists(pk)',
          }),
        );
      } catch (error) {
        if (isConditionRefused(error)) throw conflict('api_key_exists', `An API key with id ${record.id} exists.`);
        throw error;
      }
    },

    async list(project, page) {
      const { items, cursor } = await queryPage(client, { table, value: billingKeys.apiKeysOf(project) }, page);
      return { items: items.map(apiKeyFromItem), cursor };
    },

    async revoke(project, id, at) {
      try {
        const { Attributes } = await client.send(
          new UpdateItemCommand({
            TableName: table,
            Key: keyAttributes(billingKeys.apiKey(project, id)),
            UpdateExpression: 'SET revoked_at = if_not_exists(revoked_at, :at)',
            ConditionExpression: 'attribute_exists(pk)',
            ExpressionAttributeValues: { ':at': { S: at } },
            ReturnValues: 'ALL_NEW',
          }),
        );
        return Attributes && apiKeyFromItem(Attributes);
      } catch (error) {
        if (isConditionRefused(error)) return undefined;
        throw error;
      }
    },

    async rotate(old, expiresAt, next) {
      try {
        await client.send(rotation(table, old, expiresAt, next));
      } catch (error) {
        if (refusedPositions(error).length === 0) rethrowUnrefused(error);
        throw conflict('api_key_not_active', `API key ${old.id} was revoked or rotated meanwhile.`);
      }
    },
  };
}

function rotation(table: string, old: ApiKeyRecord, expiresAt: Instant, next: ApiKeyRecord) {
  return new TransactWriteItemsCommand({
    TransactItems: [
      { Put: { TableName: table, Item: apiKeyToItem(next), ConditionExpression: 'attribute_not_exists(pk)' } },
      {
        Update: {
          TableName: table,
          Key: keyAttributes(billingKeys.apiKey(old.project, old.id)),
          UpdateExpression: 'SET expires_at = :expires, rotated_to = :next',
          ConditionExpression:
            'attribute_exists(pk) AND attribute_not_exists(revoked_at) AND attribute_not_exists(rotated_to)',
          ExpressionAttributeValues: { ':expires': { S: expiresAt }, ':next': { S: next.id } },
        },
      },
    ],
  });
}

function apiKeyToItem(record: ApiKeyRecord): Item {
  const { expiresAt, revokedAt, rotatedTo, ...fixed } = record;
  return {
    ...keyAttributes(billingKeys.apiKey(record.project, record.id)),
    doc: { S: JSON.stringify(fixed) },
    ...(expiresAt !== null && { expires_at: { S: expiresAt } }),
    ...(revokedAt !== null && { revoked_at: { S: revokedAt } }),
    ...(rotatedTo !== null && { rotated_to: { S: rotatedTo } }),
  };
}

function apiKeyFromItem(item: Item): ApiKeyRecord {
  const fixed: Omit<ApiKeyRecord, 'expiresAt' | 'revokedAt' | 'rotatedTo'> = documentOf(item);
  return {
    ...fixed,
    expiresAt: (item.expires_at?.S ?? null) as Instant | null,
    revokedAt: (item.revoked_at?.S ?? null) as Instant | null,
    rotatedTo: item.rotated_to?.S ?? null,
  };
}
