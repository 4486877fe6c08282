import { invalid } from '../errors.ts';

/**
 * Splits `total` minor units by weights so that the parts sum to the whole: each part is cut toward zero, then the units
 * left over go to the largest remainders, ties to the earlier part. Weights are whole numbers of at least 0, one of them
 * above 0; a negative total is split like its opposite. Throws `invalid` (code `weights_invalid`).
 */
export function allocate(total: bigint, weights: readonly bigint[]): bigint[] {
  const sum = weights.reduce((left, right) => left + right, 0n);
  if (sum <= 0n || weights.some((weight) => weight < 0n)) {
    throw invalid(
      'weights_invalid',
      'Got weights that are negative or sum to 0; expected whole numbers with a sum above 0.',
    );
  }
  const sign = total < 0n ? -1n : 1n;
  const whole = total * sign;
  const parts = weights.map((weight, index) => ({
    index,
    units: (whole * weight) / sum,
    remainder: (whole * weight) % sum,
  }));
  let left = whole - parts.reduce((units, part) => units + part.units, 0n);
  // sorting is stable: among equal remainders the earlier part stays first
  const byRemainder = parts.toSorted((a, b) => (a.remainder > b.remainder ? -1 : a.remainder < b.remainder ? 1 : 0));
  for (const part of byRemainder) {
    if (left === 0n) break;
    part.units += 1n;
    left -= 1n;
  }
  return parts.map((part) => part.units * sign);
}
