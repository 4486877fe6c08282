import Table from 'cli-table3';
import type { CostColumn, CostTable } from './cost.ts';
import type { EntitlementLatency } from './entitlement-latency.ts';
import type { Weight } from './function-weight.ts';
import { type GrowthRow, spreadOf } from './growth.ts';
import type { CpuRatio } from './handler-cpu.ts';
import type { IdentityMemory } from './identity-memory.ts';
import type { RateOps } from './rate-ops.ts';
import { GROWTH_COLUMNS } from './report-json.ts';
import type { Throughput } from './throughput.ts';

/** The results as a person reads them. */
function tableOf(title: string, head: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = new Table({ head: [...head], style: { head: [], border: [] } });
  for (const row of rows) table.push([...row]);
  return `${title}\n${table.toString()}`;
}

const usd = (amount: number | undefined) => (amount ?? 0).toFixed(3);

export function handlerTable({ large, small }: { large: CpuRatio; small: CpuRatio }): string {
  const row = (name: string, { bodyBytes, jsonMillis, handlerMillis, ratio }: CpuRatio) => [
    name,
    String(bodyBytes),
    jsonMillis.toFixed(2),
    handlerMillis.toFixed(2),
    ratio.toFixed(2),
  ];
  return tableOf(
    'CPU of POST /v1/events, 1,000 events a request',
    ['key', 'body, bytes', 'JSON both ways, ms', 'handler, ms', 'ratio'],
    [row('handler_cpu_ratio', large), row('handler_cpu_ratio_250b', small)],
  );
}

export function rateOpsTable(result: RateOps): string {
  const { ratio, ratedMicros, firstRatedMicros, bigMicros, bigProductsMicros } = result;
  return tableOf(
    'CPU of rating a plan of ten charges with five tiers each, explained (rate_ops_ratio: above 1 ours is faster)',
    ['rated, us', 'a plan not seen before, us', 'with big.js, us', 'its 50 products alone, us', 'rate_ops_ratio'],
    [[...[ratedMicros, firstRatedMicros, bigMicros, bigProductsMicros].map((us) => us.toFixed(1)), ratio.toFixed(2)]],
  );
}

export function costTables({ rates, foreignIdsExtra }: CostTable): string[] {
  const tables = Object.entries(rates).map(([name, columns]) => billTable(name, columns));
  const sizes = Object.keys(foreignIdsExtra);
  const extra = tableOf(
    'Dollars per million events that foreign ids cost more, at 1,000 events a second',
    sizes.map((size) => `${size} a request`),
    [sizes.map((size) => usd(foreignIdsExtra[size]))],
  );
  return [...tables, extra];
}

function billTable(name: string, columns: readonly CostColumn[]): string {
  const names = new Set(columns.flatMap(({ carried }) => carried.lines.map((line) => line.name)));
  const lineUsd = (column: CostColumn, line: string) => column.carried.lines.find((one) => one.name === line)?.usd;
  const rows = [...names].map((line) => [line, ...columns.map((column) => usd(lineUsd(column, line)))]);
  const total = ['TOTAL', ...columns.map(({ carried }) => usd(carried.usd))];
  const largest = ['largest line', ...columns.map(({ carried }) => carried.lines[0]?.name ?? '')];
  const events = ['events in a chunk', ...columns.map(({ carried }) => (carried.events / carried.chunks).toFixed(0))];
  const bytes = ['bytes an event in the log', ...columns.map(({ carried }) => carried.bytesPerEvent.toFixed(0))];
  const head = ['usd_per_million_events', ...columns.map(({ eventsPerRequest }) => `${eventsPerRequest} a request`)];
  return tableOf(`Dollars per million events, ${name}`, head, [...rows, total, largest, events, bytes]);
}

export function growthTable(rows: readonly GrowthRow[]): string {
  const columns = Object.entries(GROWTH_COLUMNS);
  const head = ['events behind', ...columns.map(([name]) => name)];
  const body = rows.map((row) => [String(row.events), ...columns.map(([, column]) => row[column].toFixed(3))]);
  const spread = ['largest by smallest', ...columns.map(([, column]) => spreadOf(rows, column).toFixed(2))];
  return tableOf('Growth: 100 events a second, 100 a request, ever more of them behind', head, [...body, spread]);
}

export function memoryTable({ identityBytes, cpuMillisPerMillion }: IdentityMemory): string {
  return tableOf(
    'What a writer of the log remembers',
    ['bytes an identity (identity_bytes)', 'MB a million', 'CPU to take in a million, ms'],
    [[identityBytes.toFixed(0), identityBytes.toFixed(0), cpuMillisPerMillion.toFixed(0)]],
  );
}

export function weightTable(weights: readonly Weight[]): string {
  const rows = weights.map(({ name, ownKb, wholeKb, initMs }) => [
    name,
    ownKb.toFixed(0),
    wholeKb.toFixed(0),
    initMs.toFixed(0),
  ]);
  return tableOf('What a cold start loads', ['function', 'own code, KB', 'bundle, KB', 'init_ms'], rows);
}

export function throughputTable({ events, eventsPerSecond, acceptedPerSecond }: Throughput): string {
  return tableOf(
    'The whole local stack',
    ['events', 'accepted, events a second', 'events_per_second (in the views)'],
    [[String(events), acceptedPerSecond.toFixed(0), eventsPerSecond.toFixed(0)]],
  );
}

export function entitlementTable({ rounds, p50Millis, p99Millis, perSecond }: EntitlementLatency): string {
  const rows = rounds.map((round, i) => [`round ${i + 1}`, round.p50Millis.toFixed(1), round.p99Millis.toFixed(1)]);
  return tableOf(
    `POST /v1/entitlements/check at ${perSecond} a second, the whole local stack (the median is entitlement_check_p99_ms)`,
    ['', 'p50, ms', 'p99, ms'],
    [...rows, ['median', p50Millis.toFixed(1), p99Millis.toFixed(1)]],
  );
}
