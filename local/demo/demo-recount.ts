import { type BilledLines, billedLines, type Days, type PartUsage } from './demo-bill.ts';
import { DEMO_CHANGES, DEMO_CUSTOMERS, DEMO_FIRST_PLAN, type DemoCustomer, type DemoPlan } from './demo-catalog.ts';
import { type DemoMonth, localMidnight } from './demo-month.ts';
import type { DemoEvent } from './demo-traffic.ts';

/** The demo's usage and bills, counted a second time from what was sent and accepted; prices are in demo-bill.ts. */
export interface Recount {
  /** Cents of each line by its key, by customer. */
  readonly invoices: ReadonlyMap<string, ReadonlyMap<string, bigint>>;
  /** Distinct events counted. */
  readonly counted: number;
  readonly duplicates: number;
}

/** A part of a customer's month in which one plan is in force: `[from, to)`, ms since the epoch. */
interface Part {
  readonly from: number;
  readonly to: number;
  readonly plan: DemoPlan;
  readonly days: Days;
  readonly usage: PartUsage;
}

/** The customer's month, cut where its plan changes. */
function partsOf({ id, time_zone }: DemoCustomer, { year, month, days }: DemoMonth): Part[] {
  const from = localMidnight({ year, month, day: 1 }, time_zone);
  const to = localMidnight({ year, month: month + 1, day: 1 }, time_zone);
  const change = DEMO_CHANGES.find(({ customer }) => customer === id);
  const part = (plan: DemoPlan, span: { from: number; to: number }, counted: number, served: number): Part => ({
    ...{ plan, ...span, usage: { apiEu: 0n, apiOther: 0n, tokens: 0n, storagePeak: 0n } },
    days: { part: BigInt(counted), whole: BigInt(days), served: BigInt(served) },
  });
  if (change === undefined) return [part(DEMO_FIRST_PLAN, { from, to }, days, days)];
  const at = localMidnight({ year, month, day: change.day }, time_zone);
  const before = change.day - 1;
  // Without proration the first plan counts whole, and the second not at all until the next month.
  const counted = change.prorate ? before : days;
  return [
    part(DEMO_FIRST_PLAN, { from, to: at }, counted, before),
    part(change.plan, { from: at, to }, days - counted, days - before),
  ];
}

const PICO_PLACES = 12;

function pico(text: string): bigint {
  const [whole = '0', fraction = ''] = text.split('.');
  return BigInt(whole + fraction.padEnd(PICO_PLACES, '0'));
}

function add(usage: PartUsage, event: DemoEvent): void {
  if (event.type === 'api_call' && event.properties.region === 'eu') usage.apiEu += 1n;
  else if (event.type === 'api_call') usage.apiOther += 1n;
  else if (event.type === 'completion') usage.tokens += BigInt(event.properties.tokens ?? 0);
  else {
    const gb = pico(String(event.properties.gb));
    if (gb > usage.storagePeak) usage.storagePeak = gb;
  }
}

function linesOf(customer: string, parts: readonly Part[]): Map<string, bigint> {
  let storagePeak = 0n;
  for (const { usage } of parts) if (usage.storagePeak > storagePeak) storagePeak = usage.storagePeak;
  const keyed = parts.flatMap(({ plan, usage, days }, index) => {
    const prefix = index === 0 ? `sub_${customer}` : `sub_${customer}/phase-${index + 1}`;
    const lines: BilledLines = billedLines(plan, { ...usage, storagePeak }, days);
    return [...lines].map(([key, cents]) => [`${prefix}/${key}`, cents] as const);
  });
  return new Map(keyed);
}

/** Recounts the events that the API accepted, in the order in which they were sent. */
export function recount(month: DemoMonth, accepted: readonly DemoEvent[]): Recount {
  const parts = new Map(DEMO_CUSTOMERS.map((customer) => [customer.id, partsOf(customer, month)]));
  const seen = new Set<string>();
  let duplicates = 0;
  for (const event of accepted) {
    const identity = JSON.stringify([event.customer, event.id]);
    if (seen.has(identity)) {
      duplicates += 1;
      continue;
    }
    seen.add(identity);
    const at = Date.parse(event.time);
    const part = parts.get(event.customer)?.find(({ from, to }) => from <= at && at < to);
    if (part !== undefined) add(part.usage, event);
  }
  const invoices = new Map([...parts].map(([customer, cut]) => [customer, linesOf(customer, cut)]));
  return { invoices, counted: seen.size, duplicates };
}
