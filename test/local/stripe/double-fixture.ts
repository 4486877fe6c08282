import Stripe from 'stripe';
import { type StripeDouble, type StripeDoubleOptions, startStripeDouble } from '../../../local/stripe/stripe-double.ts';

export const API_KEY = 'rk_test_double';

export interface TestClock {
  ms: number;
}

/** A double on a settable clock (2026-12-01T00:00:00Z at first) and an SDK client without retries. */
export async function openDouble(
  options: Partial<StripeDoubleOptions> = {},
): Promise<{ double: StripeDouble; stripe: Stripe; clock: TestClock }> {
  const clock: TestClock = { ms: 1_796_083_200_000 };
  const limits = { perEndpoint: 1000, global: 1000 };
  const double = await startStripeDouble({ now: () => clock.ms, apiKey: API_KEY, limits, ...options });
  return { double, stripe: clientOf(double, API_KEY), clock };
}

export function clientOf(double: StripeDouble, apiKey: string, maxNetworkRetries = 0): Stripe {
  const { hostname, port } = new URL(double.url);
  return new Stripe(apiKey, {
    host: hostname,
    port: Number(port),
    protocol: 'http',
    maxNetworkRetries,
    telemetry: false,
    timeout: 5000,
  });
}

/** A customer whose default payment method is one of Stripe's test methods. */
export async function customerWith(stripe: Stripe, method: string | null): Promise<string> {
  const customer = await stripe.customers.create({
    name: 'Acme',
    ...(method === null ? {} : { payment_method: method, invoice_settings: { default_payment_method: method } }),
  });
  return customer.id;
}

/** A draft in USD (unless told) with the given line amounts in minor units. */
export async function draftWith(
  stripe: Stripe,
  customer: string,
  amounts: number[],
  currency = 'usd',
): Promise<string> {
  const draft = await stripe.invoices.create({ customer, currency, auto_advance: false });
  await stripe.invoices.addLines(draft.id, {
    lines: amounts.map((amount, index) => ({ amount, description: `line ${index}` })),
  });
  return draft.id;
}

/** The error a promise rejects with; fails the test when it does not reject. */
export async function errorOf(promise: Promise<unknown>): Promise<Stripe.errors.StripeError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Stripe.errors.StripeError) return error;
    throw error;
  }
  throw new Error('expected the call to be refused, but it was taken');
}
