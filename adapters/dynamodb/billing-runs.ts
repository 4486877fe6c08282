import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  type QueryCommandOutput,
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { notFound } from '../../core/errors.ts';
import type { ProductEvent } from '../../core/events/product-event.ts';
import type { BillingRunId, ProjectId } from '../../core/ids.ts';
import type {
  BillingRun,
  PlannedWork,
  ReconciledViews,
  RunOutcome,
  SettledUsage,
} from '../../core/invoicing/billing-run.ts';
import type { BillingRuns } from '../../core/invoicing/ports.ts';
import { type Item, textAt } from './attributes.ts';
import { billingKeys, type Key } from './keys.ts';
import { outboxPut } from './outbox.ts';

/** The put of a run's outcome for one invoice; the last one written counts. */
export function outcomePut(
  table: string,
  project: ProjectId,
  run: BillingRunId,
  outcome: RunOutcome,
): TransactWriteItem {
  const { pk, sk } = billingKeys.runOutcome(project, run, outcome.invoice);
  return { Put: { TableName: table, Item: { pk: { S: pk }, sk: { S: sk }, doc: { S: JSON.stringify(outcome) } } } };
}

function runItem(run: BillingRun): Item {
  const key = billingKeys.run(run.project, run.id);
  const list = billingKeys.runList(run.project, run.startedAt, run.id);
  return {
    pk: { S: key.pk },
    sk: { S: key.sk },
    p1: { S: list.p1 },
    s1: { S: list.s1 },
    status: { S: run.status },
    doc: { S: JSON.stringify(run) },
  };
}

/** The run of an item; what settling, reconciling and planning found are attributes of their own, written while the run goes on. */
export function billingRunFromItem(item: Item): BillingRun {
  const run = JSON.parse(textAt(item, 'doc')) as BillingRun;
  return {
    ...run,
    settled: item.settled?.S === undefined ? run.settled : (JSON.parse(item.settled.S) as SettledUsage),
    reconciled: item.reconciled?.S === undefined ? run.reconciled : (JSON.parse(item.reconciled.S) as ReconciledViews),
    planned: item.planned?.S === undefined ? run.planned : (JSON.parse(item.planned.S) as PlannedWork),
  };
}

/** Billing runs and their outcomes in the billing table. */
export function billingRuns(client: DynamoDBClient, table: string): BillingRuns {
  return {
    find: (project, run) => findRun(client, table, project, run),
    async create(run) {
      const put = { TableName: table, Item: runItem(run), ConditionExpression: 'attribute_not_exists(pk)' };
      try {
        await client.send(new PutItemCommand(put));
        return run;
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
        return storedRun(client, table, run);
      }
    },
    settled: (project, run, usage) => note(client, table, billingKeys.run(project, run), { settled: usage }),
    reconciled: (project, run, views) => note(client, table, billingKeys.run(project, run), { reconciled: views }),
    planned: (project, run, plan) => note(client, table, billingKeys.run(project, run), { planned: plan }),
    async recordOutcome(project, run, outcome) {
      const { Put } = outcomePut(table, project, run, outcome);
      await client.send(new PutItemCommand({ TableName: table, Item: Put?.Item }));
    },
    outcomes: (project, run) => outcomesOf(client, table, project, run),
    finish: (run, report, event) => finishRun(client, table, { ...run, report }, event),
  };
}

/** Sets one attribute of a run beside its document, so that the steps of the run never overwrite each other. */
async function note(
  client: DynamoDBClient,
  table: string,
  { pk, sk }: Key,
  value: Partial<Pick<BillingRun, 'settled' | 'reconciled' | 'planned'>>,
): Promise<void> {
  const [[name, content]] = Object.entries(value) as [[string, unknown]];
  await client.send(
    new UpdateItemCommand({
      TableName: table,
      Key: { pk: { S: pk }, sk: { S: sk } },
      UpdateExpression: 'SET #name = :value',
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeNames: { '#name': name },
      ExpressionAttributeValues: { ':value': { S: JSON.stringify(content) } },
    }),
  );
}

async function findRun(
  client: DynamoDBClient,
  table: string,
  project: ProjectId,
  run: BillingRunId,
): Promise<BillingRun | null> {
  const { pk, sk } = billingKeys.run(project, run);
  const answer = await client.send(
    new GetItemCommand({ TableName: table, Key: { pk: { S: pk }, sk: { S: sk } }, ConsistentRead: true }),
  );
  return answer.Item === undefined ? null : billingRunFromItem(answer.Item);
}

async function storedRun(client: DynamoDBClient, table: string, run: BillingRun): Promise<BillingRun> {
  const known = await findRun(client, table, run.project, run.id);
  if (known === null) throw notFound('billing_run_not_found', `There is no billing run ${run.id}.`);
  return known;
}

async function* outcomesOf(client: DynamoDBClient, table: string, project: ProjectId, run: BillingRunId) {
  let start: Item | undefined;
  do {
    const page: QueryCommandOutput = await client.send(
      new QueryCommand({
        TableName: table,
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': { S: billingKeys.runOutcomesOf(project, run) } },
        ...(start === undefined ? {} : { ExclusiveStartKey: start }),
      }),
    );
    yield (page.Items ?? []).map((item) => JSON.parse(textAt(item, 'doc')) as RunOutcome);
    start = page.LastEvaluatedKey;
  } while (start !== undefined);
}

async function finishRun(
  client: DynamoDBClient,
  table: string,
  ended: BillingRun,
  event: ProductEvent,
): Promise<BillingRun> {
  const put = {
    TableName: table,
    Item: runItem(ended),
    ConditionExpression: '#status = :running',
    ExpressionAttributeNames: { '#status': 'status' },
    ExpressionAttributeValues: { ':running': { S: 'running' } },
  };
  try {
    await client.send(new TransactWriteItemsCommand({ TransactItems: [{ Put: put }, outboxPut(table, event)] }));
    return ended;
  } catch (error) {
    const code = error instanceof TransactionCanceledException ? error.CancellationReasons?.[0]?.Code : undefined;
    if (code !== 'ConditionalCheckFailed') throw error;
    return storedRun(client, table, ended);
  }
}
