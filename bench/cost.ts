import { withFolder } from './bundles.ts';
import type { Invocation } from './cost-meter.ts';
import { type CostResult, costRun } from './cost-run.ts';
import { bodyOf } from './handler-cpu.ts';
import { cpuMicros } from './in-process-endpoint.ts';
import { type Ingest, ingestBundle, ingestOf } from './ingest-fixture.ts';
import { type Spread, smallEvent } from './workload.ts';

/** The bills: every request size at every rate, and once more with ids that take the claim lane. */
export const REQUEST_SIZES = [1, 10, 100, 1000] as const;
interface Rate {
  readonly eventsPerSecond: number;
  readonly seconds: number;
  readonly appendWindowSeconds: number;
  readonly name: string;
}
const FULL: Rate = { eventsPerSecond: 1000, seconds: 120, appendWindowSeconds: 5, name: 'at_1000_per_s' };
export const RATES: readonly Rate[] = [
  FULL,
  { eventsPerSecond: 40, seconds: 900, appendWindowSeconds: 20, name: 'at_40_per_s' },
  { eventsPerSecond: 1, seconds: 3600, appendWindowSeconds: 60, name: 'at_1_per_s' },
];
/** The first rate again, with usage spread otherwise over the customers. Thin usage is folded more rarely: a longer stretch. */
const SPREADS = [
  { name: 'hot_customer', spread: 'hot', seconds: FULL.seconds },
  { name: 'thin_customers', spread: 'thin', seconds: 300 },
] as const;
/** Rare requests need a longer stretch: at least this many of them. */
const FEWEST_REQUESTS = 4;
const FOREIGN_SECONDS = 20;

export interface CostColumn {
  readonly eventsPerRequest: number;
  readonly carried: CostResult;
}

export interface CostTable {
  /** By rate, and by spread at the first rate. */
  readonly rates: Readonly<Record<string, readonly CostColumn[]>>;
  /** Dollars per million events that foreign ids cost more, by events per request, at the first rate. */
  readonly foreignIdsExtra: Readonly<Record<string, number>>;
}

export async function costTable(onStep: (step: string) => void): Promise<CostTable> {
  const handlers = new Map<number, Pick<Invocation, 'cpuMillis' | 'waits'>>();
  const bundle = await ingestBundle();
  await withFolder(async (folder) => {
    const ingest = await ingestOf(folder, bundle);
    for (const size of REQUEST_SIZES) handlers.set(size, await handlerOf(ingest, size));
  });
  interface Traffic {
    readonly ids: 'carried' | 'foreign';
    readonly customers: Spread;
  }
  const runAt = async (rate: Rate, eventsPerRequest: number, traffic: Traffic) => {
    const handler = handlers.get(eventsPerRequest);
    if (handler === undefined) throw new Error(`No handler was measured for ${eventsPerRequest} events.`);
    const what = `${traffic.ids} ids, ${traffic.customers} customers`;
    onStep(`cost: ${rate.eventsPerSecond} events a second, ${eventsPerRequest} per request, ${what}`);
    const seconds = Math.max(rate.seconds, (FEWEST_REQUESTS * eventsPerRequest) / rate.eventsPerSecond);
    const result = await costRun({ ...rate, ...traffic, seconds, eventsPerRequest, handler });
    onStep(`cost: $${result.usd.toFixed(3)} a million, most of it ${result.lines[0]?.name}`);
    return result;
  };
  const columnsOf = async (rate: Rate, customers: Spread) => {
    const columns: CostColumn[] = [];
    for (const eventsPerRequest of REQUEST_SIZES)
      columns.push({ eventsPerRequest, carried: await runAt(rate, eventsPerRequest, { ids: 'carried', customers }) });
    return columns;
  };
  const rates: Record<string, CostColumn[]> = {};
  for (const rate of RATES) rates[rate.name] = await columnsOf(rate, 'even');
  for (const { name, spread, seconds } of SPREADS) rates[name] = await columnsOf({ ...FULL, seconds }, spread);
  const foreignIdsExtra: Record<string, number> = {};
  for (const { eventsPerRequest, carried } of rates[FULL.name] ?? []) {
    const foreign = await runAt({ ...FULL, seconds: FOREIGN_SECONDS }, eventsPerRequest, {
      ids: 'foreign',
      customers: 'even',
    });
    foreignIdsExtra[eventsPerRequest] = claimLane(foreign) - claimLane(carried);
  }
  return { rates, foreignIdsExtra };
}

/** What foreign ids change: claims, the waiting for them, and longer ids in the log. */
function claimLane({ lines }: CostResult): number {
  const names = ['claims', 'post-events', 'log (', 'queue'];
  return lines.filter(({ name }) => names.some((part) => name.startsWith(part))).reduce((sum, { usd }) => sum + usd, 0);
}

/** One request of so many events through the bundled handler: CPU without the endpoint's, and waits for AWS. */
async function handlerOf({ send, endpoint }: Ingest, events: number) {
  const body = bodyOf(smallEvent, events);
  const repeats = Math.max(20, Math.ceil(600 / events));
  for (let i = 0; i < repeats; i++) await send(body);
  const before = { cpu: cpuMicros(), answering: endpoint.answeringMicros, waits: endpoint.waits };
  for (let i = 0; i < repeats; i++) await send(body);
  const micros = cpuMicros() - before.cpu - (endpoint.answeringMicros - before.answering);
  return { cpuMillis: micros / 1000 / repeats, waits: (endpoint.waits - before.waits) / repeats };
}
