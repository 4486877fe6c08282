import { type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { ParkingDecision, ParkingDesk } from '../../core/usage/ports.ts';
import { type Item, keyAttributes, numberAt, textAt } from './attributes.ts';
import { usageViewsKeys } from './keys.ts';
import { queryPage } from './paging.ts';
import { parkedFromItem, parkedToItem } from './parking-lot.ts';

/** Parked messages one by one and in pages, and the decisions about them. Neither expires. */
export function parkingDesk(client: DynamoDBClient, table: string): ParkingDesk {
  const read = async (key: { pk: string; sk: string }) => {
    const Key = keyAttributes(key);
    return (await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }))).Item;
  };
  return {
    async find(project, name) {
      const item = await read(usageViewsKeys.parked(project, name));
      return item && parkedFromItem(item);
    },

    async page(project, page) {
      const { items, cursor } = await queryPage(client, { table, value: usageViewsKeys.parkedOf(project) }, page);
      return { items: items.map(parkedFromItem), cursor };
    },

    async record(project, decision) {
      await client.send(
        new PutItemCommand({
          TableName: table,
          Item: {
            ...keyAttributes(usageViewsKeys.decided(project, decision.name)),
            ...parkedToItem({ ...decision, body: decision.body ?? '' }),
            outcome: { S: decision.outcome },
            decided_by: { S: decision.by },
            decided_at: { N: String(decision.decidedAtMillis) },
          },
        }),
      );
    },

    async decision(project, name) {
      const item = await read(usageViewsKeys.decided(project, name));
      return item && decisionFromItem(item);
    },

    async decisions(project, page) {
      const { items, cursor } = await queryPage(client, { table, value: usageViewsKeys.decidedOf(project) }, page);
      return { items: items.map(decisionFromItem), cursor };
    },
  };
}

function decisionFromItem(item: Item): ParkingDecision {
  const outcome = textAt(item, 'outcome') as ParkingDecision['outcome'];
  const { body, ...message } = parkedFromItem(item);
  return {
    ...message,
    outcome,
    by: textAt(item, 'decided_by'),
    decidedAtMillis: numberAt(item, 'decided_at'),
    body: outcome === 'discarded' ? body : null,
  };
}
