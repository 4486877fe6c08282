import type { ApiClient } from '../../cli/api-client.ts';
import { DEMO_CHANGES, DEMO_CUSTOMERS } from './demo-catalog.ts';
import { type DemoMonth, localMidnight } from './demo-month.ts';

/** Customers decide three days before the change. */
const DAYS_AHEAD = 3;

/** Orders the changes of plan that are decided on a day of the month; one that was ordered by an earlier start stays. */
export async function changePlans(client: ApiClient, month: DemoMonth, today: number): Promise<void> {
  for (const { customer, plan, day, prorate } of DEMO_CHANGES) {
    const zone = DEMO_CUSTOMERS.find(({ id }) => id === customer)?.time_zone;
    if (day - DAYS_AHEAD !== today || zone === undefined) continue;
    const path = `/v1/subscriptions/sub_${customer}`;
    const { phases } = (await client.get(path)) as { phases: readonly object[] };
    if (phases.length > 1) continue;
    const at = new Date(localMidnight({ ...month, day }, zone)).toISOString();
    await client.post(`${path}/change`, { plan, at, prorate });
  }
}
