import {
  type DynamoDBClient,
  GetItemCommand,
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import type { ProjectId } from '../../core/ids.ts';
import type { IssueAnswer, IssueTransaction, IssuingDesk } from '../../core/invoicing/ports.ts';
import { numberAt } from './attributes.ts';
import { ledgerWrites } from './billed-ledger.ts';
import { outcomePut } from './billing-runs.ts';
import { invoiceItem } from './invoices.ts';
import { billingKeys } from './keys.ts';
import { outboxPut } from './outbox.ts';
import { subscriptionItem } from './subscription-item.ts';
import { uncollectedPut } from './uncollected-invoices.ts';

/**
 * Issues an invoice in one transaction: counter, invoice, ledger, subscriptions, events, the run's outcome and the note that
 * the provider is to get it. All of it or nothing, so there is no moment in which a number is taken and not used, or a period
 * billed and still due.
 */
export function issuingDesk(client: DynamoDBClient, table: string): IssuingDesk {
  return {
    async count(project) {
      const { pk, sk } = billingKeys.invoiceCounter(project);
      const answer = await client.send(
        new GetItemCommand({ TableName: table, Key: { pk: { S: pk }, sk: { S: sk } }, ConsistentRead: true }),
      );
      return answer.Item === undefined ? 0 : numberAt(answer.Item, 'count');
    },
    async issue(transaction) {
      try {
        await client.send(new TransactWriteItemsCommand({ TransactItems: issueWrites(table, transaction) }));
        return { result: 'issued' };
      } catch (error) {
        if (error instanceof TransactionCanceledException) return answerOf(error, transaction);
        throw error;
      }
    },
  };
}

const COUNTER = 0;
const INVOICE = 1;
const LEDGER = 2;

function issueWrites(table: string, transaction: IssueTransaction): TransactWriteItem[] {
  const { draft, issued, subscriptions, events, run, outcome } = transaction;
  const { project, account } = issued;
  return [
    counterUpdate(table, issued.project, transaction.count),
    {
      Put: {
        TableName: table,
        Item: invoiceItem(issued, draft.basis, draft.version + 1),
        ConditionExpression: 'version = :version AND #status = :draft',
        ExpressionAttributeNames: { '#status': 'status' },
        ExpressionAttributeValues: { ':version': { N: String(draft.version) }, ':draft': { S: 'draft' } },
      },
    },
    ...ledgerWrites(table, {
      project,
      account,
      expected: draft.basis.ledgerSequence,
      head: draft.basis.head,
      entries: draft.basis.entries,
    }),
    ...subscriptions.map(({ stored, timeZone }) => ({
      Put: {
        TableName: table,
        Item: subscriptionItem(project, stored, timeZone),
        ConditionExpression: 'version = :version',
        ExpressionAttributeValues: { ':version': { N: String(stored.version - 1) } },
      },
    })),
    ...events.map((event) => outboxPut(table, event)),
    outcomePut(table, project, run, outcome),
    ...(transaction.isToBePushed ? [uncollectedPut(table, issued)] : []),
  ];
}

/** Moves the counter from the number before to this one; a counter elsewhere refuses and tells where it is. */
function counterUpdate(table: string, project: ProjectId, count: number): TransactWriteItem {
  const { pk, sk } = billingKeys.invoiceCounter(project);
  const isFirst = count === 1;
  return {
    Update: {
      TableName: table,
      Key: { pk: { S: pk }, sk: { S: sk } },
      UpdateExpression: 'SET #count = :after',
      ConditionExpression: isFirst ? 'attribute_not_exists(pk)' : '#count = :before',
      ExpressionAttributeNames: { '#count': 'count' },
      ExpressionAttributeValues: {
        ':after': { N: String(count) },
        ...(isFirst ? {} : { ':before': { N: String(count - 1) } }),
      },
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    },
  };
}

/** What a refused transaction says. A stale draft is told before a taken number: no other number would help it. */
function answerOf(error: TransactionCanceledException, transaction: IssueTransaction): IssueAnswer {
  const reasons = error.CancellationReasons ?? [];
  const refused = reasons.flatMap((reason, position) => (reason.Code === 'ConditionalCheckFailed' ? [position] : []));
  const stale = refused.find((position) => position !== COUNTER);
  if (stale !== undefined) return { result: 'stale', what: nameOf(stale, transaction) };
  if (refused.includes(COUNTER)) {
    const item = reasons[COUNTER]?.Item;
    return { result: 'number_taken', count: item === undefined ? 0 : numberAt(item, 'count') };
  }
  const isBusy = reasons.some((reason) =>
    ['TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded'].includes(reason.Code ?? ''),
  );
  if (isBusy) return { result: 'busy' };
  throw error;
}

function nameOf(position: number, transaction: IssueTransaction): string {
  if (position === INVOICE) return 'the draft';
  if (position <= LEDGER + transaction.draft.basis.entries.length) return "the account's ledger";
  return 'a subscription';
}
