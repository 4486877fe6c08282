import type { UsageCharge } from '../catalog/charge.ts';
import { invariantBroken } from '../errors.ts';
import type { UsageSlice } from '../usage/usage-snapshot.ts';

export interface AssignedSlices {
  /** Charge key to its slices; every charge has an entry. */
  readonly byCharge: ReadonlyMap<string, readonly UsageSlice[]>;
  /** Usage that no charge takes: reported, never dropped in silence. */
  readonly unmatched: readonly UsageSlice[];
}

/**
 * Gives each slice to exactly one charge of its meter: the one whose filter matches with the most dimensions; a charge
 * without filter takes the rest. Throws `invariant-broken` (code `filter_ambiguous`) where two match alike, which a written
 * plan cannot do.
 */
export function assignSlices(charges: readonly UsageCharge[], slices: readonly UsageSlice[]): AssignedSlices {
  const byCharge = new Map<string, UsageSlice[]>(charges.map((charge) => [charge.key, []]));
  const candidates = new Map<string, UsageCharge[]>();
  const mostSpecificFirst = charges.some((charge) => charge.filter !== undefined)
    ? [...charges].sort((a, b) => specificity(b) - specificity(a))
    : charges;
  for (const charge of mostSpecificFirst) {
    const others = candidates.get(charge.meter);
    if (others === undefined) candidates.set(charge.meter, [charge]);
    else others.push(charge);
  }
  const unmatched: UsageSlice[] = [];
  for (const slice of slices) {
    const [winner, rival] = matching(candidates.get(slice.meter) ?? [], slice);
    if (!winner) {
      unmatched.push(slice);
      continue;
    }
    if (rival && specificity(rival) === specificity(winner)) {
      throw invariantBroken(
        'filter_ambiguous',
        `Usage of ${slice.meter} matches the charges ${winner.key} and ${rival.key} alike.`,
      );
    }
    byCharge.get(winner.key)?.push(slice);
  }
  return { byCharge, unmatched };
}

/** Whether some charge takes a slice. */
export function takesSlice(charges: readonly UsageCharge[], slice: UsageSlice): boolean {
  return charges.some((charge) => charge.meter === slice.meter && isMatch(charge, slice));
}

/** Those that match, the most specific first; most meters have one charge without a filter. */
function matching(candidates: readonly UsageCharge[], slice: UsageSlice): readonly UsageCharge[] {
  if (candidates.length === 1 && candidates[0]?.filter === undefined) return candidates;
  return candidates.filter((charge) => isMatch(charge, slice));
}

function specificity(charge: UsageCharge): number {
  return charge.filter === undefined ? 0 : Object.keys(charge.filter).length;
}

function isMatch(charge: UsageCharge, slice: UsageSlice): boolean {
  const { filter } = charge;
  if (filter === undefined) return true;
  return Object.entries(filter).every(([dimension, value]) => slice.dimensions[dimension] === value);
}
