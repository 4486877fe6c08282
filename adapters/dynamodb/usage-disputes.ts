import { type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { Clock } from '../../core/time/clock.ts';
import { millisOf } from '../../core/time/instant.ts';
import type { UsageDisputes } from '../../core/usage/ports.ts';
import { keyAttributes, textAt } from './attributes.ts';
import { usageViewsKeys } from './keys.ts';
import { queryAll } from './query-all.ts';

/** Days whose views and log did not agree, beside the views they are about. A settled one stays, with when it was settled. */
export function usageDisputes(client: DynamoDBClient, table: string, clock: Clock): UsageDisputes {
  const put = async (at: Parameters<typeof usageViewsKeys.dispute>, state: 'open' | 'settled', detail: string) => {
    const [, , day] = at;
    const item = {
      ...keyAttributes(usageViewsKeys.dispute(...at)),
      ...{ day: { S: day }, state: { S: state }, detail: { S: detail }, at: { N: String(millisOf(clock.now())) } },
    };
    await client.send(new PutItemCommand({ TableName: table, Item: item }));
  };
  return {
    open: (project, customer, day, detail) => put([project, customer, day], 'open', detail),
    settle: (project, customer, day) => put([project, customer, day], 'settled', 'Rebuilt from the log.'),
    async openDays(project, customer) {
      const items = await queryAll(client, {
        TableName: table,
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :sk)',
        ExpressionAttributeValues: {
          ':pk': { S: usageViewsKeys.viewsOf(project, customer) },
          ':sk': { S: usageViewsKeys.disputePrefix },
        },
      });
      return items.filter((item) => textAt(item, 'state') === 'open').map((item) => textAt(item, 'day'));
    },
  };
}
