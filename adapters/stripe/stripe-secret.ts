import { BillingError } from '../../core/errors.ts';

/** The secret of one project's Stripe account. */
export interface StripeSecret {
  /** A restricted key: customers, invoices, payment methods and intents. */
  readonly apiKey: string;
  /** One, or two while one is being rolled. */
  readonly signingSecrets: readonly string[];
  readonly livemode: boolean;
  /** Only for the local double, such as `http://127.0.0.1:12111`; Stripe's own address when left out. */
  readonly apiBase: string | null;
}

/** Reads the JSON of a secret. Throws `provider` (`stripe_secret_invalid`), naming what is wrong and never a value. */
export function parseStripeSecret(text: string): StripeSecret {
  const json = objectOf(text);
  const { api_key: apiKey, signing_secrets: signing, livemode, api_base: apiBase } = json;
  if (typeof apiKey !== 'string' || !/^[sr]k_(test|live)_/.test(apiKey)) {
    throw unusable('api_key must be a Stripe key (rk_test_..., rk_live_...)');
  }
  if (!Array.isArray(signing) || signing.length < 1 || signing.length > 2 || !signing.every(isText)) {
    throw unusable('signing_secrets must be a list of one or two texts');
  }
  if (typeof livemode !== 'boolean' || livemode !== /^[sr]k_live_/.test(apiKey)) {
    throw unusable('livemode must be true with a live key and false with a test key');
  }
  if (apiBase !== undefined && (typeof apiBase !== 'string' || !/^https?:\/\/[^/]+$/.test(apiBase))) {
    throw unusable('api_base must be an address without a path');
  }
  if (livemode && apiBase !== undefined) throw unusable('api_base is for test keys only');
  return {
    apiKey: apiKey.trim(),
    signingSecrets: (signing as string[]).map((secret) => secret.trim()),
    livemode,
    apiBase: apiBase ?? null,
  };
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.trim() !== '';
}

function objectOf(text: string): Record<string, unknown> {
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as Record<string, unknown>;
  } catch {
    // told below, without the text
  }
  throw unusable('it is not a JSON object');
}

function unusable(why: string): BillingError {
  return new BillingError({
    kind: 'provider',
    code: 'stripe_secret_invalid',
    message: `The project's Stripe secret cannot be used: ${why}.`,
    retryable: false,
  });
}
