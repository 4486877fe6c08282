import path from 'node:path';
import type { LocalStack } from '../stack.ts';
import { startStripeDouble } from '../stripe/stripe-double.ts';
import { DEMO_PROJECT } from './demo-catalog.ts';

/**
 * Stripe for the demo project: the double, unless COUNTINGHOUSE_STRIPE_KEY holds a key of Stripe's test mode. Then the real
 * Stripe is used, and COUNTINGHOUSE_STRIPE_SIGNING_SECRET is the secret that `stripe listen` printed. Live keys are refused.
 */
export interface ConnectedStripe {
  readonly apiKey: string;
  /** Null for Stripe's own address. */
  readonly apiBase: string | null;
  close(): Promise<void>;
}

const DOUBLE_KEY = 'rk_test_local';
const DOUBLE_SIGNING_SECRET = 'whsec_local';

/** Connects the stack to Stripe. Throws a sentence when only one of the two variables is set, or when the key is a live one. */
export async function connectStripe(
  stack: LocalStack,
  stateDir: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<ConnectedStripe> {
  const { COUNTINGHOUSE_STRIPE_KEY: key, COUNTINGHOUSE_STRIPE_SIGNING_SECRET: signingSecret } = environment;
  if (key === undefined && signingSecret === undefined) return connectDouble(stack, stateDir);
  if (key === undefined || signingSecret === undefined || !/^[sr]k_test_/.test(key)) {
    throw new Error(
      'For the real Stripe set both COUNTINGHOUSE_STRIPE_KEY (a test key, sk_test_ or rk_test_) and COUNTINGHOUSE_STRIPE_SIGNING_SECRET (whsec_..., as `stripe listen` prints it). Live keys are refused.',
    );
  }
  putSecret(stack, { api_key: key, signing_secrets: [signingSecret], livemode: false });
  return { apiKey: key, apiBase: null, close: async () => {} };
}

async function connectDouble(stack: LocalStack, stateDir: string): Promise<ConnectedStripe> {
  const double = await startStripeDouble({
    stateFile: path.join(stateDir, 'stripe.ndjson'),
    now: () => stack.clock.now(),
    apiKey: DOUBLE_KEY,
    webhook: { url: `${stack.apiUrl}/webhooks/stripe/${DEMO_PROJECT.id}`, secrets: [DOUBLE_SIGNING_SECRET] },
  });
  const secret = { api_key: DOUBLE_KEY, signing_secrets: [DOUBLE_SIGNING_SECRET], livemode: false };
  putSecret(stack, { ...secret, api_base: double.url });
  return { apiKey: DOUBLE_KEY, apiBase: double.url, close: () => double.close() };
}

function putSecret(stack: LocalStack, secret: object): void {
  const prefix = stack.lambda.find('push-invoices').environment.STRIPE_SECRET_PREFIX ?? '';
  stack.parts.secrets.put(`${prefix}${DEMO_PROJECT.id}`, JSON.stringify(secret));
}
