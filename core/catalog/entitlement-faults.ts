import * as z from 'zod';
import type { Fault } from '../errors.ts';
import { shown, wirePath } from '../schema-faults.ts';
import type { Aggregation, Meter } from './meter.ts';

/** What a quota can watch: totals that only its own events move, and the highest level. */
const WATCHED: ReadonlySet<Aggregation> = new Set(['count', 'sum', 'transactions', 'max']);

const featurePart = z.looseObject({ feature: z.string() });
const meteredPart = z.looseObject({
  kind: z.literal('metered'),
  meter: z.string(),
  filter: z.record(z.string(), z.unknown()).optional(),
});

/** Faults of what entitlements point at: meters that exist and can be watched, their dimensions, each feature once. */
export function entitlementFaults(entitlements: unknown, meters: readonly Meter[]): Fault[] {
  if (!Array.isArray(entitlements)) return [];
  const features = entitlements.map((entry) => featurePart.safeParse(entry).data?.feature);
  return entitlements.flatMap((entry, index) => {
    const feature = features[index];
    const isRepeated = feature !== undefined && features.indexOf(feature) < index;
    return [...(isRepeated ? [repeated(index, feature)] : []), ...meteredFaults(entry, index, meters)];
  });
}

function meteredFaults(entry: unknown, index: number, meters: readonly Meter[]): Fault[] {
  const part = meteredPart.safeParse(entry).data;
  if (part === undefined) return [];
  const meter = meters.find(({ key }) => key === part.meter);
  const at = ['entitlements', index, 'meter'];
  if (meter === undefined) {
    const known = meters.map(({ key }) => key).sort();
    const expected = `one of the project's meters: ${known.slice(0, 20).join(', ') || '(none yet)'}`;
    return [faultAt(at, 'unknown_meter', part.meter, expected)];
  }
  const unwatched =
    WATCHED.has(meter.aggregation) && meter.reset !== 'carry_over'
      ? []
      : [
          faultAt(
            at,
            'unsupported_aggregation',
            `${meter.key}, a ${meter.aggregation}${meter.reset === 'carry_over' ? ' that carries over' : ''}`,
            `a meter that counts by one of ${[...WATCHED].join(', ')} and begins every period at zero`,
          ),
        ];
  const unknown = Object.keys(part.filter ?? {})
    .filter((dimension) => !meter.dimensions.includes(dimension))
    .map((dimension) =>
      faultAt(
        ['entitlements', index, 'filter', dimension],
        'unknown_dimension',
        dimension,
        `a dimension of the meter ${meter.key}: ${meter.dimensions.join(', ') || '(it has none)'}`,
      ),
    );
  return [...unwatched, ...unknown];
}

function repeated(index: number, feature: string): Fault {
  return faultAt(['entitlements', index, 'feature'], 'duplicate_feature', feature, 'each feature once');
}

function faultAt(path: readonly PropertyKey[], code: string, got: string, expected: string): Fault {
  return { field: wirePath(path), code, detail: `Got ${shown(got)}; expected ${expected}.`, got: shown(got), expected };
}
