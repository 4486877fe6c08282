import { Decimal } from './decimal.ts';
import { powerOfTen } from './power-of-ten.ts';
import type { Rational } from './rational.ts';

export const ROUNDING_MODES = ['half_away_from_zero', 'half_even'] as const;
export type RoundingMode = (typeof ROUNDING_MODES)[number];

/**
 * The one rounding function: `amount` as a whole number of units of `10^-places`, the nearest one, halves by `mode`.
 * `roundTo(Decimal.parse('1.005'), 2, 'half_away_from_zero')` is 101n.
 */
export function roundTo(amount: Decimal | Rational, places: number, mode: RoundingMode): bigint {
  const { numerator, denominator } = fractionOf(amount);
  const scaled = numerator * powerOfTen(places);
  const whole = scaled / denominator; // bigint division cuts toward zero
  const rest = scaled - whole * denominator;
  const twice = (rest < 0n ? -rest : rest) * 2n;
  const isHalfUp = twice === denominator && (mode === 'half_away_from_zero' || whole % 2n !== 0n);
  if (twice < denominator || (twice === denominator && !isHalfUp)) return whole;
  return scaled < 0n ? whole - 1n : whole + 1n;
}

/** How a meter rounds its quantity. */
export interface QuantityRounding {
  /** `up` away from zero, `down` towards zero, `nearest` with halves away from zero: a correction rounds like what it corrects. */
  readonly mode: 'up' | 'down' | 'nearest';
  /** Decimal places kept, 0 to 12; below 0 whole tens (-1), hundreds (-2) and so on, down to -12. */
  readonly places: number;
}

/** `quantity` rounded to `places`: `roundQuantity(123.456, { mode: 'up', places: -2 })` is 200. */
export function roundQuantity(quantity: Decimal, { mode, places }: QuantityRounding): Decimal {
  if (quantity.scale <= places) return quantity;
  const divisor = powerOfTen(quantity.scale - places);
  const whole = quantity.coefficient / divisor; // bigint division cuts toward zero
  const rest = quantity.coefficient % divisor;
  const isAway = mode === 'nearest' ? 2n * (rest < 0n ? -rest : rest) >= divisor : mode === 'up' && rest !== 0n;
  const rounded = isAway ? whole + (quantity.isNegative() ? -1n : 1n) : whole;
  return places < 0 ? Decimal.of(rounded * powerOfTen(-places)) : Decimal.of(rounded, places);
}

/** How many whole packages of `size` (above 0) hold `quantity`: `ceil(quantity / size)`. A package that is begun counts. */
export function packagesFor(quantity: Decimal, size: Decimal): bigint {
  const scale = Math.max(quantity.scale, size.scale);
  const numerator = quantity.rescaled(scale);
  const denominator = size.rescaled(scale);
  const whole = numerator / denominator;
  return numerator > 0n && numerator % denominator !== 0n ? whole + 1n : whole;
}

function fractionOf(amount: Decimal | Rational): { numerator: bigint; denominator: bigint } {
  return 'denominator' in amount ? amount : { numerator: amount.coefficient, denominator: powerOfTen(amount.scale) };
}
