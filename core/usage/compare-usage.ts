import { inLanes } from './in-lanes.ts';
import type { ReadUsageDeps } from './read-usage.ts';
import { type UsageReportInput, type UsageRow, usageReport } from './usage-report.ts';

/** Customers that one comparison takes. */
export const MAX_COMPARED = 20;

export interface ComparedRow extends UsageRow {
  readonly customer: string;
}

const CUSTOMERS_AT_ONCE = 4;

/**
 * The usage of several customers over the same windows: the rows of each one's report, customer by customer in the order
 * asked for. Throws what `usageReport` throws.
 */
export async function compareUsage(
  { customers, ...input }: Omit<UsageReportInput, 'customer'> & { readonly customers: readonly string[] },
  deps: ReadUsageDeps,
): Promise<readonly ComparedRow[]> {
  const reports = new Map<string, readonly UsageRow[]>();
  await inLanes(customers, CUSTOMERS_AT_ONCE, async (customer) => {
    reports.set(customer, await usageReport({ ...input, customer }, deps));
  });
  return customers.flatMap((customer) => (reports.get(customer) ?? []).map((row) => ({ customer, ...row })));
}
