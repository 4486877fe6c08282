import { type DynamoDBClient, PutItemCommand, type TransactWriteItem } from '@aws-sdk/client-dynamodb';
import type { WebhookEvents, WebhookNotice } from '../../core/payments/ports.ts';
import { type Instant, millisOf } from '../../core/time/instant.ts';
import type { Item } from './attributes.ts';
import { keyAttributes } from './attributes.ts';
import { billingKeys } from './keys.ts';

/** Longer than Stripe's own 30 days of events, so that no replay of theirs outlives our memory. */
const KEPT_SECONDS = 90 * 86_400;

/** Webhooks of providers by their event id: kept when they arrive, marked processed only together with their effect. */
export function webhookEvents(client: DynamoDBClient, table: string): WebhookEvents {
  return {
    async receive(notice, at) {
      try {
        const Item = itemOf(notice, at);
        await client.send(
          new PutItemCommand({
            TableName: table,
            Item,
            ConditionExpression: 'attribute_not_exists(pk)',
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          }),
        );
        return 'waiting';
      } catch (error) {
        if (!(error instanceof Error) || error.name !== 'ConditionalCheckFailedException') throw error;
        const known = (error as { Item?: Item }).Item;
        return known?.processedAt === undefined ? 'waiting' : 'processed';
      }
    },
    async markProcessed(notice, at, outcome) {
      const { Put } = processedPut(table, notice, at, outcome);
      await client.send(new PutItemCommand({ TableName: table, Item: Put?.Item }));
    },
  };
}

/** The mark that a webhook was acted on, to be part of the transaction of its effect. */
export function processedPut(table: string, notice: WebhookNotice, at: Instant, outcome: string): TransactWriteItem {
  const item = { ...itemOf(notice, at), processedAt: { S: at }, outcome: { S: outcome } };
  return { Put: { TableName: table, Item: item } };
}

function itemOf(notice: WebhookNotice, at: Instant): Item {
  return {
    ...keyAttributes(billingKeys.webhookEvent(notice.project, notice.provider, notice.event)),
    doc: { S: JSON.stringify(notice) },
    receivedAt: { S: at },
    ttl: { N: String(Math.floor(millisOf(at) / 1000) + KEPT_SECONDS) },
  };
}
