import {
  BatchGetItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import type { StoredCustomer, SubscriptionStore } from '../../core/accounts/ports.ts';
import type { StoredSubscription, Subscription } from '../../core/accounts/subscription.ts';
import { BillingError } from '../../core/errors.ts';
import type { ProjectId } from '../../core/ids.ts';
import { keyAttributes } from './attributes.ts';
import { billingKeys } from './keys.ts';
import { queryPage } from './paging.ts';
import { refusedPositions, rethrowUnrefused } from './refusals.ts';
import { subscriptionFromItem, subscriptionItem } from './subscription-item.ts';

/** Subscriptions in the Billing table; their item, and the due index it stands in, is built by subscription-item.ts. */
export function subscriptionStore(client: DynamoDBClient, table: string): SubscriptionStore {
  return {
    async find(project, id) {
      const key = keyAttributes(billingKeys.subscription(project, id));
      const { Item } = await client.send(new GetItemCommand({ TableName: table, Key: key, ConsistentRead: true }));
      return Item && subscriptionFromItem(Item);
    },

    async findAll(project, ids) {
      if (ids.length === 0) return [];
      const Keys = ids.map((id) => keyAttributes(billingKeys.subscription(project, id)));
      const answer = await client.send(
        new BatchGetItemCommand({ RequestItems: { [table]: { Keys, ConsistentRead: true } } }),
      );
      if (answer.UnprocessedKeys?.[table]) throw busy();
      return (answer.Responses?.[table] ?? []).map(subscriptionFromItem);
    },

    async list(project, page) {
      const list = { table, value: billingKeys.subscriptionsOf(project) };
      const { items, cursor } = await queryPage(client, list, page);
      return { items: items.map((item) => subscriptionFromItem(item).subscription), cursor };
    },

    async create(project, subscription, customer) {
      try {
        await client.send(creationOf(table, project, subscription, customer));
        return 'stored';
      } catch (error) {
        const refused = refusedPositions(error);
        if (refused.includes(0)) return 'exists';
        if (refused.length > 0) return 'refused';
        return rethrowUnrefused(error);
      }
    },

    async replace(project, subscription, expected, customer) {
      try {
        await client.send(replacementOf(table, project, { subscription, version: expected + 1 }, customer));
        return 'stored';
      } catch (error) {
        if (refusedPositions(error).length > 0) return 'refused';
        return rethrowUnrefused(error);
      }
    },
  };
}

function replacementOf(table: string, project: ProjectId, next: StoredSubscription, stored: StoredCustomer) {
  return new TransactWriteItemsCommand({
    TransactItems: [
      {
        Put: {
          TableName: table,
          Item: subscriptionItem(project, next, stored.customer.timeZone),
          ConditionExpression: 'version = :expected',
          ExpressionAttributeValues: { ':expected': { N: String(next.version - 1) } },
        },
      },
      {
        Update: {
          TableName: table,
          Key: keyAttributes(billingKeys.customer(project, next.subscription.customer)),
          UpdateExpression: 'SET version = :next',
          ConditionExpression: 'version = :version',
          ExpressionAttributeValues: {
            ':version': { N: String(stored.version) },
            ':next': { N: String(stored.version + 1) },
          },
        },
      },
    ],
  });
}

function creationOf(table: string, project: ProjectId, subscription: Subscription, stored: StoredCustomer) {
  return new TransactWriteItemsCommand({
    TransactItems: [
      {
        Put: {
          TableName: table,
          Item: subscriptionItem(project, { subscription, version: 1 }, stored.customer.timeZone),
          ConditionExpression: 'attribute_not_exists(pk)',
        },
      },
      {
        Update: {
          TableName: table,
          Key: keyAttributes(billingKeys.customer(project, subscription.customer)),
          UpdateExpression: 'ADD subscriptions :id SET version = :next',
          ConditionExpression: 'version = :version',
          ExpressionAttributeValues: {
            ':id': { SS: [subscription.id] },
            ':version': { N: String(stored.version) },
            ':next': { N: String(stored.version + 1) },
          },
        },
      },
    ],
  });
}

function busy(): BillingError {
  return new BillingError({
    kind: 'not-ready',
    code: 'service_unavailable',
    message: "The database could not answer for all of the customer's subscriptions. Send the same request again.",
  });
}
