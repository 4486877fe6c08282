import type { MatrixPrice } from '../../catalog/price.ts';
import { invariantBroken } from '../../errors.ts';
import type { UsageSlice } from '../../usage/usage-snapshot.ts';

/**
 * The slices of each entry in written order, then those of the default price. A slice belongs to the entry that matches it
 * with the most dimensions. Throws `invariant-broken` (code `matrix_ambiguous`) where two match alike, which a written plan
 * cannot do.
 */
export function matrixSlices(slices: readonly UsageSlice[], price: MatrixPrice): UsageSlice[][] {
  const entries = price.prices.map(({ match }) => Object.entries(match));
  const groups: UsageSlice[][] = [...entries.map(() => []), []];
  for (const slice of slices) {
    let winner = entries.length;
    let specificity = 0;
    let rival = -1;
    entries.forEach((entry, index) => {
      if (entry.length < specificity || !entry.every(([name, value]) => slice.dimensions[name] === value)) return;
      if (entry.length === specificity) {
        rival = index;
        return;
      }
      winner = index;
      specificity = entry.length;
      rival = -1;
    });
    if (rival >= 0) {
      throw invariantBroken(
        'matrix_ambiguous',
        `Usage of ${slice.meter} matches the matrix prices ${winner + 1} and ${rival + 1} alike.`,
      );
    }
    groups[winner]?.push(slice);
  }
  return groups;
}
