import { BatchGetItemCommand, type DynamoDBClient, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import type { Customer } from '../../core/accounts/customer.ts';
import type { CustomerStore, SeenCustomers, StoredCustomer } from '../../core/accounts/ports.ts';
import { BillingError } from '../../core/errors.ts';
import type { CustomerId, ProjectId, SubscriptionId } from '../../core/ids.ts';
import { documentOf, type Item, keyAttributes, numberAt, textAt } from './attributes.ts';
import { billingKeys, usageViewsKeys } from './keys.ts';
import { queryPage } from './paging.ts';
import { isConditionRefused } from './refusals.ts';

/**
 * Customers in the Billing table. `doc` is the customer, `version` guards writes, `subscriptions` holds the ids of its
 * subscriptions. Writes change these only: `payment` on the same item belongs to the payment adapters.
 */
export function customerStore(client: DynamoDBClient, table: string): CustomerStore {
  return {
    async find(project, id) {
      const key = keyAttributes(billingKeys.customer(project, id));
      const { Item } = await client.send(new GetItemCommand({ TableName: table, Key: key, ConsistentRead: true }));
      return Item && customerFromItem(Item);
    },

    async put(project, customer, expected) {
      try {
        await client.send(putOf({ table, project, customer, expected }));
        return 'stored';
      } catch (error) {
        if (isConditionRefused(error)) return 'refused';
        throw error;
      }
    },

    async list(project, page) {
      const list = { table, value: billingKeys.customersOf(project) };
      const { items, cursor } = await queryPage(client, list, page);
      return { items: items.map((item) => customerFromItem(item).customer), cursor };
    },

    async known(project, ids) {
      if (ids.length === 0) return new Set();
      const Keys = ids.map((id) => keyAttributes(billingKeys.customer(project, id)));
      const answer = await client.send(
        new BatchGetItemCommand({ RequestItems: { [table]: { Keys, ProjectionExpression: 'doc' } } }),
      );
      if (answer.UnprocessedKeys?.[table]) throw busy();
      return new Set((answer.Responses?.[table] ?? []).map((item) => documentOf<Customer>(item).id));
    },
  };
}

/** Customers that usage has named, in the usage views. */
export function seenCustomers(client: DynamoDBClient, usageViewsTable: string): SeenCustomers {
  return {
    async list(project, page) {
      const list = { table: usageViewsTable, value: usageViewsKeys.seenOf(project) };
      const { items, cursor } = await queryPage(client, list, page);
      return { items: items.map((item) => textAt(item, 'sk') as CustomerId), cursor };
    },
  };
}

export function customerFromItem(item: Item): StoredCustomer {
  return {
    customer: documentOf<Customer>(item),
    version: numberAt(item, 'version'),
    subscriptions: (item.subscriptions?.SS ?? []).toSorted() as SubscriptionId[],
  };
}

function putOf(write: { table: string; project: ProjectId; customer: Customer; expected: number }) {
  const { table, project, customer, expected } = write;
  return new UpdateItemCommand({
    TableName: table,
    Key: keyAttributes(billingKeys.customer(project, customer.id)),
    UpdateExpression: 'SET doc = :doc, version = :next',
    ConditionExpression: expected === 0 ? 'attribute_not_exists(pk)' : 'version = :expected',
    ExpressionAttributeValues: {
      ':doc': { S: JSON.stringify(customer) },
      ':next': { N: String(expected + 1) },
      ...(expected > 0 && { ':expected': { N: String(expected) } }),
    },
  });
}

function busy(): BillingError {
  return new BillingError({
    kind: 'not-ready',
    code: 'service_unavailable',
    message: 'The database could not answer for all customers of this page. Send the same request again.',
  });
}
