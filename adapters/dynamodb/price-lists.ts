import { type DynamoDBClient, GetItemCommand, QueryCommand, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import type { PriceListStore } from '../../core/catalog/ports.ts';
import { type PriceListVersion, priceListVersionSchema } from '../../core/catalog/price-list.ts';
import type { ProjectId } from '../../core/ids.ts';
import { documentOf, type Item, keyAttributes } from './attributes.ts';
import { billingKeys } from './keys.ts';
import { queryPage } from './paging.ts';
import { refusedPositions, rethrowUnrefused } from './refusals.ts';

/** Price lists in the Billing table: immutable items per currency, numbered without gaps because each expects the one before it. */
export function priceListStore(client: DynamoDBClient, table: string): PriceListStore {
  return {
    async newest(project, currency) {
      const { Items } = await client.send(
        new QueryCommand({
          TableName: table,
          KeyConditionExpression: 'pk = :pk AND begins_with(sk, :sk)',
          ExpressionAttributeValues: {
            ':pk': { S: billingKeys.priceListsOf(project) },
            ':sk': { S: billingKeys.priceListPrefix(currency) },
          },
          ScanIndexForward: false,
          ConsistentRead: true,
          Limit: 1,
        }),
      );
      return Items?.[0] && priceListOf(Items[0]);
    },

    async find(project, currency, version) {
      const key = keyAttributes(billingKeys.priceList(project, currency, version));
      const { Item } = await client.send(new GetItemCommand({ TableName: table, Key: key, ConsistentRead: true }));
      return Item && priceListOf(Item);
    },

    async create(project, version) {
      try {
        await client.send(creationOf(table, project, version));
        return 'stored';
      } catch (error) {
        if (refusedPositions(error).length > 0) return 'refused';
        return rethrowUnrefused(error);
      }
    },

    async list(project, page) {
      const { items, cursor } = await queryPage(client, { table, value: billingKeys.priceListsOf(project) }, page);
      return { items: items.map(priceListOf), cursor };
    },
  };
}

function priceListOf(item: Item): PriceListVersion {
  return priceListVersionSchema.parse(documentOf(item));
}

function creationOf(table: string, project: ProjectId, list: PriceListVersion): TransactWriteItemsCommand {
  const keyOf = (version: number) => keyAttributes(billingKeys.priceList(project, list.currency, version));
  const put = {
    Put: {
      TableName: table,
      Item: { ...keyOf(list.version), doc: { S: JSON.stringify(list) } },
      ConditionExpression: 'attribute_not_exists(pk)',
    },
  };
  const predecessor = {
    ConditionCheck: {
      TableName: table,
      Key: keyOf(list.version - 1),
      ConditionExpression: 'attribute_exists(pk)',
    },
  };
  return new TransactWriteItemsCommand({ TransactItems: list.version === 1 ? [put] : [put, predecessor] });
}
