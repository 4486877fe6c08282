import type { Aggregation } from '../catalog/meter.ts';
import { Decimal } from '../money/decimal.ts';
import { Rational } from '../money/rational.ts';
import { roundTo } from '../money/rounding.ts';
import { decodeMembers } from './unique-members.ts';
import type { UsageSlice } from './usage-snapshot.ts';
import { decimalOf, stronger } from './view-cell.ts';

const PLACES = 12;

/** `totalOf` in plain notation. */
export function quantityOf(aggregation: Aggregation, slices: readonly UsageSlice[]): string {
  return totalOf(aggregation, slices).toString();
}

/**
 * The quantity of several slices of one meter taken together: sums, counts and transactions add, max, min and latest choose,
 * unique counts unite their values; averages and time-weighted sums add what they are quotients of and divide once, rounded to
 * 12 places, halves away from zero. 0 for none.
 */
export function totalOf(aggregation: Aggregation, slices: readonly UsageSlice[]): Decimal {
  const [first, ...rest] = slices;
  if (first === undefined) return Decimal.ZERO;
  if (rest.length === 0) return decimalOf(first.quantity);
  switch (aggregation) {
    case 'unique_count':
      return uniqueValues(slices);
    case 'average':
      return quotientOf(
        sumOf(slices, ({ mean }) => mean?.sum),
        sumOf(slices, ({ mean }) => mean?.readings),
      );
    case 'time_weighted_sum':
      // All slices of one reading are of the same span.
      return quotientOf(
        sumOf(slices, ({ timed }) => timed?.integral),
        Decimal.of(BigInt(first.timed?.overMicros ?? 0)),
      );
    case 'max':
    case 'min':
    case 'latest':
      return strongestOf(aggregation, slices);
    default:
      return sumOf(slices, ({ quantity }) => quantity);
  }
}

/** `over / under`, rounded to 12 places, halves away from zero; 0 over 0 is 0. */
export function quotientOf(over: Decimal, under: Decimal): Decimal {
  if (under.isZero()) return Decimal.ZERO;
  const scale = Math.max(over.scale, under.scale);
  const quotient = Rational.of(over.rescaled(scale), under.rescaled(scale));
  return Decimal.of(roundTo(quotient, PLACES, 'half_away_from_zero'), PLACES);
}

function sumOf(slices: readonly UsageSlice[], part: (slice: UsageSlice) => string | undefined): Decimal {
  return slices.reduce((total, slice) => total.plus(decimalOf(part(slice) ?? '0')), Decimal.ZERO);
}

function uniqueValues(slices: readonly UsageSlice[]): Decimal {
  const members = new Set<string>();
  for (const { unique } of slices) if (unique !== undefined) decodeMembers(unique.members, members);
  return sumOf(slices, ({ unique }) => unique?.alone).plus(Decimal.of(BigInt(members.size)));
}

function strongestOf(aggregation: Aggregation, slices: readonly UsageSlice[]): Decimal {
  const [first, ...rest] = slices.map(
    ({ quantity, latestAt, latestBy }) => [quantity, latestAt ?? 0, latestBy ?? ''] as const,
  );
  if (first === undefined) return Decimal.ZERO;
  return decimalOf(rest.reduce((best, next) => stronger(aggregation, best, next), first)[0]);
}
