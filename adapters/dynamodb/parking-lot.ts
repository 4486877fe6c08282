import { DeleteItemCommand, type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { ProjectId } from '../../core/ids.ts';
import type { ParkedMessage, ParkingLot } from '../../core/usage/ports.ts';
import { type Item, numberAt, textAt } from './attributes.ts';
import { usageViewsKeys } from './keys.ts';
import { queryAll } from './query-all.ts';

/** Durable parking under derived names, without expiry: what is here waits until somebody replays or discards it. */
export function parkingLot(client: DynamoDBClient, table: string): ParkingLot {
  return {
    async park(project: ProjectId | 'system', message: ParkedMessage): Promise<void> {
      const { pk, sk } = usageViewsKeys.parked(project, message.name);
      await client.send(
        new PutItemCommand({
          TableName: table,
          Item: { pk: { S: pk }, sk: { S: sk }, ...parkedToItem(message) },
        }),
      );
    },

    async list(project: ProjectId | 'system'): Promise<readonly ParkedMessage[]> {
      const items = await queryAll(client, {
        TableName: table,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': { S: usageViewsKeys.parkedOf(project) } },
        ConsistentRead: true,
      });
      return items.map(parkedFromItem);
    },

    /** Removes a parked message once it has been replayed or discarded. */
    async remove(project: ProjectId | 'system', name: string): Promise<void> {
      const { pk, sk } = usageViewsKeys.parked(project, name);
      await client.send(new DeleteItemCommand({ TableName: table, Key: { pk: { S: pk }, sk: { S: sk } } }));
    },
  };
}

/** What is stored of a message beside its key. */
export function parkedToItem(message: ParkedMessage): Item {
  return {
    reason: { S: message.reason },
    detail: { S: message.detail },
    body: { S: message.body },
    n: { N: String(message.events) },
    a: { N: String(message.parkedAtMillis) },
  };
}

/** The inverse of `parkedToItem`; the name is the sort key. */
export function parkedFromItem(item: Item): ParkedMessage {
  return {
    name: textAt(item, 'sk'),
    reason: textAt(item, 'reason') as ParkedMessage['reason'],
    detail: textAt(item, 'detail'),
    body: textAt(item, 'body'),
    events: numberAt(item, 'n'),
    parkedAtMillis: numberAt(item, 'a'),
  };
}
