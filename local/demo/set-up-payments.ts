import Stripe from 'stripe';
import { DEMO_CUSTOMERS } from './demo-catalog.ts';

/**
 * Gives every demo customer a Stripe customer with a working test card, as a checkout page would have done, and returns the
 * Stripe id of each. Works against the local double and against Stripe's test mode alike.
 */
export async function setUpPayments(input: {
  apiKey: string;
  apiBase: string | null;
}): Promise<ReadonlyMap<string, string>> {
  const base = input.apiBase === null ? null : new URL(input.apiBase);
  const address = base === null ? {} : { host: base.hostname, port: base.port, protocol: 'http' as const };
  const stripe = new Stripe(input.apiKey, { ...address, telemetry: false });
  const ids = new Map<string, string>();
  for (const { id, name } of DEMO_CUSTOMERS) {
    const customer = await stripe.customers.create(
      { name, payment_method: 'pm_card_visa', invoice_settings: { default_payment_method: 'pm_card_visa' } },
      { idempotencyKey: `demo-customer-${id}` },
    );
    ids.set(id, customer.id);
  }
  return ids;
}
