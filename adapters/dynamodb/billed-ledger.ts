import { type DynamoDBClient, GetItemCommand, PutItemCommand, type TransactWriteItem } from '@aws-sdk/client-dynamodb';
import type { ProjectId } from '../../core/ids.ts';
import { type BilledEntry, EMPTY_LEDGER, type LedgerHead } from '../../core/invoicing/account-ledger.ts';
import { billedEntryFromJson, billedEntryToJson } from '../../core/invoicing/basis-json.ts';
import type { AccountLooks, LedgerReads } from '../../core/invoicing/ports.ts';
import { type Item, longText, longTextAt, textAt } from './attributes.ts';
import { billingKeys } from './keys.ts';
import { queryAll } from './query-all.ts';
import { isConditionRefused } from './refusals.ts';

/**
 * The billed ledger of each account in the billing table: a head and one entry per period and invoice, never changed. The head
 * stands in `by_project` under the instant of the account's next look, while there is one.
 */
export function billedLedger(client: DynamoDBClient, table: string): LedgerReads & AccountLooks {
  return {
    async head(project, account) {
      const { pk, sk } = billingKeys.ledgerHead(project, account);
      const answer = await client.send(
        new GetItemCommand({ TableName: table, Key: { pk: { S: pk }, sk: { S: sk } }, ConsistentRead: true }),
      );
      return answer.Item === undefined ? EMPTY_LEDGER : (JSON.parse(textAt(answer.Item, 'doc')) as LedgerHead);
    },
    async entries(project, account, period) {
      const items = await queryAll(client, {
        TableName: table,
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :sk)',
        ExpressionAttributeValues: {
          ':pk': { S: billingKeys.billedOf(project, account) },
          ':sk': { S: billingKeys.billedPeriod(period) },
        },
      });
      return items.map((item) => billedEntryFromJson(longTextAt(item, 'doc')));
    },
    async due(project, until) {
      const items = await queryAll(client, {
        TableName: table,
        IndexName: 'by_project',
        KeyConditionExpression: 'p1 = :p1 AND s1 < :until',
        ExpressionAttributeValues: {
          ':p1': { S: billingKeys.looksOf(project) },
          ':until': { S: billingKeys.dueUntil(until) },
        },
      });
      return items.map((item) => textAt(item, 'account'));
    },
    async looked(project, account, head) {
      const put = headPut({ project, account, expected: head.sequence, head });
      try {
        await client.send(new PutItemCommand({ TableName: table, ...put }));
      } catch (error) {
        if (!isConditionRefused(error)) throw error;
      }
    },
  };
}

export interface LedgerWrite {
  readonly project: ProjectId;
  readonly account: string;
  /** The sequence the head must have now. */
  readonly expected: number;
  readonly head: LedgerHead;
  readonly entries: readonly BilledEntry[];
}

/** The writes of one issue: first the head, moved from exactly the expected sequence, then its entries, each put once. */
export function ledgerWrites(table: string, write: LedgerWrite): TransactWriteItem[] {
  const { project, account } = write;
  return [
    { Put: { TableName: table, ...headPut(write) } },
    ...write.entries.map((entry) => {
      const key = billingKeys.billed(project, account, entry.period, entry.invoice);
      return {
        Put: {
          TableName: table,
          Item: { pk: { S: key.pk }, sk: { S: key.sk }, doc: longText(billedEntryToJson(entry)) },
          ConditionExpression: 'attribute_not_exists(pk)',
        },
      };
    }),
  ];
}

/** The head over exactly the expected sequence of itself. */
function headPut({ project, account, expected, head }: Omit<LedgerWrite, 'entries'>) {
  const { pk, sk } = billingKeys.ledgerHead(project, account);
  const look = head.lookAt === undefined ? null : billingKeys.look(project, head.lookAt, account);
  const Item: Item = {
    pk: { S: pk },
    sk: { S: sk },
    ...(look !== null && { p1: { S: look.p1 }, s1: { S: look.s1 } }),
    account: { S: account },
    seq: { N: String(head.sequence) },
    doc: { S: JSON.stringify(head) },
  };
  if (expected === 0) return { Item, ConditionExpression: 'attribute_not_exists(pk)' };
  return { Item, ConditionExpression: 'seq = :seq', ExpressionAttributeValues: { ':seq': { N: String(expected) } } };
}
