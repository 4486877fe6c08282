import type { SeenCustomers } from '../accounts/ports.ts';
import type { ProjectId } from '../ids.ts';
import type { CustomerDay } from './day-groups.ts';
import { dayKey, placementHash } from './log-partition.ts';
import { DAY_MILLIS } from './retention.ts';

/** The sample is of the day before yesterday, which nearly everything that is late has reached. */
const SAMPLED_DAYS_AGO = 2;

/**
 * A sample of a project's views, by customer: one customer in `oneIn`, chosen by the date, so that each has a turn within so
 * many days.
 */
export async function sampledDays(
  { project, oneIn, nowMillis }: { readonly project: ProjectId; readonly oneIn: number; readonly nowMillis: number },
  { customers }: { readonly customers: SeenCustomers },
): Promise<CustomerDay[]> {
  const today = Math.floor(nowMillis / DAY_MILLIS);
  const day = dayKey((today - SAMPLED_DAYS_AGO) * DAY_MILLIS * 1000);
  const sample: CustomerDay[] = [];
  let cursor: string | undefined;
  do {
    const page = await customers.list(project, { limit: 1_000, cursor });
    for (const customer of page.items)
      if (placementHash(customer) % oneIn === today % oneIn) sample.push({ customer, day });
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
  return sample.sort((a, b) => (a.customer < b.customer ? -1 : 1));
}
