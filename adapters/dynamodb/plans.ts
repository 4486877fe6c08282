import { type DynamoDBClient, GetItemCommand, QueryCommand, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import type { PlanVersion } from '../../core/catalog/plan.ts';
import type { PlanStore } from '../../core/catalog/ports.ts';
import type { ProjectId } from '../../core/ids.ts';
import { documentOf, keyAttributes } from './attributes.ts';
import { billingKeys } from './keys.ts';
import { queryPage } from './paging.ts';
import { refusedPositions, rethrowUnrefused } from './refusals.ts';

/** Plan versions in the Billing table: immutable items, numbered without gaps because each expects the one before it. */
export function planStore(client: DynamoDBClient, table: string): PlanStore {
  return {
    async find(project, plan, version) {
      const key = keyAttributes(billingKeys.planVersion(project, plan, version));
      const { Item } = await client.send(new GetItemCommand({ TableName: table, Key: key, ConsistentRead: true }));
      return Item && documentOf<PlanVersion>(Item);
    },

    async newest(project, plan) {
      const { Items } = await client.send(
        new QueryCommand({
          TableName: table,
          KeyConditionExpression: 'pk = :pk AND begins_with(sk, :sk)',
          ExpressionAttributeValues: {
            ':pk': { S: billingKeys.plansOf(project) },
            ':sk': { S: billingKeys.planPrefix(plan) },
          },
          ScanIndexForward: false,
          ConsistentRead: true,
          Limit: 1,
        }),
      );
      return Items?.[0] && documentOf<PlanVersion>(Items[0]);
    },

    async create(project, version) {
      try {
        await client.send(creationOf(table, project, version));
        return 'stored';
      } catch (error) {
        if (refusedPositions(error).length > 0) return 'refused';
        return rethrowUnrefused(error);
      }
    },

    async list(project, page, plan) {
      const prefix = plan === undefined ? {} : { prefix: billingKeys.planPrefix(plan) };
      const list = { table, value: billingKeys.plansOf(project), ...prefix };
      const { items, cursor } = await queryPage(client, list, page);
      return { items: items.map((item) => documentOf<PlanVersion>(item)), cursor };
    },
  };
}

function creationOf(table: string, project: ProjectId, version: PlanVersion): TransactWriteItemsCommand {
  const keyOf = (number: number) => keyAttributes(billingKeys.planVersion(project, version.plan, number));
  const put = {
    Put: {
      TableName: table,
      Item: { ...keyOf(version.version), doc: { S: JSON.stringify(version) } },
      ConditionExpression: 'attribute_not_exists(pk)',
    },
  };
  const predecessor = {
    ConditionCheck: {
      TableName: table,
      Key: keyOf(version.version - 1),
      ConditionExpression: 'attribute_exists(pk)',
    },
  };
  return new TransactWriteItemsCommand({ TransactItems: version.version === 1 ? [put] : [put, predecessor] });
}
