import type { BucketState, Rate, Taken } from './token-bucket.ts';

/** Tokens that one worker has taken out of a shared bucket and may spend without asking. */
export interface TokenLease {
  /** The bucket as this worker saw it last; null before it has seen it. */
  known: BucketState | null;
  /** Takes tokens out of the lease; false, and nothing taken, when it holds too few that have not expired. */
  spend(count: number, nowMicros: number): boolean;
  /** Puts back what the same request has just spent. */
  giveBack(count: number): void;
  /** How many tokens to take next. */
  nextBlock(rate: Rate, nowMicros: number): number;
  add(taken: Taken & { readonly isGranted: true }, nowMicros: number): void;
}

/** After this long the unspent tokens of a block are forgotten. */
export const LEASE_MICROS = 10_000_000;
/** A block should last about this long: blocks double while they are spent faster, and halve while most is forgotten. */
const TARGET_MICROS = 2_000_000;
/** Of a full bucket: what the first block takes, and what no block passes. */
const FIRST_SHARE = 100;
const LARGEST_SHARE = 4;

export function leaseOf(): TokenLease {
  let left = 0;
  let block = 0;
  let takenAt = 0;
  const isExpired = (nowMicros: number) => nowMicros - takenAt >= LEASE_MICROS || nowMicros < takenAt;
  return {
    known: null,
    spend(count, nowMicros) {
      if (isExpired(nowMicros)) left = 0;
      if (left < count) return false;
      left -= count;
      return true;
    },
    giveBack(count) {
      left += count;
    },
    nextBlock({ burst }, nowMicros) {
      const lasted = nowMicros - takenAt;
      if (block === 0) block = burst / FIRST_SHARE;
      else if (lasted < TARGET_MICROS) block *= 2;
      else if (isExpired(nowMicros)) block /= 2;
      block = Math.max(1, Math.min(Math.floor(block), Math.floor(burst / LARGEST_SHARE)));
      return block;
    },
    add({ tokens, state }, nowMicros) {
      this.known = state;
      left += tokens;
      takenAt = nowMicros;
    },
  };
}
