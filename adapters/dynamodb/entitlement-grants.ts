import { type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { EntitlementGrant } from '../../core/entitlements/feature.ts';
import type { GrantStore } from '../../core/entitlements/ports.ts';
import type { CustomerId, ProjectId } from '../../core/ids.ts';
import { documentOf, keyAttributes } from './attributes.ts';
import { billingKeys } from './keys.ts';
import { queryPage } from './paging.ts';
import { queryAll } from './query-all.ts';
import { isConditionRefused } from './refusals.ts';

/** Grants of extra allowance in the Billing table: immutable items in one partition per customer. */
export function grantStore(client: DynamoDBClient, table: string): GrantStore {
  return {
    async find(project, customer, id) {
      const Key = keyAttributes(billingKeys.entitlementGrant(project, customer, id));
      const { Item } = await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }));
      return Item && documentOf<EntitlementGrant>(Item);
    },

    async create(project, grant) {
      const key = keyAttributes(billingKeys.entitlementGrant(project, grant.customer, grant.id));
      const Item = { ...key, doc: { S: JSON.stringify(grant) } };
      const command = new PutItemCommand({
        TableName: table,
        Item,
        ConditionExpression: 'attribute_not_exists(pk)',
      });
      try {
        await client.send(command);
        return 'stored';
      } catch (error) {
        if (isConditionRefused(error)) return 'exists';
        throw error;
      }
    },

    async list(project, customer, page) {
      const list = { table, value: billingKeys.entitlementGrantsOf(project, customer) };
      const { items, cursor } = await queryPage(client, list, page);
      return { items: items.map((item) => documentOf<EntitlementGrant>(item)), cursor };
    },
  };
}

/** All grants of a customer, eventually consistent. */
export async function readGrants(
  client: DynamoDBClient,
  table: string,
  project: ProjectId,
  customer: CustomerId,
): Promise<readonly EntitlementGrant[]> {
  const items = await queryAll(client, {
    TableName: table,
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': { S: billingKeys.entitlementGrantsOf(project, customer) } },
  });
  return items.map((item) => documentOf<EntitlementGrant>(item));
}
