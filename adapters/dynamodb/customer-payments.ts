import { type DynamoDBClient, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import type { Customer } from '../../core/accounts/customer.ts';
import type { CustomerPayment, CustomerPayments } from '../../core/payments/ports.ts';
import { documentOf, keyAttributes } from './attributes.ts';
import { billingKeys } from './keys.ts';
import { isConditionRefused } from './refusals.ts';

/** A customer's place at the provider, on the customer's own item: the attribute `payment` is written here and nothing else. */
export function customerPayments(client: DynamoDBClient, table: string): CustomerPayments {
  return {
    async find(project, customer) {
      const Key = keyAttributes(billingKeys.customer(project, customer));
      const { Item } = await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }));
      if (Item === undefined) return null;
      const payment = Item.payment?.S === undefined ? null : (JSON.parse(Item.payment.S) as CustomerPayment);
      return { customer: documentOf<Customer>(Item), payment };
    },
    async save(project, before, after) {
      try {
        await client.send(
          new UpdateItemCommand({
            TableName: table,
            Key: keyAttributes(billingKeys.customer(project, before.customer.id)),
            UpdateExpression: 'SET payment = :after',
            ConditionExpression:
              before.payment === null ? 'attribute_exists(pk) AND attribute_not_exists(payment)' : 'payment = :before',
            ExpressionAttributeValues: {
              ':after': { S: JSON.stringify(after) },
              ...(before.payment === null ? {} : { ':before': { S: JSON.stringify(before.payment) } }),
            },
          }),
        );
        return 'stored';
      } catch (error) {
        if (isConditionRefused(error)) return 'refused';
        throw error;
      }
    },
  };
}
