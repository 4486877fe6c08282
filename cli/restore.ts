import {
  BillingMode,
  CreateTableCommand,
  DynamoDBClient,
  ResourceInUseException,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import cliProgress from 'cli-progress';
import { Command } from 'commander';
import { seenCustomers } from '../adapters/dynamodb/customers.ts';
import { meterStore } from '../adapters/dynamodb/meters.ts';
import { parkingLot } from '../adapters/dynamodb/parking-lot.ts';
import { usageClaims } from '../adapters/dynamodb/usage-claims.ts';
import { usageLog } from '../adapters/dynamodb/usage-log.ts';
import { usageViews } from '../adapters/dynamodb/usage-views.ts';
import { archiveReads } from '../adapters/s3/usage-archive.ts';
import { systemClock } from '../adapters/system/clock.ts';
import { type ProjectId, parseProjectId } from '../core/ids.ts';
import { foldLog, hoursOfLog } from '../core/usage/fold-log.ts';
import { restoreUsage } from '../core/usage/restore-usage.ts';
import { clientOptions, type Deployment, LOCAL_OUTPUTS, readDeployment } from './deployment.ts';
import { textTable } from './text-table.ts';

/** `npm run restore`: the views of a project, counted again from the archive. */
interface Options {
  readonly project: string;
  readonly into?: string;
  readonly create?: boolean;
  readonly log?: boolean;
  readonly outputs: string;
}

const command = new Command('npm run restore --')
  .description(
    'Counts the archived usage log of a project into a views table. What the table has already is left alone; a table of another origin is refused.',
  )
  .requiredOption('-p, --project <id>', 'project, such as prj_acme')
  .option('--into <table>', 'the views table; the one of the deployment when absent')
  .option('--create', 'creates the table of --into, paid per request, unless it exists')
  .option('--log', 'afterwards counts what is still in the log: the hours that are not archived yet')
  .option('--outputs <file>', 'the outputs of the deployment', LOCAL_OUTPUTS)
  .addHelpText(
    'after',
    `
Examples:
  npm run restore -- --project prj_demo --into views-check --create   # beside the deployment, to compare
  npm run restore -- --project prj_acme --log --outputs outputs.json  # after the views were lost
`,
  );

async function main(): Promise<void> {
  const options = command.parse().opts<Options>();
  if (options.create === true && options.into === undefined)
    throw new Error('--create needs --into, the name of the table.');
  const project = parseProjectId(options.project);
  const deployment = readDeployment(options.outputs);
  const client = new DynamoDBClient(clientOptions(deployment));
  const table = options.into ?? deployment.UsageViewsTable;
  if (options.create === true) await createTable(client, table);
  const views = {
    views: usageViews(client, table),
    parking: parkingLot(client, table),
    clock: systemClock,
    seen: new Set<string>(),
  };
  const archive = archiveReads(new S3Client(clientOptions(deployment)), deployment.ArchiveBucket);
  const seen = seenCustomers(client, table);
  const hasUsage = async (id: ProjectId) => (await seen.list(id, { limit: 1 })).items.length > 0;
  const { partitions, restored, events } = await withBar('partitions', (bar) =>
    restoreUsage(
      { project, onStart: (total) => bar.start(total, 0), onPartition: () => bar.increment() },
      { ...views, archive, hasUsage, newestMeters: meterStore(client, deployment.BillingTable).newest },
    ),
  );
  const rows: (string | number)[][] = [['archive', partitions, restored, events]];
  if (options.log === true) {
    const folded = await countLog(project, { client, deployment, views });
    rows.push(['log', '', '', folded]);
  }
  console.log(textTable({ head: ['from', 'partitions', 'counted now', 'events counted'], rows }));
  console.log(`The usage of ${project} is in the table ${table}.`);
}

interface Counting {
  readonly client: DynamoDBClient;
  readonly deployment: Deployment;
  readonly views: Omit<Parameters<typeof foldLog>[1], 'log' | 'meters' | 'headers'>;
}

function countLog(project: ProjectId, { client, deployment, views }: Counting): Promise<number> {
  const { BillingTable, UsageLogTable, UsageClaimsTable } = deployment;
  const deps = {
    ...views,
    log: usageLog(client, UsageLogTable),
    meters: meterStore(client, BillingTable),
    headers: usageClaims(client, UsageClaimsTable),
  };
  return withBar('hours of the log', (bar) => {
    bar.start(hoursOfLog(Date.now()).length, 0);
    return foldLog({ project, onHour: () => bar.increment() }, deps);
  });
}

async function withBar<T>(what: string, work: (bar: cliProgress.SingleBar) => Promise<T>): Promise<T> {
  const bar = new cliProgress.SingleBar({
    format: `{bar} {percentage}% | {value}/{total} ${what} | {eta_formatted} left`,
  });
  try {
    return await work(bar);
  } finally {
    bar.stop();
  }
}

async function createTable(client: DynamoDBClient, table: string): Promise<void> {
  try {
    await client.send(
      new CreateTableCommand({
        TableName: table,
        BillingMode: BillingMode.PAY_PER_REQUEST,
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
        AttributeDefinitions: [
          { AttributeName: 'pk', AttributeType: 'S' },
          { AttributeName: 'sk', AttributeType: 'S' },
        ],
      }),
    );
    await waitUntilTableExists({ client, maxWaitTime: 120 }, { TableName: table });
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) throw error;
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
