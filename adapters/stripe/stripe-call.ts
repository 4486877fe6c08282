import Stripe from 'stripe';
import { billingErrorOf } from './stripe-errors.ts';

/** A turn to call one endpoint under the rate that all workers share; resolves when the call may be made. */
export interface CallThrottle {
  take(endpoint: string): Promise<void>;
}

export interface CallTools {
  readonly throttle: CallThrottle;
  /** Real time, in milliseconds. */
  readonly sleep: (ms: number) => Promise<void>;
  /** 0 up to but not including 1. */
  readonly random: () => number;
}

/** Own back-off on 429, which the SDK does not repeat and whose Retry-After it ignores: at most 1 + 2 + 4 + 8 = 15 s. */
const RATE_LIMIT_TRIES = 5;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 8000;

/** Makes one call when it is its turn; repeats it while Stripe limits the rate; translates what goes wrong. */
export async function callStripe<T>(endpoint: string, call: () => Promise<T>, tools: CallTools): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    await tools.throttle.take(endpoint);
    try {
      return await call();
    } catch (error) {
      const isLimited = error instanceof Stripe.errors.StripeError && error.statusCode === 429;
      if (!isLimited || attempt >= RATE_LIMIT_TRIES) throw billingErrorOf(error);
      await tools.sleep(waitMs(attempt, error, tools.random()));
    }
  }
}

/** Retry-After when it is given and short; otherwise half to all of a doubling wait. */
function waitMs(attempt: number, error: Stripe.errors.StripeError, random: number): number {
  const asked = Number(error.headers?.['retry-after']) * 1000;
  if (asked > 0) return Math.min(asked, LONGEST_WAIT_MS);
  return Math.min(FIRST_WAIT_MS * 2 ** (attempt - 1), LONGEST_WAIT_MS) * (0.5 + random / 2);
}
