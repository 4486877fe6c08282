import { StripeFault } from './stripe-fault.ts';

export interface RateLimits {
  /** Requests a second of one endpoint (method and path pattern). */
  readonly perEndpoint: number;
  /** Requests a second of the whole account. */
  readonly global: number;
}

export const STRIPE_LIMITS: RateLimits = { perEndpoint: 25, global: 100 };

/** Counts requests over a sliding second of the injected clock, per endpoint and in all; refused requests do not count. */
export class RateLimiter {
  readonly #limits: RateLimits;
  readonly #now: () => number;
  readonly #taken = new Map<string, number[]>();

  constructor(limits: RateLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Throws Stripe's 429 when the endpoint or the account is over its limit. */
  take(endpoint: string): void {
    const now = this.#now();
    const global = this.#recent('*', now);
    const own = this.#recent(endpoint, now);
    if (global.length >= this.#limits.global) throw tooMany('global-rate');
    if (own.length >= this.#limits.perEndpoint) throw tooMany('endpoint-rate');
    global.push(now);
    own.push(now);
  }

  #recent(name: string, now: number): number[] {
    // a clock that was set back must not lock the double for ever
    const recent = (this.#taken.get(name) ?? []).filter((at) => at > now - 1000 && at <= now);
    this.#taken.set(name, recent);
    return recent;
  }
}

export function tooMany(reason: string, code = 'rate_limit'): StripeFault {
  return new StripeFault(
    429,
    {
      type: 'invalid_request_error',
      code,
      message: 'Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.',
    },
    { headers: { 'Stripe-Rate-Limited-Reason': reason } },
  );
}
