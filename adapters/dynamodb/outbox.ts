import {
  BatchWriteItemCommand,
  type DynamoDBClient,
  QueryCommand,
  type TransactWriteItem,
} from '@aws-sdk/client-dynamodb';
import type { Outbox, WaitingEvent } from '../../core/events/ports.ts';
import type { ProductEvent } from '../../core/events/product-event.ts';
import type { ProjectId } from '../../core/ids.ts';
import { billingKeys } from './keys.ts';

/**
 * The put that lays an event into the outbox, to be part of the transaction that makes the event true. Unconditional: the id
 * derives from the fact, so that a second put of the same fact rewrites the same entry or, once it was published, sends the
 * same id again.
 */
export function outboxPut(table: string, event: ProductEvent): TransactWriteItem {
  const key = billingKeys.outbox(event.project, event.occurredAt, event.id);
  return {
    Put: {
      TableName: table,
      Item: { pk: { S: key.pk }, sk: { S: key.sk }, outbox: { S: '1' }, doc: { S: JSON.stringify(event) } },
    },
  };
}

const DELETES_PER_CALL = 25;

/** The outbox in the billing table. */
export function dynamoOutbox(client: DynamoDBClient, table: string): Outbox {
  return {
    async waiting(project, after, limit) {
      const pk = billingKeys.outboxOf(project);
      const answer = await client.send(
        new QueryCommand({
          TableName: table,
          ConsistentRead: true,
          Limit: limit,
          KeyConditionExpression: after === null ? 'pk = :pk' : 'pk = :pk AND sk > :after',
          ExpressionAttributeValues: { ':pk': { S: pk }, ...(after === null ? {} : { ':after': { S: after } }) },
        }),
      );
      return (answer.Items ?? []).map(
        (item): WaitingEvent => ({
          entry: item.sk?.S ?? '',
          event: JSON.parse(item.doc?.S ?? '{}') as ProductEvent,
        }),
      );
    },
    async remove(project, entries) {
      for (let start = 0; start < entries.length; start += DELETES_PER_CALL) {
        await removeSome(client, table, project, entries.slice(start, start + DELETES_PER_CALL));
      }
    },
  };
}

/** What stays unprocessed stays in the outbox and is published again with the same id: allowed, so no repetition here. */
async function removeSome(client: DynamoDBClient, table: string, project: ProjectId, entries: readonly string[]) {
  const pk = billingKeys.outboxOf(project);
  await client.send(
    new BatchWriteItemCommand({
      RequestItems: {
        [table]: entries.map((sk) => ({ DeleteRequest: { Key: { pk: { S: pk }, sk: { S: sk } } } })),
      },
    }),
  );
}
