import { type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import type { InvoiceList, InvoiceWithPayment, ShownPayment } from '../../core/invoicing/shown-invoice.ts';
import { type Item, keyAttributes } from './attributes.ts';
import { invoiceFromItem } from './invoices.ts';
import { billingKeys } from './keys.ts';
import { queryPage } from './paging.ts';

/** Invoices with their payment, one by one and in lists, for the API. */
export function invoiceList(client: DynamoDBClient, table: string): InvoiceList {
  return {
    async find(project, id) {
      const Key = keyAttributes(billingKeys.invoice(project, id));
      const { Item } = await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }));
      return Item && withPayment(Item);
    },

    async list(project, page, customer) {
      const list =
        customer === undefined
          ? ({ index: 'by_project', value: billingKeys.invoicesOf(project) } as const)
          : ({
              index: 'by_customer',
              value: billingKeys.customerOf(project, customer),
              prefix: billingKeys.customerKind('invoice'),
            } as const);
      const { items, cursor } = await queryPage(client, { table, newestFirst: true, ...list }, page);
      return { items: items.map(withPayment), cursor };
    },
  };
}

function withPayment(item: Item): InvoiceWithPayment {
  const payment: ShownPayment | null = item.payment?.S === undefined ? null : JSON.parse(item.payment.S);
  return { invoice: invoiceFromItem(item), payment };
}
