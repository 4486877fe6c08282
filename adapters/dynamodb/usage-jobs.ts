import { type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { JobStore, StoredJob, UsageJob } from '../../core/usage/usage-job.ts';
import { documentOf, type Item, keyAttributes, numberAt } from './attributes.ts';
import { billingKeys } from './keys.ts';
import { queryPage } from './paging.ts';
import { isConditionRefused } from './refusals.ts';

/** Jobs in the Billing table; every write checks the version that was read. */
export function usageJobs(client: DynamoDBClient, table: string): JobStore {
  const put = async ({ job, version }: StoredJob): Promise<boolean> => {
    const isNew = version === 0;
    try {
      await client.send(
        new PutItemCommand({
          TableName: table,
          Item: {
            ...keyAttributes(billingKeys.job(job.project, job.id)),
            doc: { S: JSON.stringify(job) },
            version: { N: String(version + 1) },
          },
          ConditionExpression: isNew ? 'attribute_not_exists(pk)' : 'version = :version',
          ...(!isNew && { ExpressionAttributeValues: { ':version': { N: String(version) } } }),
        }),
      );
      return true;
    } catch (error) {
      if (isConditionRefused(error)) return false;
      throw error;
    }
  };
  return {
    create: async (job) => ((await put({ job, version: 0 })) ? 'stored' : 'taken'),
    save: async (stored) => ((await put(stored)) ? 'stored' : 'refused'),

    async find(project, id) {
      const Key = keyAttributes(billingKeys.job(project, id));
      const { Item } = await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }));
      return Item && { job: jobFromItem(Item), version: numberAt(Item, 'version') };
    },

    async list(project, page) {
      const { items, cursor } = await queryPage(client, { table, value: billingKeys.jobsOf(project) }, page);
      return { items: items.map(jobFromItem), cursor };
    },
  };
}

function jobFromItem(item: Item): UsageJob {
  return documentOf<UsageJob>(item);
}
