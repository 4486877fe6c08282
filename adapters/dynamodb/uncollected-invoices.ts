import { type DynamoDBClient, type TransactWriteItem, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import type { InvoiceId, ProjectId } from '../../core/ids.ts';
import type { Invoice } from '../../core/invoicing/invoice.ts';
import type { UncollectedInvoice, UncollectedInvoices } from '../../core/invoicing/ports.ts';
import { millisOf } from '../../core/time/instant.ts';
import { keyAttributes, textAt } from './attributes.ts';
import { billingKeys } from './keys.ts';
import { queryAll } from './query-all.ts';
import { isConditionRefused } from './refusals.ts';

type Note = Omit<UncollectedInvoice, 'isPushed'>;

export function uncollectedPut(
  table: string,
  { project, id, account, customer, currency }: Invoice,
): TransactWriteItem {
  const note: Note = { invoice: id, account, customer, currency };
  return {
    Put: {
      TableName: table,
      Item: { ...keyAttributes(billingKeys.uncollected(project, id)), doc: { S: JSON.stringify(note) } },
    },
  };
}

/** A note that says `settled` is passed over until DynamoDB has removed it, so that no function needs the right to delete. */
const KEPT_SECONDS = 86_400;

/** The notes of issued invoices whose money is still out; the transaction that issues writes them. */
export function uncollectedInvoices(client: DynamoDBClient, table: string): UncollectedInvoices {
  const mark = async (project: ProjectId, invoice: InvoiceId, expression: string, ttl?: number) => {
    try {
      await client.send(
        new UpdateItemCommand({
          TableName: table,
          Key: keyAttributes(billingKeys.uncollected(project, invoice)),
          UpdateExpression: expression,
          // A note that is gone must not come back as one without a document.
          ConditionExpression: 'attribute_exists(pk)',
          ExpressionAttributeValues: { ':yes': { BOOL: true }, ...(ttl && { ':ttl': { N: String(ttl) } }) },
          ...(ttl && { ExpressionAttributeNames: { '#ttl': 'ttl' } }),
        }),
      );
    } catch (error) {
      if (!isConditionRefused(error)) throw error;
    }
  };
  return {
    async list(project) {
      const items = await queryAll(client, {
        TableName: table,
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :pk',
        FilterExpression: 'attribute_not_exists(settled)',
        ExpressionAttributeValues: { ':pk': { S: billingKeys.uncollectedOf(project) } },
      });
      return items.map((item) => ({
        ...(JSON.parse(textAt(item, 'doc')) as Note),
        isPushed: item.pushed?.BOOL === true,
      }));
    },
    pushed: (project, invoice) => mark(project, invoice, 'SET pushed = :yes'),
    settled: (project, invoice, at) =>
      mark(project, invoice, 'SET settled = :yes, #ttl = :ttl', Math.ceil(millisOf(at) / 1000) + KEPT_SECONDS),
  };
}
