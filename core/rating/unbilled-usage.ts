import type { UsageCharge } from '../catalog/charge.ts';
import type { Evidence } from '../invoicing/evidence.ts';
import type { Instant } from '../time/instant.ts';
import type { UsageSlice } from '../usage/usage-snapshot.ts';
import { takesSlice } from './assign-slices.ts';

/** A span in which usage was read, and the charges that could take it: none in a trial or a pause. */
interface Read {
  readonly start: Instant;
  readonly end: Instant;
  readonly slices: readonly UsageSlice[];
  readonly charges: readonly UsageCharge[];
}

/**
 * Usage of the period that nobody bills, once per meter and combination of dimension values. Usage is the customer's and not
 * the subscription's: what one plan has no charge for another may bill, over the same time or over parts of it. So the time is
 * cut wherever anything begins or ends, and a combination is unbilled when it was used in a piece that no charge covers. What a
 * longer span read is held against every piece of it, unless another read shows that it was not used there.
 */
export function unbilledUsage({ services, idle = [] }: Pick<Evidence, 'services' | 'idle'>): readonly UsageSlice[] {
  const reads: readonly Read[] = [
    ...services
      .filter(({ input }) => input.bills !== 'advance')
      .map(({ input: { service, slices, plan } }) => ({
        ...service,
        slices,
        charges: plan.charges.filter((charge) => charge.kind === 'usage'),
      })),
    ...idle.map((span) => ({ ...span, charges: [] })),
  ];
  const combinations = new Map(reads.flatMap(({ slices }) => slices.map((slice) => [nameOf(slice), slice] as const)));
  const used = reads.map(({ slices }) => new Set(slices.map(nameOf)));
  const pieces = piecesOf(reads);
  return [...combinations]
    .filter(([name, slice]) => {
      const isSettled = reads.map((read, index) => !used[index]?.has(name) || takesSlice(read.charges, slice));
      return pieces.some((piece) => piece.length > 0 && piece.every((index) => !isSettled[index]));
    })
    .map(([, slice]) => slice);
}

/** The pieces between all bounds, each with the reads that cover it, by their place. */
function piecesOf(reads: readonly Read[]): readonly (readonly number[])[] {
  const bounds = [...new Set(reads.flatMap(({ start, end }) => [start, end]))].sort();
  return bounds.map((from) => reads.flatMap(({ start, end }, index) => (start <= from && from < end ? [index] : [])));
}

function nameOf({ meter, dimensions }: UsageSlice): string {
  return JSON.stringify([meter, Object.entries(dimensions).sort(([a], [b]) => (a < b ? -1 : 1))]);
}
