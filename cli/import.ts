import cliProgress from 'cli-progress';
import { Command, InvalidArgumentError } from 'commander';
import { ApiClient } from './api-client.ts';
import { type Origin, parseMapping } from './import/field-map.ts';
import { importFile } from './import/import-file.ts';
import { surveyFile } from './import/survey-file.ts';
import { timeReader } from './import/time-reader.ts';
import { textTable } from './text-table.ts';

/** `npm run import`: a CSV or NDJSON file becomes usage events, through the public HTTP API. */
interface Options {
  readonly map: Map<string, Origin>;
  readonly timeFormat: string;
  readonly timeZone: string;
  readonly url: string;
  readonly key?: string;
  readonly batch: number;
}

const REASONS_SHOWN = 10;

function collect(text: string, map = new Map<string, Origin>()): Map<string, Origin> {
  try {
    const [field, origin] = parseMapping(text);
    return map.set(field, origin);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

function batchSize(text: string): number {
  const size = Number(text);
  if (!Number.isInteger(size) || size < 1 || size > 1000)
    throw new InvalidArgumentError('expected a whole number from 1 to 1000');
  return size;
}

const command = new Command('npm run import --')
  .description(
    'Sends a CSV or NDJSON file as usage events. The file is a backfill of its own: old times are welcome, and sending it again counts nothing twice.',
  )
  .argument('<file>', 'CSV with a header line, or NDJSON (.ndjson, .jsonl)')
  .requiredOption(
    '-m, --map <field=column>',
    'id, type, customer, time, or the name of a property; =:TEXT for a constant; repeat it for each field',
    collect,
  )
  .option(
    '--time-format <format>',
    'iso, epoch-seconds, epoch-millis, or a pattern such as "DD.MM.YYYY HH:mm:ss"',
    'iso',
  )
  .option('--time-zone <zone>', 'zone of times without an offset', 'UTC')
  .option('--url <url>', 'the API', process.env.COUNTINGHOUSE_URL ?? 'http://127.0.0.1:3000')
  .option('--key <key>', 'an API key with the scopes ingest and write; or COUNTINGHOUSE_KEY in the environment')
  .option('--batch <events>', 'events per request', batchSize, 500)
  .addHelpText(
    'after',
    `
Examples:
  npm run import -- usage.csv -m type=:llm_request -m customer=account -m time=created_at -m tokens=total_tokens
  npm run import -- calls.ndjson -m id=request_id -m type=:api_call -m customer=tenant -m time=ts --time-format epoch-millis -m region=region
`,
  );

async function main(): Promise<void> {
  command.parse();
  const file = command.args[0] ?? '';
  const options = command.opts<Options>();
  const key = options.key ?? process.env.COUNTINGHOUSE_KEY;
  if (key === undefined || key === '')
    throw new Error('No API key. Give --key, or set COUNTINGHOUSE_KEY; npm start prints one for the demo project.');
  const readTime = timeReader(options.timeFormat, options.timeZone);
  const survey = await surveyFile(file, options.map, readTime);
  console.log(`${file}: ${survey.rows} rows from ${survey.earliest} to ${survey.latest}, SHA-256 ${survey.sha256}`);
  const bar = new cliProgress.SingleBar({
    format: '{bar} {percentage}% | {value}/{total} rows | {eta_formatted} left',
    noTTYOutput: false,
  });
  bar.start(survey.rows, 0);
  const client = new ApiClient({ url: options.url, key });
  const result = await importFile({
    file,
    map: options.map,
    readTime,
    survey,
    client,
    batchSize: options.batch,
    onProgress: (rows) => bar.increment(rows),
  }).finally(() => bar.stop());
  const head = ['rows', 'accepted', 'rejected', 'backfill'];
  console.log(textTable({ head, rows: [[survey.rows, result.accepted, result.rejected.length, result.backfill]] }));
  for (const { row, code, detail } of result.rejected.slice(0, REASONS_SHOWN))
    console.log(`row ${row}: ${code}: ${detail}`);
  if (result.rejected.length > REASONS_SHOWN) console.log(`... and ${result.rejected.length - REASONS_SHOWN} more`);
  if (result.rejected.length > 0) process.exitCode = 1;
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
