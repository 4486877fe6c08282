import type { Envelope } from '../catalog/envelope.ts';
import { Decimal } from '../money/decimal.ts';
import type { Proration } from '../time/proration.ts';
import { proratedAllowance } from './adjustments/allowance.ts';

/** What an envelope gives one charge. */
export interface EnvelopeShare {
  readonly envelope: Envelope;
  readonly weight: string;
  /** Units of the charge that are covered, at most 12 places. */
  readonly covered: Decimal;
  /** What all charges before this one took of the envelope, in units of the envelope ... */
  readonly usedBefore: Decimal;
  /** ... and with this one. */
  readonly usedAfter: Decimal;
  /** What the envelope holds in this period. */
  readonly held: Decimal;
}

/** Places a quantity may have. */
const QUANTITY_PLACES = 12;

/**
 * Shares out each envelope among its charges in burn order: a charge takes `quantity x weight` units while there are any.
 * `demands` is what each charge has left after its own allowance; a quantity of zero or below takes nothing. The charge that
 * empties an envelope is covered for what was left, cut to 12 places, and nothing smaller than that is passed on.
 */
export function shareEnvelopes(
  envelopes: readonly Envelope[],
  demands: ReadonlyMap<string, Decimal>,
  proration: Proration,
): ReadonlyMap<string, EnvelopeShare> {
  const shares = new Map<string, EnvelopeShare>();
  for (const envelope of envelopes) {
    const held = proratedAllowance(envelope.quantity, proration);
    let used = Decimal.ZERO;
    for (const { charge, weight } of envelope.burn) {
      const demand = Decimal.max(Decimal.ZERO, demands.get(charge) ?? Decimal.ZERO);
      const left = held.minus(used);
      const wanted = demand.times(Decimal.parse(weight));
      const isEnough = wanted.compare(left) <= 0;
      const covered = isEnough ? demand : cutQuotient(left, Decimal.parse(weight));
      const usedAfter = isEnough ? used.plus(wanted) : held;
      shares.set(charge, { envelope, weight, covered, usedBefore: used, usedAfter, held });
      used = usedAfter;
    }
  }
  return shares;
}

/** `a / b` cut toward zero to 12 places: an envelope never gives more than it holds. `a` at least 0, `b` above 0. */
function cutQuotient(a: Decimal, b: Decimal): Decimal {
  const scale = Math.max(a.scale, b.scale);
  const quotient = (a.rescaled(scale) * 10n ** BigInt(QUANTITY_PLACES)) / b.rescaled(scale);
  return Decimal.of(quotient, QUANTITY_PLACES);
}
