import type { ApiClient } from '../../cli/api-client.ts';
import { recount, thousandths } from './recount.ts';
import type { Sent } from './senders.ts';
import { CUSTOMERS, customerName, PER_REQUEST, type TrafficPlan } from './traffic.ts';

/** The books at the end: the log's receipts of every hour, the parking lot, and the usage beside an independent recount. */
export interface Counts {
  readonly accepted: number;
  readonly stored: number;
  readonly duplicates: number;
  readonly retimed: number;
  readonly conflicts: number;
  readonly parked: number;
  readonly discarded: number;
  readonly rejected: number;
}

interface AuditDocument {
  readonly balances: boolean;
  readonly total: Counts;
  readonly partitions: readonly { readonly partition: string; readonly differences: readonly string[] }[];
  readonly parking_whole: boolean;
  readonly next_cursor: string | null;
}

const HOUR = 3_600_000;

/** The audited hours added up, from the hour of `fromMillis` to that of `toMillis`, and what in them does not balance. */
export async function auditHours(client: ApiClient, fromMillis: number, toMillis: number) {
  const total: Record<string, number> = {};
  const differences: string[] = [];
  for (let hour = Math.floor(fromMillis / HOUR) * HOUR; hour <= toMillis; hour += HOUR) {
    const name = new Date(hour).toISOString().slice(0, 13);
    for (let cursor: string | null = ''; cursor !== null; ) {
      const query = new URLSearchParams({ hour: name, ...(cursor === '' ? {} : { cursor }) });
      const page = (await client.get(`/v1/audit/usage?${query}`)) as AuditDocument;
      for (const [what, count] of Object.entries(page.total)) total[what] = (total[what] ?? 0) + count;
      for (const { partition, differences: some } of page.partitions)
        differences.push(...some.map((difference) => `${partition}: ${difference}`));
      if (!page.balances || !page.parking_whole) differences.push(`The hour ${name} does not balance.`);
      cursor = page.next_cursor;
    }
  }
  return { total: total as unknown as Counts, differences };
}

/** Everything parked is sent to be counted again; returns how many messages that were. */
export async function replayParked(client: ApiClient): Promise<number> {
  const { data } = (await client.get('/v1/parked?limit=100')) as { data: { name: string }[] };
  for (const { name } of data) await client.post(`/v1/parked/${encodeURIComponent(name)}/replay`, {});
  return data.length;
}

/** Where the books do not agree with what was sent; nothing when they balance to the event. */
export function bookDifferences(sent: Sent, counts: Counts, plan: TrafficPlan): string[] {
  const unique = Math.min(plan.events, sent.requests * PER_REQUEST);
  const repeated = counts.duplicates + counts.retimed + counts.conflicts;
  const settled = counts.stored + repeated + counts.parked + counts.discarded;
  const differences = [...sent.faults];
  const expect = (holds: boolean, otherwise: string) => void (holds || differences.push(otherwise));
  expect(counts.stored === unique, `${unique} different events were sent, ${counts.stored} are stored.`);
  expect(counts.accepted === settled, `${counts.accepted} were accepted, ${settled} have an end.`);
  expect(counts.accepted >= sent.answered, `${sent.answered} were answered for, only ${counts.accepted} accepted.`);
  expect(counts.accepted <= sent.tried, `${sent.tried} were tried, but ${counts.accepted} accepted.`);
  return differences;
}

interface UsageDocument {
  readonly data: readonly { meter: string; quantity: string; dimensions: Readonly<Record<string, string>> }[];
}

/** Every customer's usage beside the recount; what differs, in words. */
export async function usageDifferences(client: ApiClient, plan: TrafficPlan, requestsSent: number): Promise<string[]> {
  const expected = recount(plan, requestsSent);
  const differences: string[] = [];
  const quarter = 900_000;
  const from = new Date(Math.floor(plan.fromMillis / quarter) * quarter).toISOString();
  const to = new Date(Math.ceil((plan.toMillis + 1) / quarter) * quarter).toISOString();
  for (let number = 0; number < CUSTOMERS; number++) {
    const customer = customerName(number);
    const query = new URLSearchParams({ customer, from, to, group_by: 'region' });
    const { data } = (await client.get(`/v1/usage?${query}`)) as UsageDocument;
    const seen = new Map(data.map(({ meter, quantity, dimensions }) => [`${dimensions.region}/${meter}`, quantity]));
    const regions = [...expected.keys()].filter((name) => name.startsWith(`${customer}/`));
    for (const name of regions) {
      const total = expected.get(name) ?? { calls: 0n, tokens: 0n, peak: 0n };
      const region = name.slice(customer.length + 1);
      for (const [meter, amount] of Object.entries({ ...total, calls: total.calls * 1000n }) as [string, bigint][]) {
        const quantity = seen.get(`${region}/${meter}`) ?? '0';
        seen.delete(`${region}/${meter}`);
        if (thousandths(quantity) !== amount)
          differences.push(`${customer} ${region} ${meter}: ${quantity}, recounted ${amount} thousandths.`);
      }
    }
    for (const [name, quantity] of seen) differences.push(`${customer} ${name}: ${quantity}, recounted nothing.`);
  }
  return differences;
}
