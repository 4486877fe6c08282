import { type DynamoDBClient, GetItemCommand, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import type { MeterRevision } from '../../core/catalog/meter.ts';
import type { MeterStore } from '../../core/catalog/ports.ts';
import { invariantBroken } from '../../core/errors.ts';
import type { ProjectId } from '../../core/ids.ts';
import { documentOf, keyAttributes } from './attributes.ts';
import { billingKeys, type Key } from './keys.ts';
import { refusedPositions, rethrowUnrefused } from './refusals.ts';

/**
 * Meter revisions in the Billing table: one immutable item per revision, and a pointer that holds a copy of the newest, so
 * that ingest reads one item. Both are written in one transaction that expects the revision before.
 */
export function meterStore(client: DynamoDBClient, table: string): MeterStore {
  const get = async (key: Key, isFresh: boolean) => {
    const input = { TableName: table, Key: keyAttributes(key), ConsistentRead: isFresh };
    const { Item } = await client.send(new GetItemCommand(input));
    return Item && documentOf<MeterRevision>(Item);
  };
  return {
    async newest(project, read) {
      return (await get(billingKeys.meterPointer(project), read === 'fresh')) ?? { revision: 0, meters: [] };
    },

    async revision(project, revision) {
      const found = await get(billingKeys.meterRevision(project, revision), true);
      if (found) return found;
      throw invariantBroken('meter_revision_missing', `Meter revision ${revision} of ${project} is not stored.`);
    },

    async write(project, next) {
      try {
        await client.send(writeOf(table, project, next));
        return 'stored';
      } catch (error) {
        if (refusedPositions(error).length > 0) return 'refused';
        return rethrowUnrefused(error);
      }
    },
  };
}

function writeOf(table: string, project: ProjectId, next: MeterRevision): TransactWriteItemsCommand {
  const doc = { S: JSON.stringify(next) };
  const isFirst = next.revision === 1;
  return new TransactWriteItemsCommand({
    TransactItems: [
      {
        Put: {
          TableName: table,
          Item: { ...keyAttributes(billingKeys.meterRevision(project, next.revision)), doc },
          ConditionExpression: 'attribute_not_exists(pk)',
        },
      },
      {
        Put: {
          TableName: table,
          Item: { ...keyAttributes(billingKeys.meterPointer(project)), doc, revision: { N: String(next.revision) } },
          ConditionExpression: isFirst ? 'attribute_not_exists(pk)' : 'revision = :previous',
          ...(!isFirst && { ExpressionAttributeValues: { ':previous': { N: String(next.revision - 1) } } }),
        },
      },
    ],
  });
}
