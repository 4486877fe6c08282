import * as z from 'zod';
import type { QuantityRounding } from '../money/rounding.ts';
import { type Instant, isInstantText } from '../time/instant.ts';
import { MAX_EXPRESSION_LENGTH } from './expression.ts';
import { catalogKeySchema, labelSchema, propertyNameSchema, propertyValueSchema } from './key.ts';

/**
 * `transactions` adds up like `sum` and also keeps every single amount, for prices that need single events. `unique_count`
 * counts different values, which may be any text. Events of a `time_weighted_sum` change a level; its quantity is that level
 * on average over time.
 */
export const AGGREGATIONS = [
  'count',
  'sum',
  'max',
  'min',
  'latest',
  'transactions',
  'unique_count',
  'average',
  'time_weighted_sum',
] as const;
export type Aggregation = (typeof AGGREGATIONS)[number];

const LEVELS: readonly Aggregation[] = ['max', 'min', 'latest', 'unique_count', 'average'];

/** Whether a quantity holds for a period, and does not add up over its parts: readings, different values, averages, balances. */
export function isLevel({ aggregation, reset }: Pick<Meter, 'aggregation' | 'reset'>): boolean {
  return LEVELS.includes(aggregation) || (aggregation === 'sum' && reset === 'carry_over');
}

/** How a meter looks at one event. It may change at a chosen instant (`writeMeter`); everything else of a meter may not. */
export interface MeterDefinition {
  /** The `type` of the events it counts. */
  readonly eventType: string;
  /** The event property that holds the value, or how to compute it; every aggregation but `count` has one. */
  readonly value?: string | ValueExpression | undefined;
  /** Names by which usage is kept apart, so that charges can price it apart: event properties, unless computed. */
  readonly dimensions: readonly string[];
  /** How to compute some of the dimensions. */
  readonly dimensionExpressions?: Readonly<Record<string, string>> | undefined;
  /** Only events whose property has one of the listed values are counted; all properties must match. */
  readonly filter?: Readonly<Record<string, readonly string[]>> | undefined;
}

/** See expression.ts for the language. */
export interface ValueExpression {
  readonly expression: string;
}

/** How events become a quantity. Immutable within a revision; `readMeters` in read-meters.ts holds a set of them to its rules. */
export interface Meter extends MeterDefinition {
  readonly key: string;
  readonly name?: string | undefined;
  readonly aggregation: Aggregation;
  /** What one unit is called on an invoice line, such as `tokens`. */
  readonly unit?: string | undefined;
  /** Applied once to the aggregated quantity, when a charge is rated and when usage is shown. */
  readonly rounding?: QuantityRounding | undefined;
  /**
   * `each_period` (also when absent) begins every period at zero. `carry_over` goes on from what was before: a sum is a balance,
   * a latest reading holds until the next one, the level of a time-weighted sum stays. For the others see carry-over-faults.ts.
   */
  readonly reset?: 'each_period' | 'carry_over' | undefined;
  /** Which events accepted before there was this meter it counts all the same; absent for none. Never changes. */
  readonly backfill?: MeterBackfill | undefined;
  /** Events that occurred at or after this instant are counted as said here; absent when it never was otherwise. */
  readonly effectiveAt?: Instant | undefined;
  /** How it counted before, the latest first; each until the one after it began. */
  readonly earlier?: readonly EarlierDefinition[] | undefined;
}

/** Events that occurred from `from` on and before `until`, which no event accepted without the meter can have reached. */
export interface MeterBackfill {
  readonly from: Instant;
  readonly until: Instant;
}

export interface EarlierDefinition extends MeterDefinition {
  /** Absent for the first one, which counts all that is older. */
  readonly effectiveAt?: Instant | undefined;
}

/** The project's meters as one immutable set; the log's chunks name the revision they were counted with. */
export interface MeterRevision {
  readonly revision: number;
  readonly meters: readonly Meter[];
}

const expressionSchema = z
  .string()
  // Its length is a matter of `expressionFaults`, which says more than a schema can.
  .regex(/^[^\p{Cc}\p{Cs}]+$/u, { error: 'expected an expression without control characters' })
  .meta({
    maxLength: MAX_EXPRESSION_LENGTH,
    description:
      'Decimals, properties (bare or in double quotes), + - * /, round/floor/ceil(x, places), least/greatest(...), concat(...) with texts in single quotes. Example: `round(bytes / 1073741824, 6)`.',
    example: 'input_tokens + 4 * output_tokens',
  });
const instantSchema = z
  .string()
  .refine((text): text is Instant => isInstantText(text), { error: 'expected an RFC 3339 time' })
  .meta({ format: 'date-time' });

const definitionFields = {
  eventType: propertyNameSchema,
  value: z
    .union([propertyNameSchema, z.strictObject({ expression: expressionSchema })], {
      error: 'expected the name of an event property, or {"expression": "..."}',
    })
    .optional(),
  dimensions: z.array(propertyNameSchema).max(8).default([]),
  dimensionExpressions: z.record(propertyNameSchema, expressionSchema).optional(),
  filter: z.record(propertyNameSchema, z.array(propertyValueSchema).min(1).max(100)).optional(),
};

const { eventType, ...otherFields } = definitionFields;

/** What a caller may say of a meter. When it is to count so is no part of it. */
export const meterInputSchema = z.strictObject({
  key: catalogKeySchema,
  name: labelSchema.optional(),
  eventType,
  aggregation: z.enum(AGGREGATIONS).meta({
    description:
      'How values are taken together. `unique_count` counts different values, any texts; `average` divides their sum by their number; events of a `time_weighted_sum` change a level, whose average over time is the quantity; `transactions` adds up and keeps single amounts.',
  }),
  ...otherFields,
  unit: labelSchema.optional(),
  rounding: z.strictObject({ mode: z.enum(['up', 'down', 'nearest']), places: z.int().min(-12).max(12) }).optional(),
  reset: z.enum(['each_period', 'carry_over']).optional().meta({
    description:
      '`carry_over` goes on from what was before the period, for `sum` (a balance), `latest` and `time_weighted_sum`; otherwise every period begins at zero.',
  }),
});

/** What a caller sends: a changed definition says from when it counts, a new meter how far back it looks. */
export const meterRequestSchema = meterInputSchema.extend({
  backfillFrom: instantSchema.optional().meta({
    description:
      'Of a new meter: counts the events too that occurred from then on and were accepted before there was the meter. On a quarter hour, at most 79 days back. A job does it; see `backfill_job` in the answer.',
  }),
  effectiveAt: z
    .union([z.literal('now'), instantSchema], { error: 'expected "now" or an RFC 3339 time on a quarter hour' })
    .optional()
    .meta({
      description:
        'Needed to change how a meter counts that is there: events that occurred from then on are counted anew. On a quarter hour at least 6 minutes ahead; `now` is the next such one, which the answer tells.',
    }),
});

export const meterSchema = meterInputSchema.extend({
  backfill: z.strictObject({ from: instantSchema, until: instantSchema }).optional(),
  effectiveAt: instantSchema.optional(),
  earlier: z
    .array(z.strictObject({ ...definitionFields, effectiveAt: instantSchema.optional() }))
    .max(50)
    .optional(),
}) satisfies z.ZodType<Meter>;

export const meterRevisionSchema = z.strictObject({
  revision: z.int().min(1),
  meters: z.array(meterSchema).max(200),
}) satisfies z.ZodType<MeterRevision>;
