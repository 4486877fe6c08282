import { BatchGetItemCommand, type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import type { Customer } from '../../core/accounts/customer.ts';
import type { Subscription } from '../../core/accounts/subscription.ts';
import type { ContractVersion } from '../../core/catalog/contract.ts';
import type { PlanVersion } from '../../core/catalog/plan.ts';
import type { FeatureSources } from '../../core/entitlements/ports.ts';
import { plansNeeded } from '../../core/entitlements/resolve-features.ts';
import type { CustomerId, ProjectId, SubscriptionId } from '../../core/ids.ts';
import { documentOf, type Item, keyAttributes } from './attributes.ts';
import { readGrants } from './entitlement-grants.ts';
import { billingKeys } from './keys.ts';
import { queryAll } from './query-all.ts';

/**
 * What decides the features of a customer, read for the hot path: documents as they were stored, which their schemas held to
 * their rules when they were written, so that no schema is loaded here. Eventually consistent.
 */
export function featureSources(client: DynamoDBClient, table: string): FeatureSources {
  const store: Store = { client, table };
  const plans = new Map<string, PlanVersion>();
  return {
    async read(project, customer, at) {
      const found = await getItem(store, keyAttributes(billingKeys.customer(project, customer)));
      if (found === undefined) return undefined;
      const ids = (found.subscriptions?.SS ?? []) as SubscriptionId[];
      const [subscriptions, contracts, grants] = await Promise.all([
        subscriptionsOf(store, project, ids),
        contractsOf(store, project, customer),
        readGrants(client, table, project, customer),
      ]);
      const needed = plansNeeded(subscriptions, at);
      const known = await Promise.all(needed.map((plan) => planOf(store, project, plan, plans)));
      const { timeZone } = documentOf<Customer>(found);
      return { timeZone, subscriptions, contracts, grants, plans: known.filter((plan) => plan !== undefined) };
    },
  };
}

interface Store {
  readonly client: DynamoDBClient;
  readonly table: string;
}

async function getItem({ client, table }: Store, Key: Item): Promise<Item | undefined> {
  return (await client.send(new GetItemCommand({ TableName: table, Key }))).Item;
}

const MAX_TRIES = 5;

/** A customer has at most 100 subscriptions, which is what one call reads; what is throttled is asked for again. */
async function subscriptionsOf(
  { client, table }: Store,
  project: ProjectId,
  ids: readonly SubscriptionId[],
): Promise<readonly Subscription[]> {
  const items: Item[] = [];
  let keys = ids.map((id) => keyAttributes(billingKeys.subscription(project, id)));
  for (let attempt = 0; keys.length > 0; attempt++) {
    if (attempt === MAX_TRIES)
      throw Object.assign(new Error('Subscriptions could not be read.'), { name: 'Throttling' });
    const answer = await client.send(new BatchGetItemCommand({ RequestItems: { [table]: { Keys: keys } } }));
    items.push(...(answer.Responses?.[table] ?? []));
    keys = (answer.UnprocessedKeys?.[table]?.Keys ?? []) as Item[];
  }
  return items.map((item) => documentOf<Subscription>(item));
}

async function contractsOf(
  { client, table }: Store,
  project: ProjectId,
  customer: CustomerId,
): Promise<readonly ContractVersion[]> {
  const items = await queryAll(client, {
    TableName: table,
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': { S: billingKeys.contractsOfCustomer(project, customer) } },
  });
  return items.filter((item) => item.seq === undefined).map((item) => documentOf<ContractVersion>(item));
}

const PLANS_KEPT = 1_000;

/** Plan versions never change, so each is read once. */
async function planOf(
  store: Store,
  project: ProjectId,
  { plan, version }: { readonly plan: string; readonly version: number },
  known: Map<string, PlanVersion>,
): Promise<PlanVersion | undefined> {
  const name = `${project}/${plan}@${version}`;
  const kept = known.get(name);
  if (kept !== undefined) return kept;
  const item = await getItem(store, keyAttributes(billingKeys.planVersion(project, plan, version)));
  if (item === undefined) return undefined;
  const read = documentOf<PlanVersion>(item);
  if (known.size >= PLANS_KEPT) known.clear();
  known.set(name, read);
  return read;
}
