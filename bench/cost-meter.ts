import { PRICES, type Priced } from './prices.ts';

/**
 * What AWS would bill, line by line: how many units of what, and for how many events. The only place where units are counted
 * and turned into money. A bill is an estimate for a table, not an invoice: plain numbers, no decimals of the product.
 */
const KB = 1024;
const HTTP_API_BYTES = 512 * KB;
const QUEUE_BYTES = 64 * KB;
/** Megabytes of memory with which a function has one whole processor; below, its share falls in proportion. */
const FULL_CPU_MB = 1769;
/** What one call to an AWS service is taken to last, in milliseconds. */
export const CALL_MILLIS = 6;
export const DAYS_A_MONTH = 30.4375;

/** Requests that the HTTP API bills for one request with a body of so many bytes. */
export function httpApiUnits(bodyBytes: number): number {
  return Math.max(1, Math.ceil(bodyBytes / HTTP_API_BYTES));
}

/** Requests that SQS bills for one call with so many bytes of messages. */
export function queueUnits(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / QUEUE_BYTES));
}

export interface Invocation {
  readonly memoryMb: number;
  /** Thread CPU on a whole processor, in milliseconds. */
  readonly cpuMillis: number;
  /** How often it waited for an AWS call; calls made together are one wait. */
  readonly waits: number;
}

/** GB-seconds of one invocation: its CPU on the share of a processor that its memory buys, and its waiting. */
export function lambdaGbSeconds({ memoryMb, cpuMillis, waits }: Invocation): number {
  const millis = cpuMillis * Math.max(1, FULL_CPU_MB / memoryMb) + waits * CALL_MILLIS;
  return (millis / 1000) * (memoryMb / 1024);
}

/** GB-months of bytes that are kept for some days. */
export function gbMonths(bytes: number, days: number): number {
  return (bytes / 1e9) * (days / DAYS_A_MONTH);
}

export interface BillLine {
  readonly name: string;
  /** Dollars per million events. */
  readonly usd: number;
  readonly units: Partial<Record<Priced, number>>;
}

export class CostMeter {
  readonly #lines = new Map<string, Map<Priced, number>>();

  add(line: string, what: Priced, quantity: number): void {
    const units = this.#lines.get(line) ?? new Map<Priced, number>();
    units.set(what, (units.get(what) ?? 0) + quantity);
    this.#lines.set(line, units);
  }

  addInvocation(line: string, invocation: Invocation): void {
    this.add(line, 'lambda_requests', 1);
    this.add(line, 'lambda_gb_seconds', lambdaGbSeconds(invocation));
  }

  clear(): void {
    this.#lines.clear();
  }

  /** How many units of something a line has so far. */
  unitsOf(line: string, what: Priced): number {
    return this.#lines.get(line)?.get(what) ?? 0;
  }

  /** The bill per million events; `eventsOf` says over how many events a line was counted. The dearest line first. */
  bill(eventsOf: (line: string) => number): BillLine[] {
    return [...this.#lines]
      .map(([name, units]) => {
        const scale = 1_000_000 / eventsOf(name);
        const scaled = Object.fromEntries([...units].map(([what, quantity]) => [what, quantity * scale]));
        return { name, usd: usdOf(scaled), units: scaled };
      })
      .sort((a, b) => b.usd - a.usd);
  }
}

export function usdOf(units: Partial<Record<Priced, number>>): number {
  let usd = 0;
  for (const [what, quantity] of Object.entries(units)) {
    const { usd: price, per } = PRICES[what as Priced];
    usd += (quantity * price) / per;
  }
  return usd;
}
