import {
  BatchGetItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  QueryCommand,
  type QueryCommandOutput,
} from '@aws-sdk/client-dynamodb';
import type { StoredSubscription } from '../../core/accounts/subscription.ts';
import { type Meter, meterRevisionSchema } from '../../core/catalog/meter.ts';
import { type PlanVersion, planVersionSchema } from '../../core/catalog/plan.ts';
import type { PriceListVersion } from '../../core/catalog/price-list.ts';
import { BillingError } from '../../core/errors.ts';
import type { ProjectId, SubscriptionId } from '../../core/ids.ts';
import type { BillingReads } from '../../core/invoicing/ports.ts';
import type { Instant } from '../../core/time/instant.ts';
import { type Item, textAt } from './attributes.ts';
import { billingSettingsStore } from './billing-settings.ts';
import { readContracts } from './contracts.ts';
import { customerFromItem } from './customers.ts';
import { KeptVersions } from './kept-versions.ts';
import { billingKeys, type Key } from './keys.ts';
import { priceListStore } from './price-lists.ts';
import { subscriptionFromItem } from './subscription-item.ts';

/** How many plan versions and price lists one environment keeps: a few KB each. */
const VERSIONS_KEPT = 500;

/** What a billing run reads about accounts and catalog, from the billing table. */
export function billingReads(client: DynamoDBClient, table: string): BillingReads {
  const get = async (key: Key): Promise<Item | undefined> => {
    const answer = await client.send(
      new GetItemCommand({ TableName: table, Key: { pk: { S: key.pk }, sk: { S: key.sk } }, ConsistentRead: true }),
    );
    return answer.Item;
  };
  const lists = priceListStore(client, table);
  const plans = new KeptVersions<PlanVersion>(VERSIONS_KEPT);
  const priceLists = new KeptVersions<PriceListVersion>(VERSIONS_KEPT);
  const subscriptions = (project: ProjectId, ids: readonly SubscriptionId[]) =>
    readSubscriptions(client, table, project, ids);
  return {
    subscriptions,
    settings: billingSettingsStore(client, table).settings,
    dueSubscriptions: (project, closesAt) => dueSubscriptions(client, table, project, closesAt),
    async subscriptionsOf(project, customer) {
      // The customer's item names its subscriptions, so that none is missed as an index might miss it.
      const item = await get(billingKeys.customer(project, customer));
      return item === undefined ? [] : subscriptions(project, customerFromItem(item).subscriptions);
    },
    async customer(project, customer) {
      const item = await get(billingKeys.customer(project, customer));
      return item === undefined ? null : customerFromItem(item).customer;
    },
    planVersion(project, plan, version) {
      const key = billingKeys.planVersion(project, plan, version);
      return plans.get(JSON.stringify(key), async () => {
        const item = await get(key);
        return item === undefined ? null : planVersionSchema.parse(JSON.parse(textAt(item, 'doc')));
      });
    },
    contractsOf: async (project, customer) => (await readContracts(client, table, project, customer)).versions,
    newestPriceList: async (project, currency) => (await lists.newest(project, currency)) ?? null,
    priceList: (project, currency, version) =>
      priceLists.get(
        JSON.stringify(billingKeys.priceList(project, currency, version)),
        async () => (await lists.find(project, currency, version)) ?? null,
      ),
    meters: (project) => newestMeters(client, table, project),
  };
}

async function* dueSubscriptions(client: DynamoDBClient, table: string, project: ProjectId, closesAt: Instant) {
  let start: Item | undefined;
  do {
    const page: QueryCommandOutput = await client.send(
      new QueryCommand({
        TableName: table,
        IndexName: 'by_project',
        KeyConditionExpression: 'p1 = :p1 AND s1 < :until',
        ExpressionAttributeValues: {
          ':p1': { S: billingKeys.dueOf(project) },
          ':until': { S: billingKeys.dueUntil(closesAt) },
        },
        ...(start === undefined ? {} : { ExclusiveStartKey: start }),
      }),
    );
    yield (page.Items ?? []).map((item) => subscriptionFromItem(item).subscription);
    start = page.LastEvaluatedKey;
  } while (start !== undefined);
}

/** The revisions sort by number, so the last one is the newest. */
async function newestMeters(client: DynamoDBClient, table: string, project: ProjectId): Promise<readonly Meter[]> {
  const answer = await client.send(
    new QueryCommand({
      TableName: table,
      ConsistentRead: true,
      Limit: 1,
      ScanIndexForward: false,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :sk)',
      ExpressionAttributeValues: {
        ':pk': { S: billingKeys.meterPointer(project).pk },
        ':sk': { S: billingKeys.meterRevisionPrefix },
      },
    }),
  );
  const item = answer.Items?.[0];
  return item === undefined ? [] : meterRevisionSchema.parse(JSON.parse(textAt(item, 'doc'))).meters;
}

const GETS_PER_CALL = 100;

async function readSubscriptions(
  client: DynamoDBClient,
  table: string,
  project: ProjectId,
  ids: readonly SubscriptionId[],
): Promise<readonly StoredSubscription[]> {
  const found: StoredSubscription[] = [];
  const wanted = [...new Set(ids)].sort();
  for (let start = 0; start < wanted.length; start += GETS_PER_CALL) {
    const keys = wanted.slice(start, start + GETS_PER_CALL).map((id) => billingKeys.subscription(project, id));
    const answer = await client.send(
      new BatchGetItemCommand({
        RequestItems: {
          [table]: { ConsistentRead: true, Keys: keys.map(({ pk, sk }) => ({ pk: { S: pk }, sk: { S: sk } })) },
        },
      }),
    );
    if (Object.keys(answer.UnprocessedKeys ?? {}).length > 0) throw throttled();
    found.push(...(answer.Responses?.[table] ?? []).map(subscriptionFromItem));
  }
  return found.sort((a, b) => (a.subscription.id < b.subscription.id ? -1 : 1));
}

/** An answer with holes would bill too little: better none. */
function throttled() {
  return new BillingError({
    kind: 'not-ready',
    code: 'read_throttled',
    message: 'The billing table answered only a part of a read. Try again in a moment.',
  });
}
