import { instantFromMillis } from '../core/time/instant.ts';
import { countedUpTo } from '../core/usage/counted-up-to.ts';
import { usageReport } from '../core/usage/usage-report.ts';
import { costRun } from './cost-run.ts';
import { type CostWorld, READER_LINE } from './cost-world.ts';
import { customerName, METERS, PROJECT } from './workload.ts';

/**
 * What grows with the events of a project: ten minutes of the same traffic at the same rate, with a hundred times as much of it
 * behind. All of it ends at noon, so that the views, which begin anew every day, are as full each time. Counted units only.
 */
export interface GrowthRow {
  /** That came before what is billed here. */
  readonly events: number;
  /** Dollars per million events, the handler's CPU left out: it never sees what was before. */
  readonly usdPerMillion: number;
  readonly writesPerThousandEvents: number;
  readonly readsPerThousandEvents: number;
  /** Read units of one `GET /v1/usage` over the day: all meters, by region. */
  readonly usageQueryReadUnits: number;
  /** Of finding out up to when everything is counted, as each such query does. */
  readonly asOfReadUnits: number;
}

export const GROWTH_EVENTS = [10_000, 100_000, 1_000_000] as const;
const EVENTS_PER_SECOND = 100;
const BILLED_SECONDS = 600;
const EVENTS_PER_REQUEST = 100;
const APPEND_WINDOW_SECONDS = 10;
const ASKED_CUSTOMERS = 20;
const DAY = { from: instantFromMillis(Date.UTC(2026, 10, 21)), to: instantFromMillis(Date.UTC(2026, 10, 22)) };

export async function growth(onStep: (step: string) => void, sizes: readonly number[] = GROWTH_EVENTS) {
  const rows: GrowthRow[] = [];
  for (const events of sizes) {
    onStep(`growth: ${events} events`);
    const row = await rowOf(events);
    onStep(`growth: $${row.usdPerMillion.toFixed(3)} a million, ${row.usageQueryReadUnits} read units a query`);
    rows.push(row);
  }
  return rows;
}

async function rowOf(events: number): Promise<GrowthRow> {
  const reads = { usageQuery: 0, asOf: 0 };
  const result = await costRun(
    {
      eventsPerSecond: EVENTS_PER_SECOND,
      eventsPerRequest: EVENTS_PER_REQUEST,
      ids: 'carried',
      customers: 'even',
      seconds: BILLED_SECONDS,
      behindSeconds: events / EVENTS_PER_SECOND,
      appendWindowSeconds: APPEND_WINDOW_SECONDS,
      handler: { cpuMillis: 0, waits: 1 },
    },
    async (world) => {
      for (let i = 0; i < ASKED_CUSTOMERS; i++) {
        reads.usageQuery += await unitsOf(world, () => askUsage(world, customerName(i)));
        reads.asOf += await unitsOf(world, () => countedUpTo(PROJECT, world.folder()));
      }
    },
  );
  const unitsPerThousand = (what: 'dynamodb_writes' | 'dynamodb_reads') =>
    result.lines.reduce((sum, { units }) => sum + (units[what] ?? 0), 0) / 1000;
  return {
    events,
    usdPerMillion: result.usd,
    writesPerThousandEvents: unitsPerThousand('dynamodb_writes'),
    readsPerThousandEvents: unitsPerThousand('dynamodb_reads'),
    usageQueryReadUnits: reads.usageQuery / ASKED_CUSTOMERS,
    asOfReadUnits: reads.asOf / ASKED_CUSTOMERS,
  };
}

async function askUsage(world: CostWorld, customer: string): Promise<void> {
  const { meters } = METERS;
  const asked = { project: PROJECT, customer, ...DAY, timeZone: 'UTC', meters, groupBy: ['region'] };
  const rows = await usageReport(asked, { views: world.folder().views });
  if (rows.length < meters.length) throw new Error(`The bench's own usage is missing: ${customer}`);
}

async function unitsOf(world: CostWorld, work: () => Promise<unknown>): Promise<number> {
  const before = world.meter.unitsOf(READER_LINE, 'dynamodb_reads');
  await world.counted('reader', work);
  return world.meter.unitsOf(READER_LINE, 'dynamodb_reads') - before;
}

/** How far the rows of a column lie apart: the largest by the smallest, 1 when nothing grows. */
export function spreadOf(rows: readonly GrowthRow[], column: keyof GrowthRow): number {
  const values = rows.map((row) => row[column]);
  return Math.max(...values) / Math.min(...values);
}
