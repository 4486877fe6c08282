import { quotaStore } from '../adapters/dynamodb/quotas.ts';
import { checkEntitlement } from '../core/entitlements/check-entitlement.ts';
import type { Feature } from '../core/entitlements/feature.ts';
import type { CustomerId } from '../core/ids.ts';
import { instantFromMillis } from '../core/time/instant.ts';
import { countedUpTo } from '../core/usage/counted-up-to.ts';
import { usageReport } from '../core/usage/usage-report.ts';
import { costRun } from './cost-run.ts';
import { type CostWorld, READER_LINE } from './cost-world.ts';
import { TABLES } from './memory-tables.ts';
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
  /** Of one `POST /v1/entitlements/check`, after the quota's first. */
  readonly checkReadUnits: number;
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
  const reads = { usageQuery: 0, asOf: 0, check: 0 };
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
        // The first check of a quota in its window reads the views.
        await checkQuota(world, customerName(i));
        reads.check += await unitsOf(world, () => checkQuota(world, customerName(i)));
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
    checkReadUnits: reads.check / ASKED_CUSTOMERS,
  };
}

async function askUsage(world: CostWorld, customer: string): Promise<void> {
  const { meters } = METERS;
  const asked = { project: PROJECT, customer, ...DAY, timeZone: 'UTC', meters, groupBy: ['region'] };
  const rows = await usageReport(asked, { views: world.folder().views });
  if (rows.length < meters.length) throw new Error(`The bench's own usage is missing: ${customer}`);
}

/** A customer's quota of calls over the day. */
async function checkQuota(world: CostWorld, customer: string): Promise<void> {
  const [meter] = METERS.meters;
  if (meter === undefined) throw new Error('The bench has no meter.');
  const window = { start: DAY.from, end: DAY.to };
  const feature: Feature = {
    ...{ kind: 'metered', feature: 'calls', sources: [], limit: '1000000000', isHard: true, grants: [] },
    scope: { feature: 'calls', meter: meter.key, filter: {}, window },
  };
  const { views, clock } = world.folder();
  const asked = { project: PROJECT, customer: customer as CustomerId, feature: 'calls', quantity: null };
  const { allowed, used } = await checkEntitlement(asked, {
    ...{ views, clock, quotas: quotaStore(world.client, TABLES.views), marked: new Set(), maxAgeMillis: 60_000 },
    features: async () => new Map([['calls', feature]]),
    meters: async () => METERS,
  });
  if (!allowed || used === '0') throw new Error(`The bench's own quota is not what it should be: ${used}`);
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
