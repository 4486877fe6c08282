import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { BillingRunList } from '../../core/invoicing/shown-invoice.ts';
import { billingRunFromItem } from './billing-runs.ts';
import { billingKeys } from './keys.ts';
import { queryPage } from './paging.ts';

/** The billing runs of a project, newest first. */
export function billingRunList(client: DynamoDBClient, table: string): BillingRunList {
  return {
    async list(project, page) {
      const list = { table, index: 'by_project', value: billingKeys.runListOf(project), newestFirst: true } as const;
      const { items, cursor } = await queryPage(client, list, page);
      return { items: items.map(billingRunFromItem), cursor };
    },
  };
}
