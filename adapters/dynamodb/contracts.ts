import { type DynamoDBClient, GetItemCommand, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import { type ContractVersion, contractVersionSchema } from '../../core/catalog/contract.ts';
import type { ContractStore, CustomerContracts } from '../../core/catalog/ports.ts';
import type { CustomerId, ProjectId } from '../../core/ids.ts';
import { documentOf, type Item, keyAttributes, numberAt } from './attributes.ts';
import { billingKeys } from './keys.ts';
import { queryPage } from './paging.ts';
import { queryAll } from './query-all.ts';
import { refusedPositions, rethrowUnrefused } from './refusals.ts';

/**
 * Contracts in the Billing table: immutable versions and a head in one partition per customer, and the newest version of each
 * by its id. All three are written in one transaction that expects the head as it was read.
 */
export function contractStore(client: DynamoDBClient, table: string): ContractStore {
  return {
    ofCustomer: (project, customer) => readContracts(client, table, project, customer),

    async newest(project, id) {
      const key = keyAttributes(billingKeys.contract(project, id));
      const { Item } = await client.send(new GetItemCommand({ TableName: table, Key: key, ConsistentRead: true }));
      return Item && contractVersionOf(Item);
    },

    async list(project, page) {
      const { items, cursor } = await queryPage(client, { table, value: billingKeys.contractsOf(project) }, page);
      return { items: items.map(contractVersionOf), cursor };
    },

    async append(project, version, sequence) {
      try {
        await client.send(appendOf(table, project, version, sequence));
        return 'stored';
      } catch (error) {
        const refused = refusedPositions(error);
        // the head first: where it moved, the newest version may be another one for that reason alone
        if (refused.includes(0)) return 'refused';
        if (refused.length > 0) return 'taken';
        return rethrowUnrefused(error);
      }
    },
  };
}

/** Every version of every contract of a customer, by id and version, and the head's number; 0 where there is none. */
export async function readContracts(
  client: DynamoDBClient,
  table: string,
  project: ProjectId,
  customer: CustomerId,
): Promise<CustomerContracts> {
  const items = await queryAll(client, {
    TableName: table,
    ConsistentRead: true,
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': { S: billingKeys.contractsOfCustomer(project, customer) } },
  });
  const head = items.find((item) => item.seq !== undefined);
  const versions = items.filter((item) => item.seq === undefined).map(contractVersionOf);
  return { versions, sequence: head === undefined ? 0 : numberAt(head, 'seq') };
}

function contractVersionOf(item: Item): ContractVersion {
  return contractVersionSchema.parse(documentOf(item));
}

function appendOf(
  table: string,
  project: ProjectId,
  version: ContractVersion,
  sequence: number,
): TransactWriteItemsCommand {
  const { id, customer } = version;
  const doc = { S: JSON.stringify(version) };
  const head = keyAttributes(billingKeys.contractHead(project, customer));
  const item = keyAttributes(billingKeys.contractVersion(project, customer, id, version.version));
  const isFirst = version.version === 1;
  return new TransactWriteItemsCommand({
    TransactItems: [
      {
        Put: {
          TableName: table,
          Item: { ...head, seq: { N: String(sequence + 1) } },
          ...(sequence === 0
            ? { ConditionExpression: 'attribute_not_exists(pk)' }
            : { ConditionExpression: 'seq = :seq', ExpressionAttributeValues: { ':seq': { N: String(sequence) } } }),
        },
      },
      { Put: { TableName: table, Item: { ...item, doc }, ConditionExpression: 'attribute_not_exists(pk)' } },
      {
        Put: {
          TableName: table,
          Item: {
            ...keyAttributes(billingKeys.contract(project, id)),
            customer: { S: customer },
            version: { N: String(version.version) },
            doc,
          },
          ...(isFirst
            ? { ConditionExpression: 'attribute_not_exists(pk)' }
            : {
                ConditionExpression: 'customer = :customer AND version = :before',
                ExpressionAttributeValues: {
                  ':customer': { S: customer },
                  ':before': { N: String(version.version - 1) },
                },
              }),
        },
      },
    ],
  });
}
