import * as z from 'zod';
import type { Fault } from '../errors.ts';
import { shown, wirePath } from '../schema-faults.ts';
import type { Meter } from './meter.ts';

type Filter = Readonly<Record<string, string>>;
const targetPart = z.looseObject({
  kind: z.literal('usage'),
  key: z.string(),
  meter: z.string(),
  filter: z.record(z.string(), z.string()).optional(),
});

/** Faults of what the charges point at: meters that exist, dimensions the meter has, and one charge at most for any usage. */
export function targetFaults(charges: readonly unknown[], meters: readonly Meter[]): Fault[] {
  const byKey = new Map(meters.map((meter) => [meter.key, meter]));
  const targets = charges.flatMap((charge, index) => {
    const part = targetPart.safeParse(charge).data;
    return part ? [{ index, key: part.key, meter: part.meter, filter: part.filter ?? {} }] : [];
  });
  const faults: Fault[] = [];
  targets.forEach((target, position) => {
    const meter = byKey.get(target.meter);
    if (!meter) {
      const expected = `one of the project's meters: ${[...byKey.keys()].sort().slice(0, 20).join(', ') || '(none yet)'}`;
      faults.push({
        field: wirePath(['charges', target.index, 'meter']),
        code: 'unknown_meter',
        detail: `Got ${shown(target.meter)}; expected ${expected}.`,
        got: shown(target.meter),
        expected,
      });
    } else {
      faults.push(...dimensionFaults(target, meter));
    }
    const ofMeter = (list: typeof targets) => list.filter((other) => other.meter === target.meter);
    const filters = ofMeter(targets).map(({ filter }) => filter);
    const rival = ofMeter(targets.slice(0, position)).find((other) =>
      isAmbiguous(other.filter, target.filter, filters),
    );
    if (rival) faults.push(ambiguity(target.index, rival.index, rival.key));
  });
  return faults;
}

function dimensionFaults(target: { index: number; filter: Filter }, meter: Meter): Fault[] {
  return Object.keys(target.filter)
    .filter((dimension) => !meter.dimensions.includes(dimension))
    .map((dimension) => {
      const expected = `a dimension of the meter ${meter.key}: ${meter.dimensions.join(', ') || '(it has none)'}`;
      return {
        field: wirePath(['charges', target.index, 'filter', dimension]),
        code: 'unknown_dimension',
        detail: `Got ${shown(dimension)}; expected ${expected}.`,
        got: shown(dimension),
        expected,
      };
    });
}

/**
 * Whether some usage could belong to both filters alike: equally many dimensions and none with different values. Usage that
 * both match matches their union, so a more specific charge within the union takes it from both and settles the matter.
 */
export function isAmbiguous(a: Filter, b: Filter, all: readonly Filter[]): boolean {
  const size = Object.keys(a).length;
  if (size !== Object.keys(b).length) return false;
  const isExclusive = Object.keys(a).some((dimension) => Object.hasOwn(b, dimension) && b[dimension] !== a[dimension]);
  if (isExclusive) return false;
  const union = { ...a, ...b };
  return !all.some(
    (filter) =>
      Object.keys(filter).length > size && Object.entries(filter).every(([name, value]) => union[name] === value),
  );
}

function ambiguity(index: number, rivalIndex: number, rivalKey: string): Fault {
  const expected = 'filters of which one is more specific for any usage, or that exclude each other';
  return {
    field: wirePath(['charges', index, 'filter']),
    code: 'ambiguous_filter',
    detail: `Some usage would match this charge and charges[${rivalIndex}] (${rivalKey}) alike; expected ${expected}.`,
    expected,
  };
}
