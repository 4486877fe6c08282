import { type DynamoDBClient, GetItemCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import type { Backfill, BackfillStore } from '../../core/usage/backfill.ts';
import { documentOf, type Item, keyAttributes, textAt } from './attributes.ts';
import { billingKeys } from './keys.ts';
import { queryPage } from './paging.ts';
import { isConditionRefused } from './refusals.ts';

/** Named backfills in the Billing table; `status` is an attribute of its own, because closing changes nothing else. */
export function backfillStore(client: DynamoDBClient, table: string): BackfillStore {
  return {
    async find(project, name) {
      const key = keyAttributes(billingKeys.backfill(project, name));
      const { Item } = await client.send(new GetItemCommand({ TableName: table, Key: key, ConsistentRead: true }));
      return Item && backfillFromItem(Item);
    },

    async create(project, backfill) {
      const { status, ...fixed } = backfill;
      const key = keyAttributes(billingKeys.backfill(project, backfill.name));
      try {
        await client.send(
          new PutItemCommand({
            TableName: table,
            Item: { ...key, doc: { S: JSON.stringify(fixed) }, status: { S: status } },
            ConditionExpression: 'attribute_not_exists(pk)',
          }),
        );
        return 'stored';
      } catch (error) {
        if (isConditionRefused(error)) return 'refused';
        throw error;
      }
    },

    async setStatus(project, name, status) {
      try {
        const { Attributes } = await client.send(
          new UpdateItemCommand({
            TableName: table,
            Key: keyAttributes(billingKeys.backfill(project, name)),
            UpdateExpression: 'SET #status = :status',
            ConditionExpression: 'attribute_exists(pk)',
            ExpressionAttributeNames: { '#status': 'status' },
            ExpressionAttributeValues: { ':status': { S: status } },
            ReturnValues: 'ALL_NEW',
          }),
        );
        return Attributes && backfillFromItem(Attributes);
      } catch (error) {
        if (isConditionRefused(error)) return undefined;
        throw error;
      }
    },

    async list(project, page) {
      const list = { table, value: billingKeys.backfillsOf(project) };
      const { items, cursor } = await queryPage(client, list, page);
      return { items: items.map(backfillFromItem), cursor };
    },
  };
}

function backfillFromItem(item: Item): Backfill {
  const fixed = documentOf<Omit<Backfill, 'status'>>(item);
  return { ...fixed, status: textAt(item, 'status') as Backfill['status'] };
}
