import {
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import type { QuotaKey } from '../../core/entitlements/feature.ts';
import type { Reservation, ReservationStore } from '../../core/entitlements/ports.ts';
import { bornHourEnd, logExpirySeconds } from '../../core/usage/retention.ts';
import { type Item, keyAttributes, numberAt, textAt } from './attributes.ts';
import { type Key, usageViewsKeys } from './keys.ts';
import { queryAll } from './query-all.ts';
import { quotaItemKey } from './quotas.ts';
import { isTransactionConflict, refusedPositions } from './refusals.ts';

/** Reservations of consumptions in the table of the views, beside the quotas they are taken out of. */
export function reservationStore(client: DynamoDBClient, table: string): ReservationStore {
  const get = async (key: Key): Promise<Item | undefined> => {
    const command = new GetItemCommand({ TableName: table, Key: keyAttributes(key), ConsistentRead: true });
    return (await client.send(command)).Item;
  };
  return {
    async reserve(reservation, quota, guard) {
      const TransactItems = reservingOf(table, reservation, quota, guard);
      try {
        await client.send(new TransactWriteItemsCommand({ TransactItems }));
        return 'reserved';
      } catch (error) {
        const refused = refusedPositions(error);
        if (refused.includes(0)) return 'exists';
        if (refused.length > 0 || isTransactionConflict(error)) return 'refused';
        throw error;
      }
    },

    async find(project, identity) {
      const item = await get(usageViewsKeys.reservation(project, identity));
      return item && { request: textAt(item, 'request'), quantity: textAt(item, 'quantity') };
    },

    async unsent(project, identity) {
      const item = await get(usageViewsKeys.unsent(project, identity));
      return item && textAt(item, 'm');
    },

    async sent(project, identity) {
      const Key = keyAttributes(usageViewsKeys.unsent(project, identity));
      await client.send(new DeleteItemCommand({ TableName: table, Key }));
    },

    async allUnsent(project) {
      const items = await queryAll(client, {
        TableName: table,
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': { S: usageViewsKeys.unsentOf(project) } },
      });
      return items.map((item) => ({
        identity: textAt(item, 'sk'),
        message: textAt(item, 'm'),
        madeAtMillis: numberAt(item, 'a'),
      }));
    },
  };
}

function reservingOf(
  table: string,
  { project, identity, request, quantity, message, madeAtMillis }: Reservation,
  quota: QuotaKey,
  guard: { readonly version: number; readonly mostConsumed: string } | null,
): TransactWriteItem[] {
  const kept = {
    ...keyAttributes(usageViewsKeys.reservation(project, identity)),
    request: { S: request },
    quantity: { S: quantity },
    // As long as the log could still take the event for a new one.
    ttl: { N: String(logExpirySeconds(bornHourEnd(madeAtMillis))) },
  };
  const waiting = {
    ...keyAttributes(usageViewsKeys.unsent(project, identity)),
    m: { S: message },
    a: { N: String(madeAtMillis) },
  };
  const guarded =
    guard === null
      ? { condition: 'attribute_exists(pk)', values: {} }
      : {
          condition: 'v = :v AND c <= :most',
          values: { ':v': { N: String(guard.version) }, ':most': { N: guard.mostConsumed } },
        };
  return [
    { Put: { TableName: table, Item: kept, ConditionExpression: 'attribute_not_exists(pk)' } },
    { Put: { TableName: table, Item: waiting } },
    {
      Update: {
        TableName: table,
        Key: quotaItemKey(quota),
        UpdateExpression: 'SET c = c + :n',
        ConditionExpression: guarded.condition,
        ExpressionAttributeValues: { ':n': { N: quantity }, ...guarded.values },
      },
    },
  ];
}
