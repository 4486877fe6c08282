import type { ApiClient } from '../../cli/api-client.ts';
import { DEMO_CUSTOMERS, DEMO_FIRST_PLAN, DEMO_METERS, DEMO_PLANS } from './demo-catalog.ts';
import { type DemoMonth, localMidnight } from './demo-month.ts';

/** Creates what the demo sells and to whom, over the public API, as any backend would. */
export async function setUpCatalog(
  client: ApiClient,
  month: DemoMonth,
  stripeIds: ReadonlyMap<string, string>,
): Promise<void> {
  for (const meter of DEMO_METERS) await client.post('/v1/meters', meter);
  for (const plan of DEMO_PLANS) await client.post('/v1/plans', plan);
  for (const { id, name, time_zone } of DEMO_CUSTOMERS) {
    await client.post('/v1/customers', {
      ...{ id, name, time_zone, currency: 'USD' },
      metadata: { stripe_customer_id: stripeIds.get(id) ?? '' },
    });
    const start = new Date(localMidnight({ ...month, day: 1 }, time_zone)).toISOString();
    await client.post('/v1/subscriptions', {
      id: `sub_${id}`,
      customer: id,
      plan: DEMO_FIRST_PLAN,
      start,
      billing: 'calendar',
    });
  }
}
