import { type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { billingSettingsSchema } from '../../core/invoicing/billing-settings.ts';
import type { BillingSettingsStore } from '../../core/invoicing/ports.ts';
import { keyAttributes, textAt } from './attributes.ts';
import { billingKeys } from './keys.ts';

/** How a project bills, as one item; without it the defaults count. */
export function billingSettingsStore(client: DynamoDBClient, table: string): BillingSettingsStore {
  return {
    async settings(project) {
      const Key = keyAttributes(billingKeys.billingSettings(project));
      const { Item } = await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }));
      return billingSettingsSchema.parse(Item === undefined ? {} : JSON.parse(textAt(Item, 'doc')));
    },
    async putSettings(project, settings) {
      const key = keyAttributes(billingKeys.billingSettings(project));
      const Item = { ...key, doc: { S: JSON.stringify(settings) } };
      await client.send(new PutItemCommand({ TableName: table, Item }));
    },
  };
}
