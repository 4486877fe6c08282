import Stripe from 'stripe';
import type { ApiClient } from '../../cli/api-client.ts';
import { type Scenario, STRIPE_KEY } from './scenario.ts';

export interface StoryCustomer {
  readonly id: string;
  readonly timeZone?: string;
  /** One of the double's test payment methods. */
  readonly card?: string;
  readonly plan: string;
  /** RFC 3339, on a quarter hour. */
  readonly start: string;
}

/** The official SDK on the double, as a checkout page would use it. */
export function stripeOf(scenario: Scenario): Stripe {
  return stripeAt(scenario.stripe.url, STRIPE_KEY);
}

export function stripeAt(url: string, key: string): Stripe {
  const { hostname: host, port } = new URL(url);
  return new Stripe(key, { host, port, protocol: 'http', telemetry: false });
}

/** A customer with a card at Stripe, linked to it, and subscribed to a plan from `start`. */
export function subscribe(scenario: Scenario, customer: StoryCustomer): Promise<void> {
  return subscribeAt(scenario.client, stripeOf(scenario), customer);
}

export async function subscribeAt(client: ApiClient, stripe: Stripe, customer: StoryCustomer): Promise<void> {
  const { id, timeZone = 'UTC', card = 'pm_card_visa', plan, start } = customer;
  const { id: linked } = await stripe.customers.create({
    name: id,
    payment_method: card,
    invoice_settings: { default_payment_method: card },
  });
  const metadata = { stripe_customer_id: linked };
  await client.post('/v1/customers', { id, name: id, time_zone: timeZone, currency: 'USD', metadata });
  await client.post('/v1/subscriptions', { id: `sub_${id}`, customer: id, plan, start, billing: 'calendar' });
}
