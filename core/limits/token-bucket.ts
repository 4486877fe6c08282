/**
 * A token bucket, exact in whole numbers: it holds millionths of a token, because a rate in tokens per second fills in whole
 * millionths per microsecond. Pure; the state is kept by whoever shares it.
 */
export interface Rate {
  /** Tokens a second, 1 to 1,000,000. */
  readonly perSecond: number;
  /** Tokens a full bucket holds, 1 to 1,000,000: what may be taken at once. */
  readonly burst: number;
}

export interface BucketState {
  /** Millionths of a token in the bucket at `atMicros`. Every taking changes one of the two, so a state never comes twice. */
  readonly left: number;
  readonly atMicros: number;
}

export interface Wanted {
  /** Tokens without which nothing is taken; at least 1, and at most the burst or they never are. */
  readonly least: number;
  /** Tokens taken if they are there. */
  readonly most: number;
}

export type Taken =
  | { readonly isGranted: true; readonly tokens: number; readonly state: BucketState }
  | { readonly isGranted: false; readonly waitMicros: number };

const MILLIONTHS = 1_000_000;

/**
 * Takes tokens out of a bucket; null is a bucket nobody has used, which is full. Of all takings together, in whatever order
 * and by whichever clocks, no more is granted than `burst` and what `perSecond` adds over the time from the first clock
 * reading to the latest. Refused: how long until `least` tokens are there if nobody takes any.
 */
export function takeTokens(known: BucketState | null, rate: Rate, wanted: Wanted, nowMicros: number): Taken {
  const full = rate.burst * MILLIONTHS;
  // A clock that is behind neither fills the bucket nor turns it back.
  const atMicros = Math.max(known?.atMicros ?? nowMicros, nowMicros);
  // As much time as fills any bucket is enough: more would only leave the whole numbers that are exact.
  const elapsed = Math.min(atMicros - (known?.atMicros ?? atMicros), Math.ceil(full / rate.perSecond));
  const left = known === null ? full : Math.min(full, known.left + elapsed * rate.perSecond);
  const least = wanted.least * MILLIONTHS;
  if (left < least) return { isGranted: false, waitMicros: Math.ceil((least - left) / rate.perSecond) };
  const tokens = Math.min(wanted.most, Math.floor(left / MILLIONTHS));
  return { isGranted: true, tokens, state: { left: left - tokens * MILLIONTHS, atMicros } };
}
