import {
  type DynamoDBClient,
  GetItemCommand,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import type { DraftBasis } from '../../core/invoicing/draft-basis.ts';
import type { PaymentRecord } from '../../core/payments/payment-record.ts';
import type { InvoicePayments, PaymentChange } from '../../core/payments/ports.ts';
import { keyAttributes, longTextAt, numberAt } from './attributes.ts';
import { invoiceFromItem } from './invoices.ts';
import { billingKeys } from './keys.ts';
import { outboxPut } from './outbox.ts';
import { refusedPositions, rethrowUnrefused } from './refusals.ts';
import { processedPut } from './webhook-events.ts';

/**
 * The payment of an invoice, on the invoice's own item: `status`, `payment` and `version` are written here and nothing else; `doc`
 * is frozen. Events and the mark of the webhook that caused the change go in the same transaction.
 */
export function invoicePayments(client: DynamoDBClient, table: string): InvoicePayments {
  return {
    async find(project, invoice) {
      const Key = keyAttributes(billingKeys.invoice(project, invoice));
      const { Item } = await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }));
      if (Item === undefined) return null;
      const payment = Item.payment?.S === undefined ? null : (JSON.parse(Item.payment.S) as PaymentRecord);
      const basis = Item.basis === undefined ? '{}' : longTextAt(Item, 'basis');
      const { unbilledSlices } = JSON.parse(basis) as Partial<DraftBasis>;
      return { invoice: invoiceFromItem(Item), payment, version: numberAt(Item, 'version'), unbilledSlices };
    },
    async save(change) {
      try {
        await client.send(new TransactWriteItemsCommand({ TransactItems: writesOf(table, change) }));
        return 'stored';
      } catch (error) {
        if (refusedPositions(error).includes(0)) return 'refused';
        return rethrowUnrefused(error);
      }
    },
  };
}

function writesOf(table: string, change: PaymentChange): TransactWriteItem[] {
  const { invoice, version } = change.stored;
  return [
    {
      Update: {
        TableName: table,
        Key: keyAttributes(billingKeys.invoice(invoice.project, invoice.id)),
        UpdateExpression: 'SET #status = :status, payment = :payment, version = :next',
        ConditionExpression: 'version = :version',
        ExpressionAttributeNames: { '#status': 'status' },
        ExpressionAttributeValues: {
          ':status': { S: change.status },
          ':payment': { S: JSON.stringify(change.payment) },
          ':next': { N: String(version + 1) },
          ':version': { N: String(version) },
        },
      },
    },
    ...change.events.map((event) => outboxPut(table, event)),
    ...(change.processed ? [processedPut(table, change.processed.notice, change.processed.at, 'applied')] : []),
  ];
}
