import {
  type AttributeValue,
  type CancellationReason,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  TransactionCanceledException,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import type { ProjectId } from '../../core/ids.ts';
import { hourKey, type PartitionHeader } from '../../core/usage/log-partition.ts';
import type { UsageClaims } from '../../core/usage/ports.ts';
import { bornHourEnd, logExpirySeconds } from '../../core/usage/retention.ts';
import { documentOf, type Item, numberAt, textAt } from './attributes.ts';
import { usageClaimsKeys } from './keys.ts';

/**
 * Claims and headers: written once, for ever, by whoever comes first; everybody else reads them in the answer to the refused
 * put. A claim only chooses a partition and a time; it never says that an event was counted.
 */
export function usageClaims(client: DynamoDBClient, table: string): UsageClaims {
  const store: Store = { client, table };
  return {
    async claim(project: ProjectId, identity: string, millis: number): Promise<number> {
      const existing = await putOnce(store, claimItem(project, identity, millis));
      return existing === null ? millis : numberAt(existing, 'm');
    },

    async claimTogether(project: ProjectId, identities: readonly string[], millis: number) {
      const claimed = await putTogether(
        store,
        identities.map((identity) => claimItem(project, identity, millis)),
      );
      return claimed.map((existing) => (existing === null ? millis : existing && numberAt(existing, 'm')));
    },

    async pinHeader(project: ProjectId, bornMillis: number, header: PartitionHeader): Promise<PartitionHeader> {
      const existing = await putOnce(store, {
        pk: { S: usageClaimsKeys.header(project, hourKey(bornMillis)).pk },
        doc: { S: JSON.stringify(header) },
        ttl: { N: String(logExpirySeconds(bornHourEnd(bornMillis))) },
      });
      return existing === null ? header : (JSON.parse(textAt(existing, 'doc')) as PartitionHeader);
    },

    async findClaim(project: ProjectId, identity: string): Promise<number | undefined> {
      const Key = { pk: { S: usageClaimsKeys.claim(project, identity).pk } };
      const { Item } = await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }));
      return Item && numberAt(Item, 'm');
    },

    async findHeader(project: ProjectId, bornMillis: number): Promise<PartitionHeader | undefined> {
      const Key = { pk: { S: usageClaimsKeys.header(project, hourKey(bornMillis)).pk } };
      const { Item } = await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }));
      return Item && documentOf<PartitionHeader>(Item);
    },
  };
}

interface Store {
  readonly client: DynamoDBClient;
  readonly table: string;
}

function claimItem(project: ProjectId, identity: string, millis: number): Item {
  return {
    pk: { S: usageClaimsKeys.claim(project, identity).pk },
    m: { N: String(millis) },
    ttl: { N: String(logExpirySeconds(bornHourEnd(millis))) },
  };
}

function guardedPut(table: string, item: Record<string, AttributeValue>) {
  return {
    TableName: table,
    Item: item,
    ConditionExpression: 'attribute_not_exists(pk)',
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
  };
}

/** Puts an item unless its key is taken. Returns null if it was put, else the item that was there. */
async function putOnce({ client, table }: Store, item: Item): Promise<Item | null> {
  try {
    await client.send(new PutItemCommand(guardedPut(table, item)));
    return null;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException && error.Item !== undefined) return error.Item;
    throw error;
  }
}

/** Puts all items, or none: then the items that were there, and undefined for those whose keys may still be free. */
async function putTogether({ client, table }: Store, items: readonly Item[]): Promise<(Item | null | undefined)[]> {
  try {
    await client.send(
      new TransactWriteItemsCommand({ TransactItems: items.map((item) => ({ Put: guardedPut(table, item) })) }),
    );
    return items.map(() => null);
  } catch (error) {
    if (!(error instanceof TransactionCanceledException)) throw error;
    const reasons: readonly CancellationReason[] = error.CancellationReasons ?? [];
    return items.map((_item, i) => reasons[i]?.Item);
  }
}
