/**
 * The shared rate at which all workers call the provider, as time slots: a bucket remembers when its next slot is free, a lease
 * takes slots in a row, and its holder calls at those times and not before. Pure; the adapter keeps the state in one item and
 * writes it over the version it read, so no slot is given twice.
 */
export interface ThrottleRates {
  /** Calls a second of one endpoint, and of all together; below the provider's limits, which are 25 and 100. */
  readonly perEndpoint: number;
  readonly global: number;
  /** How many unused slots of the past may be used at once: an idle bucket starts this much ahead. */
  readonly burst: number;
}

/** 80 % of Stripe's default limits; rate and burst together stay below 25 in any second. */
export const STRIPE_RATES: ThrottleRates = { perEndpoint: 20, global: 80, burst: 4 };

/** When the next slot is free, in milliseconds since the epoch, by endpoint; `*` is the bucket of all endpoints. */
export type ThrottleState = Readonly<Record<string, number>>;

export interface LeaseRequest {
  readonly endpoint: string;
  /** Slots wanted, at least 1. */
  readonly count: number;
  readonly nowMs: number;
  /** A lease that would begin later than this from now is refused. */
  readonly maxWaitMs: number;
}

export type Lease =
  | { readonly granted: true; readonly slotsMs: readonly number[]; readonly state: ThrottleState }
  | { readonly granted: false; readonly freeInMs: number };

/** A bucket that claims to be taken for longer than this was filled under another clock; it starts again. */
const CLOCK_JUMP_MS = 600_000;

/** Takes `count` slots of an endpoint; the slots rise, and each is also paid for in the bucket of all endpoints. */
export function leaseSlots(state: ThrottleState, request: LeaseRequest, rates: ThrottleRates = STRIPE_RATES): Lease {
  const { endpoint, count, nowMs } = request;
  const own = 1000 / rates.perEndpoint;
  const shared = 1000 / rates.global;
  const ownStart = nextFree(state[endpoint], nowMs, own * rates.burst);
  const sharedStart = nextFree(state['*'], nowMs, shared * rates.burst);
  const start = Math.max(ownStart, sharedStart);
  if (start - nowMs > request.maxWaitMs) return { granted: false, freeInMs: Math.ceil(start - nowMs) };
  const slotsMs = Array.from({ length: count }, (_slot, index) => start + index * own);
  return {
    granted: true,
    slotsMs,
    state: { ...state, [endpoint]: start + count * own, '*': sharedStart + count * shared },
  };
}

function nextFree(free: number | undefined, nowMs: number, aheadMs: number): number {
  if (free === undefined || free - nowMs > CLOCK_JUMP_MS) return nowMs - aheadMs;
  return Math.max(free, nowMs - aheadMs);
}
