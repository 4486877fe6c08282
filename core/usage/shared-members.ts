import { Decimal } from '../money/decimal.ts';
import { decodeMembers, encodeMembers } from './unique-members.ts';
import type { UsageSlice } from './usage-snapshot.ts';

/**
 * The same slices with as few members as their unions need: a value that only one of a meter's slices has is a number there. So
 * a meter without dimensions keeps none, however many users it counted, and any of the slices still unite exactly.
 */
export function withSharedMembers(slices: readonly UsageSlice[]): readonly UsageSlice[] {
  if (slices.every(({ unique }) => unique === undefined)) return slices;
  const byMeter = Map.groupBy(slices, ({ meter }) => meter);
  const sharedOf = new Map([...byMeter].map(([meter, own]) => [meter, sharedMembers(own)]));
  return slices.map((slice) => {
    const { unique, meter } = slice;
    if (unique === undefined) return slice;
    const shared = sharedOf.get(meter);
    const members = decodeMembers(unique.members, new Set());
    const kept = new Set([...members].filter((member) => shared?.has(member)));
    const alone = Decimal.ofTotal(unique.alone).plus(Decimal.of(BigInt(members.size - kept.size)));
    return { ...slice, unique: { members: encodeMembers(kept), alone: alone.toString() } };
  });
}

function sharedMembers(slices: readonly UsageSlice[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const shared = new Set<string>();
  for (const { unique } of slices) {
    for (const member of decodeMembers(unique?.members ?? '', new Set())) {
      if (seen.has(member)) shared.add(member);
      else seen.add(member);
    }
  }
  return shared;
}
