import { cpus, release } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import { costTable } from './cost.ts';
import { entitlementLatency } from './entitlement-latency.ts';
import { functionWeights } from './function-weight.ts';
import { growth } from './growth.ts';
import { handlerCpu } from './handler-cpu.ts';
import { identityMemory } from './identity-memory.ts';
import { PRICES_READ_ON } from './prices.ts';
import { rateOps } from './rate-ops.ts';
import { costJson, growthJson, handlerJson, rateOpsJson, weightJson } from './report-json.ts';
import {
  costTables,
  entitlementTable,
  growthTable,
  handlerTable,
  memoryTable,
  rateOpsTable,
  throughputTable,
  weightTable,
} from './report-tables.ts';
import { throughput } from './throughput.ts';

/** `npm run bench`: what the product costs, in processor time, dollars, kilobytes and seconds, measured on this machine. */
const PARTS = ['handler', 'rating', 'cost', 'growth', 'memory', 'functions', 'throughput', 'entitlement'] as const;
type Part = (typeof PARTS)[number];

interface Options {
  readonly json?: boolean;
  readonly only?: readonly Part[];
  readonly rounds: number;
  readonly events: number;
}

function partsOf(text: string): Part[] {
  const parts = text.split(',');
  const unknown = parts.find((part) => !(PARTS as readonly string[]).includes(part));
  if (unknown !== undefined) throw new InvalidArgumentError(`expected some of ${PARTS.join(', ')}; got ${unknown}`);
  return parts as Part[];
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidArgumentError('expected a whole number from 1 on');
  return Number(text);
}

const options = new Command('npm run bench --')
  .description('Measures the product on this machine; method and workload are in bench/README.md.')
  .option('--json', 'one JSON object on stdout instead of tables')
  .option('--only <parts>', `only some parts, comma-separated: ${PARTS.join(', ')}`, partsOf)
  .option('--rounds <count>', 'measurements of handler, rating and functions; the median counts', wholeNumber, 5)
  .option('--events <count>', 'events of the throughput part', wholeNumber, 20_000)
  .addHelpText(
    'after',
    '\nExamples:\n  npm run bench\n  npm run bench -- --json > bench.json\n  npm run bench -- --only handler,cost\n  npm run bench -- --only throughput --events 100000\n',
  )
  .parse()
  .opts<Options>();

const wanted = new Set<Part>(options.only ?? PARTS);
const started = performance.now();
/** Progress goes to stderr, so that stdout is the result alone. */
const say = (text: string) =>
  console.error(`${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s  ${text}`);
const json: Record<string, unknown> = {
  machine: { processors: cpus().length, model: cpus()[0]?.model.trim(), system: release(), node: process.version },
  prices_read_on: PRICES_READ_ON,
};
const tables: string[] = [];

if (wanted.has('handler')) {
  let round = 0;
  const result = await handlerCpu(options.rounds, () => {
    round += 1;
    say(`handler: measurement ${round} of ${2 * options.rounds}`);
  });
  Object.assign(json, handlerJson(result));
  tables.push(handlerTable(result));
}
if (wanted.has('rating')) {
  let round = 0;
  const result = rateOps(options.rounds, () => {
    round += 1;
    say(`rating: measurement ${round} of ${options.rounds}`);
  });
  Object.assign(json, rateOpsJson(result));
  tables.push(rateOpsTable(result));
}
if (wanted.has('cost')) {
  const table = await costTable(say);
  Object.assign(json, costJson(table));
  tables.push(...costTables(table));
}
if (wanted.has('growth')) {
  const rows = await growth(say);
  Object.assign(json, growthJson(rows));
  tables.push(growthTable(rows));
}
if (wanted.has('memory')) {
  say('memory: a million identities');
  const result = identityMemory();
  Object.assign(json, { identity_bytes: result.identityBytes, identity_memory: result });
  tables.push(memoryTable(result));
}
if (wanted.has('functions')) {
  const weights = await functionWeights(options.rounds, (step) => say(`functions: ${step}`));
  Object.assign(json, weightJson(weights));
  tables.push(weightTable(weights));
}
if (wanted.has('throughput')) {
  const result = await throughput(options.events, say);
  Object.assign(json, { events_per_second: result.eventsPerSecond, throughput: result });
  tables.push(throughputTable(result));
}
if (wanted.has('entitlement')) {
  const result = await entitlementLatency(say);
  Object.assign(json, { entitlement_check_p99_ms: result.p99Millis, entitlement_check: result });
  tables.push(entitlementTable(result));
}
console.log(options.json === true ? JSON.stringify(json, null, 2) : tables.join('\n\n'));
process.exit(0);
