import Stripe from 'stripe';
import type { StripeSecret } from './stripe-secret.ts';

export const STRIPE_API_VERSION = '2026-10-28.endive';

/** How long one call may take: a try, and how often the SDK repeats one whose answer is missing, 409 or 5xx. */
export interface CallPatience {
  readonly timeoutMs: number;
  readonly maxNetworkRetries: number;
}

/**
 * Pushing (900 s Lambda): 3 tries x 15 s + back-off 0.5 s + 1 s = 46.5 s for a call.
 * `PUSH_RESERVE_MS` is what must be left of the Lambda's time to begin an invoice: six calls that each just make it in a first
 * try, or one that needs all three; a kill in the middle is safe, only slower.
 */
export const PUSH_PATIENCE: CallPatience = { timeoutMs: 15_000, maxNetworkRetries: 2 };
export const PUSH_RESERVE_MS = 90_000;
/** Webhooks (60 s Lambda, a batch side by side): 2 tries x 10 s + 0.5 s = 20.5 s for the one read. */
export const APPLY_PATIENCE: CallPatience = { timeoutMs: 10_000, maxNetworkRetries: 1 };

/** The official SDK for one account, pinned to one API version, without telemetry. One per account and Lambda environment. */
export function stripeClient(secret: StripeSecret, patience: CallPatience): Stripe {
  return new Stripe(secret.apiKey, {
    apiVersion: STRIPE_API_VERSION,
    timeout: patience.timeoutMs,
    maxNetworkRetries: patience.maxNetworkRetries,
    telemetry: false,
    ...addressOf(secret.apiBase),
  });
}

function addressOf(apiBase: string | null): { host?: string; port?: number; protocol?: 'http' | 'https' } {
  if (apiBase === null) return {};
  const { hostname, port, protocol } = new URL(apiBase);
  const isPlain = protocol === 'http:';
  return {
    host: hostname,
    port: port === '' ? (isPlain ? 80 : 443) : Number(port),
    protocol: isPlain ? 'http' : 'https',
  };
}
