import { type DynamoDBClient, GetItemCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import type { QuotaKey, QuotaScope } from '../../core/entitlements/feature.ts';
import type { QuotaStore } from '../../core/entitlements/ports.ts';
import type { Quota } from '../../core/entitlements/quota.ts';
import type { ProjectId } from '../../core/ids.ts';
import { millisOf } from '../../core/time/instant.ts';
import { documentOf, type Item, keyAttributes, numberAt, textAt } from './attributes.ts';
import { usageViewsKeys } from './keys.ts';
import { queryAll } from './query-all.ts';
import { isConditionRefused } from './refusals.ts';

/**
 * Quotas in the table of the views. `doc` is what is counted, `figures` what the views said at version `v`; `c` is what was
 * consumed, an exact number that refreshes leave alone.
 */
export function quotaStore(client: DynamoDBClient, table: string): QuotaStore {
  const get = async (Key: Item) =>
    (await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }))).Item;
  return {
    async find(key) {
      const item = await get(quotaItemKey(key));
      return item && quotaFromItem(key.project, key.customer, item);
    },

    async ofCustomer(project, customer) {
      const items = await queryAll(client, {
        TableName: table,
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': { S: usageViewsKeys.quotasOf(project, customer) } },
      });
      return items.map((item) => quotaFromItem(project, customer, item));
    },

    create: (quota) => putUnlessThere(client, table, newItem(quota)),

    async refresh(key, version, { totals, folded, refreshedAtMillis }) {
      const command = new UpdateItemCommand({
        TableName: table,
        Key: quotaItemKey(key),
        UpdateExpression: 'SET figures = :figures, r = :r, v = :next',
        ConditionExpression: 'v = :v',
        ExpressionAttributeValues: {
          ':figures': { S: JSON.stringify([totals, folded]) },
          ':r': { N: String(refreshedAtMillis) },
          ':next': { N: String(version + 1) },
          ':v': { N: String(version) },
        },
      });
      try {
        await client.send(command);
        return 'stored';
      } catch (error) {
        if (isConditionRefused(error)) return 'refused';
        throw error;
      }
    },

    isUsed: async (project) => (await get(keyAttributes(usageViewsKeys.quotasUsed(project)))) !== undefined,
    markUsed: (project) => putUnlessThere(client, table, keyAttributes(usageViewsKeys.quotasUsed(project))),
  };
}

export function quotaItemKey({ project, customer, ...of }: QuotaKey): Item {
  return keyAttributes(usageViewsKeys.quota(project, customer, of));
}

/** A quota is of no use once its window has ended; a few days more let late callers read it. */
const KEPT_SECONDS = 3 * 86_400;

interface QuotaDocument extends Pick<Quota, 'aggregation'> {
  readonly scope: QuotaScope;
  readonly digest: string;
}

function newItem({ key, scope, aggregation }: Quota): Item {
  const doc: QuotaDocument = { scope, aggregation, digest: key.digest };
  return {
    ...quotaItemKey(key),
    doc: { S: JSON.stringify(doc) },
    figures: { S: '[{},{}]' },
    c: { N: '0' },
    r: { N: '0' },
    v: { N: '1' },
    ttl: { N: String(Math.ceil(millisOf(scope.window.end) / 1000) + KEPT_SECONDS) },
  };
}

function quotaFromItem(project: ProjectId, customer: string, item: Item): Quota {
  const { scope, aggregation, digest } = documentOf<QuotaDocument>(item);
  const [totals, folded] = JSON.parse(textAt(item, 'figures')) as [Quota['totals'], Quota['folded']];
  return {
    key: { project, customer, feature: scope.feature, start: scope.window.start, digest },
    scope,
    aggregation,
    totals,
    folded,
    consumed: plainNumber(item.c?.N ?? '0'),
    version: numberAt(item, 'v'),
    refreshedAtMillis: numberAt(item, 'r'),
  };
}

/** DynamoDB keeps numbers exactly; what it answers with an exponent is written out again. */
function plainNumber(text: string): string {
  const [, sign = '', whole = '0', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const digits = whole + fraction;
  const point = whole.length + Number(exponent);
  const padded = point <= 0 ? digits.padStart(digits.length - point + 1, '0') : digits.padEnd(point, '0');
  const at = Math.max(point, 1);
  const rest = padded.slice(at);
  return `${sign}${padded.slice(0, at)}${rest === '' ? '' : `.${rest}`}`;
}

async function putUnlessThere(client: DynamoDBClient, table: string, item: Item): Promise<void> {
  const put = new PutItemCommand({ TableName: table, Item: item, ConditionExpression: 'attribute_not_exists(pk)' });
  try {
    await client.send(put);
  } catch (error) {
    if (!isConditionRefused(error)) throw error;
  }
}
