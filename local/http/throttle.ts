/** API Gateway's token bucket: `burst` tokens at most, refilled at `ratePerSecond`, in real time. */
import type { ThrottleModel } from '../template/model.ts';

export class Throttle {
  readonly #limit: ThrottleModel;
  readonly #now: () => number;
  #tokens: number;
  #filledAt: number;

  /** `now` in ms. */
  constructor(limit: ThrottleModel, now: () => number = () => performance.now()) {
    this.#limit = limit;
    this.#now = now;
    this.#tokens = limit.burst;
    this.#filledAt = now();
  }

  /** True when a request may pass; it then took a token. */
  admits(): boolean {
    const now = this.#now();
    const refill = ((now - this.#filledAt) / 1000) * this.#limit.ratePerSecond;
    this.#tokens = Math.min(this.#limit.burst, this.#tokens + refill);
    this.#filledAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
