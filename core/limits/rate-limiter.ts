import { BillingError } from '../errors.ts';
import type { ProjectId } from '../ids.ts';
import type { Clock } from '../time/clock.ts';
import { microsOf } from '../time/instant.ts';
import type { LimitedKind, RateLimits } from './rate-limits.ts';
import { type BucketState, type Rate, takeTokens } from './token-bucket.ts';
import { leaseOf, type TokenLease } from './token-lease.ts';

/**
 * Rate limits at the price of one small write per block: each worker takes tokens out of the shared buckets in blocks and
 * spends them by itself. What it has not spent after ten seconds it forgets, so an idle worker keeps nothing from the others.
 */
export interface RateBuckets {
  /**
   * Writes `next` if the stored state is still `known` (null: none is stored). Answers what is stored otherwise; a bucket
   * that is full again may be forgotten after `expiresAtSeconds`.
   */
  swap(name: BucketName, known: BucketState | null, next: BucketState, expiresAtSeconds: number): Promise<Swap>;
}
export type Swap = { readonly isStored: true } | { readonly isStored: false; readonly state: BucketState | null };

export interface BucketName {
  readonly project: ProjectId;
  /** Null for the bucket of the whole project. */
  readonly key: string | null;
  readonly kind: LimitedKind;
}

export interface RateLimiterDeps {
  readonly buckets: RateBuckets;
  limits(project: ProjectId, key: string): Promise<RateLimits>;
  readonly clock: Clock;
  /** Waits a little, differently each time; longer with every attempt. */
  pause(attempt: number): Promise<void>;
}

export interface Caller {
  readonly project: ProjectId;
  readonly keyId: string;
}

/** Throws `rate_limited` (429) when the caller's key or project has used up its rate; nothing is then taken. */
export type LimitRate = (caller: Caller, kind: LimitedKind, count: number) => Promise<void>;

const MAX_TRIES = 12;
const LEASES_KEPT = 2_000;
const SECOND_MICROS = 1_000_000;

export function rateLimiter(deps: RateLimiterDeps): LimitRate {
  const leases = new Map<string, TokenLease>();
  const leaseFor = (name: BucketName) => {
    const id = `${name.project}/${name.key ?? ''}/${name.kind}`;
    const known = leases.get(id);
    if (known !== undefined) return known;
    if (leases.size >= LEASES_KEPT) leases.clear();
    const made = leaseOf();
    leases.set(id, made);
    return made;
  };
  return async ({ project, keyId }, kind, count) => {
    const limits = await deps.limits(project, keyId);
    const ofKey = leaseFor({ project, key: keyId, kind });
    await spend({ name: { project, key: keyId, kind }, rate: limits.key[kind], lease: ofKey, count }, deps);
    try {
      const name = { project, key: null, kind };
      await spend({ name, rate: limits.project[kind], lease: leaseFor(name), count }, deps);
    } catch (error) {
      ofKey.giveBack(count);
      throw error;
    }
  };
}

interface Spending {
  readonly name: BucketName;
  readonly rate: Rate;
  readonly lease: TokenLease;
  readonly count: number;
}

/** Spends tokens of the lease, or takes the next block for it. */
async function spend(spending: Spending, deps: RateLimiterDeps): Promise<void> {
  const { name, rate, lease, count } = spending;
  for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
    const nowMicros = microsOf(deps.clock.now());
    if (lease.spend(count, nowMicros)) return;
    const wanted = { least: count, most: Math.max(count, lease.nextBlock(rate, nowMicros)) };
    const taken = takeTokens(lease.known, rate, wanted, nowMicros);
    if (!taken.isGranted) throw limited(spending, taken.waitMicros);
    const fullAt = (nowMicros + (rate.burst * SECOND_MICROS) / rate.perSecond) / SECOND_MICROS;
    const swap = await swapped(deps, name, lease.known, taken.state, Math.ceil(fullAt) + FORGET_SECONDS);
    if (swap === null) return;
    if (swap.isStored) {
      lease.add(taken, nowMicros);
      if (lease.spend(count, nowMicros)) return;
    } else {
      lease.known = swap.state;
      // The first refusal only tells what was not known yet; later ones mean that others take tokens at this moment.
      if (attempt > 0) await deps.pause(attempt);
    }
  }
  throw limited(spending, SECOND_MICROS);
}

/** Null when the bucket cannot be reached: to refuse usage that could be counted would be the worse mistake. */
async function swapped(deps: RateLimiterDeps, ...call: Parameters<RateBuckets['swap']>): Promise<Swap | null> {
  try {
    return await deps.buckets.swap(...call);
  } catch {
    return null;
  }
}

const FORGET_SECONDS = 3_600;

function limited({ name, rate, count }: Spending, waitMicros: number): BillingError {
  const whose = name.key === null ? 'This project' : `API key ${name.key}`;
  const seconds = Math.max(1, Math.ceil(waitMicros / SECOND_MICROS));
  return new BillingError({
    kind: 'not-ready',
    code: 'rate_limited',
    message: `${whose} may send ${rate.perSecond} ${name.kind} a second and ${rate.burst} at once, and this request would be ${count} more than what is left of that. Nothing of it was taken: send it again in ${seconds} s.`,
    context: {
      retry_after_seconds: seconds,
      limit: name.key === null ? 'project' : 'key',
      kind: name.kind,
      per_second: rate.perSecond,
      burst: rate.burst,
    },
  });
}
