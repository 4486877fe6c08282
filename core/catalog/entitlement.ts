import * as z from 'zod';
import { Decimal } from '../money/decimal.ts';
import { decimalSchema } from '../money/decimal-schema.ts';
import { catalogKeySchema, labelSchema, propertyNameSchema, propertyValueSchema } from './key.ts';

/** What a customer may do: a switch, a value, or so much usage of a meter. Named by the feature it opens. */
export type Entitlement = BooleanEntitlement | StaticEntitlement | MeteredEntitlement;

export interface BooleanEntitlement {
  readonly kind: 'boolean';
  readonly feature: string;
}

export interface StaticEntitlement {
  readonly kind: 'static';
  readonly feature: string;
  /** Whatever the caller's program makes of it, such as `"gold"` or `"25"`. */
  readonly value: string;
}

export interface MeteredEntitlement {
  readonly kind: 'metered';
  readonly feature: string;
  readonly meter: string;
  /** Only usage whose dimension has one of the listed values counts; all dimensions must match. */
  readonly filter?: Readonly<Record<string, readonly string[]>> | undefined;
  /** Units of the meter in each window, at least 0; null is unlimited. */
  readonly limit: string | null;
  /** Beyond the limit: `refuse` is a hard limit, `allow` a soft one. */
  readonly overage: 'refuse' | 'allow';
  /** When usage begins at zero again: with the subscription's period, or on the calendar of the customer's zone. */
  readonly reset: 'period' | 'day' | 'month';
}

/** A contract may also take a feature away. */
export type ContractEntitlement = Entitlement | { readonly kind: 'none'; readonly feature: string };

const limitSchema = decimalSchema.refine((text) => !Decimal.parse(text).isNegative(), {
  error: 'expected a limit of at least 0, or null for none',
  params: { code: 'negative_limit' },
});

const kinds = [
  z.strictObject({ kind: z.literal('boolean'), feature: catalogKeySchema }),
  z.strictObject({ kind: z.literal('static'), feature: catalogKeySchema, value: labelSchema }),
  z.strictObject({
    kind: z.literal('metered'),
    feature: catalogKeySchema,
    meter: catalogKeySchema,
    filter: z.record(propertyNameSchema, z.array(propertyValueSchema).min(1).max(100)).optional(),
    limit: limitSchema.nullable(),
    overage: z.enum(['refuse', 'allow']).default('refuse'),
    reset: z.enum(['period', 'day', 'month']).default('period'),
  }),
] as const;

export const entitlementsSchema = z.array(z.discriminatedUnion('kind', kinds)).min(1).max(50) satisfies z.ZodType<
  readonly Entitlement[]
>;

export const contractEntitlementsSchema = z
  .array(
    z.discriminatedUnion('kind', [...kinds, z.strictObject({ kind: z.literal('none'), feature: catalogKeySchema })]),
  )
  .min(1)
  .max(50) satisfies z.ZodType<readonly ContractEntitlement[]>;
