import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { basisFromJson, basisToJson } from '../../core/invoicing/basis-json.ts';
import type { DraftBasis } from '../../core/invoicing/draft-basis.ts';
import type { Invoice, InvoiceStatus } from '../../core/invoicing/invoice.ts';
import { invoiceFromJson, invoiceToJson } from '../../core/invoicing/invoice-json.ts';
import type { Drafts, StoredInvoice } from '../../core/invoicing/ports.ts';
import { type Item, longText, longTextAt, numberAt, textAt } from './attributes.ts';
import { billingKeys } from './keys.ts';

/**
 * Invoices in the billing table. `doc` is the invoice, rewritten while it is a draft and frozen by its issue; `status` is the
 * status that counts (payment moves it on after the issue); `version` guards every write; `basis` is what the draft was
 * measured against.
 */
export function invoiceItem(invoice: Invoice, basis: DraftBasis, version: number): Item {
  const key = billingKeys.invoice(invoice.project, invoice.id);
  const list = billingKeys.invoiceList(invoice.project, invoice.draftedAt, invoice.id);
  const ofCustomer = billingKeys.ofCustomer(
    invoice.project,
    invoice.customer,
    'invoice',
    `${invoice.draftedAt}/${invoice.id}`,
  );
  return {
    pk: { S: key.pk },
    sk: { S: key.sk },
    p1: { S: list.p1 },
    s1: { S: list.s1 },
    p2: { S: ofCustomer.p2 },
    s2: { S: ofCustomer.s2 },
    status: { S: invoice.status },
    version: { N: String(version) },
    doc: longText(invoiceToJson(invoice)),
    basis: longText(basisToJson(basis)),
  };
}

/** The invoice of an item, with the status that counts. */
export function invoiceFromItem(item: Item): Invoice {
  return { ...invoiceFromJson(longTextAt(item, 'doc')), status: textAt(item, 'status') as InvoiceStatus };
}

export function storedInvoiceFromItem(item: Item): StoredInvoice {
  return {
    invoice: invoiceFromItem(item),
    version: numberAt(item, 'version'),
    basis: basisFromJson(longTextAt(item, 'basis')),
  };
}

/** Drafts in the billing table. */
export function dynamoDrafts(client: DynamoDBClient, table: string): Drafts {
  return {
    async find(project, invoice) {
      const { pk, sk } = billingKeys.invoice(project, invoice);
      const answer = await client.send(
        new GetItemCommand({ TableName: table, Key: { pk: { S: pk }, sk: { S: sk } }, ConsistentRead: true }),
      );
      return answer.Item === undefined ? null : storedInvoiceFromItem(answer.Item);
    },
    async put(invoice, basis, expected) {
      try {
        await client.send(
          new PutItemCommand({
            TableName: table,
            Item: invoiceItem(invoice, basis, expected + 1),
            ...(expected === 0
              ? { ConditionExpression: 'attribute_not_exists(pk)' }
              : {
                  ConditionExpression: 'version = :version AND #status = :draft',
                  ExpressionAttributeNames: { '#status': 'status' },
                  ExpressionAttributeValues: { ':version': { N: String(expected) }, ':draft': { S: 'draft' } },
                }),
          }),
        );
        return 'stored';
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return 'refused';
        throw error;
      }
    },
  };
}
