import * as z from 'zod';
import { type Fault, faulty } from '../errors.ts';
import { faultsOf, shown, wirePath } from '../schema-faults.ts';
import { type Instant, parseInstant } from '../time/instant.ts';
import { carryOverFaults } from './carry-over-faults.ts';
import { expressionFaults } from './expression-faults.ts';
import { AGGREGATIONS, type Meter, meterInputSchema, meterRequestSchema, meterSchema } from './meter.ts';

const MAX_METERS = 200;
const aggregationPart = z.looseObject({ aggregation: z.enum(AGGREGATIONS), value: z.unknown().optional() });
const dimensionsPart = z.looseObject({ dimensions: z.array(z.string()) });
const keyPart = z.looseObject({ key: z.string() });

/** A meter as the caller wants it, and from when it is to count so. */
export interface MeterRequest {
  readonly meter: Meter;
  readonly effectiveAt?: 'now' | Instant | undefined;
  /** How far back a new meter counts. */
  readonly backfillFrom?: Instant | undefined;
}

/**
 * Reads one meter (camelCase keys). Throws `invalid` (code `meter_invalid`) with every fault at once, fields as the caller
 * wrote them.
 */
export function readMeter(input: unknown): MeterRequest {
  const faults = meterFaults(input, [], meterRequestSchema);
  if (faults.length > 0) throw refusal(faults);
  const { effectiveAt, backfillFrom, ...meter } = meterRequestSchema.parse(input);
  return {
    meter,
    effectiveAt: effectiveAt === undefined || effectiveAt === 'now' ? effectiveAt : parseInstant(effectiveAt),
    backfillFrom: backfillFrom === undefined ? undefined : parseInstant(backfillFrom),
  };
}

/** Reads a project's whole set of meters, at most 200, keys unique. Throws as `readMeter`, with paths such as `[3].value`. */
export function readMeters(input: readonly unknown[]): Meter[] {
  const faults = input.flatMap((meter, index) => meterFaults(meter, [index], meterSchema));
  if (input.length > MAX_METERS) {
    faults.push({
      field: 'body',
      code: 'too_big',
      detail: `Got ${input.length} meters; expected at most ${MAX_METERS}.`,
    });
  }
  faults.push(...duplicateKeyFaults(input, []));
  if (faults.length > 0) throw refusal(faults);
  return input.map((meter) => meterSchema.parse(meter));
}

/** A fault for every element whose `key` an earlier element has. `at` is the path of the list. */
export function duplicateKeyFaults(list: readonly unknown[], at: readonly PropertyKey[]): Fault[] {
  const seen = new Set<string>();
  return list.flatMap((element, index) => {
    const key = keyPart.safeParse(element).data?.key;
    if (key === undefined) return [];
    if (!seen.has(key)) {
      seen.add(key);
      return [];
    }
    return [
      {
        field: wirePath([...at, index, 'key']),
        code: 'duplicate_key',
        detail: `Got ${shown(key)}, which an earlier entry has; expected a key of its own.`,
        got: shown(key),
      },
    ];
  });
}

/** Every fault of one meter; `at` is where it stands in the caller's body. */
export function meterFaults(input: unknown, at: readonly PropertyKey[], schema: z.ZodType = meterInputSchema): Fault[] {
  const parsed = schema.safeParse(input);
  const faults = parsed.success ? [] : faultsOf(parsed.error, input, at);
  return [
    ...faults,
    ...valueFaults(input, at),
    ...dimensionFaults(input, at),
    ...expressionFaults(input, at),
    ...carryOverFaults(input, at),
  ];
}

function valueFaults(input: unknown, at: readonly PropertyKey[]): Fault[] {
  const part = aggregationPart.safeParse(input).data;
  if (!part) return [];
  const field = wirePath([...at, 'value']);
  if (part.aggregation === 'count' && part.value !== undefined) {
    return [
      {
        field,
        code: 'value_not_allowed',
        detail: 'A count meter counts events and reads no value; remove the field or choose another aggregation.',
        got: shown(part.value),
      },
    ];
  }
  if (part.aggregation !== 'count' && part.value === undefined) {
    const what = part.aggregation === 'unique_count' ? 'whose different values are counted' : 'that holds the number';
    const expected = `the name of the event property ${what}`;
    return [
      {
        field,
        code: 'value_missing',
        detail: `Got no value for the aggregation ${part.aggregation}; expected ${expected}.`,
        expected,
      },
    ];
  }
  return [];
}

function dimensionFaults(input: unknown, at: readonly PropertyKey[]): Fault[] {
  const dimensions = dimensionsPart.safeParse(input).data?.dimensions ?? [];
  return dimensions.flatMap((dimension, index) =>
    dimensions.indexOf(dimension) === index
      ? []
      : [
          {
            field: wirePath([...at, 'dimensions', index]),
            code: 'duplicate_dimension',
            detail: `Got ${shown(dimension)} twice; expected each dimension once.`,
            got: shown(dimension),
          },
        ],
  );
}

function refusal(faults: readonly Fault[]) {
  return faulty('meter_invalid', 'The meter', faults);
}
