import { type DynamoDBClient, GetItemCommand, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import type { ProjectStore } from '../../core/accounts/ports.ts';
import type { Project } from '../../core/accounts/project.ts';
import { conflict } from '../../core/errors.ts';
import { documentOf, type Item, keyAttributes } from './attributes.ts';
import { billingKeys, type Key } from './keys.ts';
import { queryAll } from './query-all.ts';
import { refusedPositions, rethrowUnrefused } from './refusals.ts';

/** Projects in the Billing table: one item in the project's own partition and one in the directory, written together. */
export function projectStore(client: DynamoDBClient, table: string): ProjectStore {
  return {
    async find(project) {
      const { Item } = await client.send(
        new GetItemCommand({
          TableName: table,
          Key: keyAttributes(billingKeys.project(project)),
          ConsistentRead: true,
        }),
      );
      return Item && projectFromItem(Item);
    },

    async create(project) {
      const put = (key: Key) => ({
        Put: {
          TableName: table,
          Item: { ...keyAttributes(key), doc: { S: JSON.stringify(project) } },
          ConditionExpression: 'attribute_not_exists(pk)',
        },
      });
      try {
        await client.send(
          new TransactWriteItemsCommand({
            TransactItems: [put(billingKeys.project(project.id)), put(billingKeys.directory(project.id))],
          }),
        );
      } catch (error) {
        if (refusedPositions(error).length === 0) rethrowUnrefused(error);
        throw conflict('project_exists', `The project ${project.id} exists already.`);
      }
    },

    async list() {
      const items = await queryAll(client, {
        TableName: table,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': { S: billingKeys.directoryOf() } },
      });
      return items.map(projectFromItem);
    },
  };
}

function projectFromItem(item: Item): Project {
  return documentOf(item);
}
