import * as z from 'zod';
import type { Fault } from '../errors.ts';
import { shown, wirePath } from '../schema-faults.ts';
import { isAmbiguous } from './filter-faults.ts';
import type { Meter } from './meter.ts';

type Path = readonly PropertyKey[];

const dimensionsPart = z.looseObject({ model: z.literal('matrix'), dimensions: z.array(z.unknown()) });
const pricesPart = z.looseObject({ model: z.literal('matrix'), prices: z.array(z.unknown()) });
const matchPart = z.looseObject({ match: z.record(z.string(), z.string()) });

/**
 * Faults of a matrix: dimensions the meter does not have or that are named twice; entries that match on no dimension, on one
 * the matrix does not name, or some usage alike with an earlier entry. `at` is the path of the price.
 */
export function matrixFaults(price: unknown, at: Path, meter: Meter | undefined): Fault[] {
  const dimensions = dimensionsPart.safeParse(price).data?.dimensions;
  const entries = (pricesPart.safeParse(price).data?.prices ?? []).flatMap((entry, index) => {
    const match = matchPart.safeParse(entry).data?.match;
    return match ? [{ match, at: [...at, 'prices', index, 'match'], index }] : [];
  });
  const matches = entries.map(({ match }) => match);
  return [
    ...dimensionFaults(dimensions ?? [], [...at, 'dimensions'], meter),
    ...entries.flatMap((entry, position) => [
      ...(dimensions ? matchFaults(entry, dimensions) : []),
      ...ambiguityFaults(entry, entries.slice(0, position), matches),
    ]),
  ];
}

interface Entry {
  readonly match: Readonly<Record<string, string>>;
  readonly at: Path;
  readonly index: number;
}

function dimensionFaults(dimensions: readonly unknown[], at: Path, meter: Meter | undefined): Fault[] {
  return dimensions.flatMap((dimension, index) => {
    if (typeof dimension !== 'string') return [];
    const field = wirePath([...at, index]);
    const got = shown(dimension);
    if (dimensions.indexOf(dimension) < index) {
      const detail = `Got ${got} twice; expected each dimension once.`;
      return [{ field, code: 'duplicate_dimension', detail, got }];
    }
    if (!meter || meter.dimensions.includes(dimension)) return [];
    const expected = `a dimension of the meter ${meter.key}: ${meter.dimensions.join(', ') || '(it has none)'}`;
    return [{ field, code: 'unknown_dimension', detail: `Got ${got}; expected ${expected}.`, got, expected }];
  });
}

function matchFaults({ match, at }: Entry, dimensions: readonly unknown[]): Fault[] {
  if (Object.keys(match).length === 0) {
    const expected = 'at least one dimension; what matches nothing costs default_unit_price';
    return [{ field: wirePath(at), code: 'match_empty', detail: `Got no dimension; expected ${expected}.`, expected }];
  }
  const expected = `a dimension of the matrix: ${dimensions.map(String).join(', ')}`;
  return Object.keys(match)
    .filter((dimension) => !dimensions.includes(dimension))
    .map((dimension) => ({
      field: wirePath([...at, dimension]),
      code: 'unknown_dimension',
      detail: `Got ${shown(dimension)}; expected ${expected}.`,
      got: shown(dimension),
      expected,
    }));
}

function ambiguityFaults(
  { match, at }: Entry,
  earlier: readonly Entry[],
  all: readonly Readonly<Record<string, string>>[],
): Fault[] {
  const rival = earlier.find((other) => isAmbiguous(other.match, match, all));
  if (!rival) return [];
  const expected = 'entries of which one is more specific for any usage, or that exclude each other';
  return [
    {
      field: wirePath(at),
      code: 'ambiguous_match',
      detail: `Some usage would match this entry and prices[${rival.index}] alike; expected ${expected}.`,
      expected,
    },
  ];
}
