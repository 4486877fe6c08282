import * as z from 'zod';
import { positiveSchema, priceSchema } from '../money/decimal-schema.ts';
import { type Discount, discountSchema } from './discount.ts';
import { catalogKeySchema, labelSchema, propertyNameSchema, propertyValueSchema } from './key.ts';
import { type Price, priceSchemaByModel } from './price.ts';

/** A price on a meter's usage. */
export interface UsageCharge {
  readonly kind: 'usage';
  readonly key: string;
  readonly name: string;
  readonly meter: string;
  /** Dimension to value. The most specific matching charge of the meter takes a usage slice; a charge without filter takes the rest. */
  readonly filter?: Readonly<Record<string, string>> | undefined;
  /** Units free in every period, before the price model; prorated in a partial period. */
  readonly allowance?: string | undefined;
  readonly price: Price;
  /** The charge is at least this amount in every period, used or not; prorated in a partial period. */
  readonly minimum?: string | undefined;
  /** The charge is at most this amount; a cap, so it is not prorated. */
  readonly maximum?: string | undefined;
  /** Taken off after minimum and maximum. */
  readonly discount?: Discount | undefined;
}

/** A fixed fee for the period, prorated in a partial one: due when the period has closed, or in advance when it begins. */
export interface FixedCharge {
  readonly kind: 'fixed';
  readonly key: string;
  readonly name: string;
  readonly amount: string;
  readonly timing: 'in_arrears' | 'in_advance';
  readonly discount?: Discount | undefined;
}

export type Charge = UsageCharge | FixedCharge;

/** Whether a charge is due when its period begins. */
export function isInAdvance(charge: Charge): boolean {
  return charge.kind === 'fixed' && charge.timing === 'in_advance';
}

export const usageChargeSchema = z.strictObject({
  kind: z.literal('usage'),
  key: catalogKeySchema,
  name: labelSchema,
  meter: catalogKeySchema,
  filter: z.record(propertyNameSchema, propertyValueSchema).optional(),
  allowance: positiveSchema.optional(),
  price: priceSchemaByModel,
  minimum: priceSchema.optional(),
  maximum: priceSchema.optional(),
  discount: discountSchema.optional(),
});

export const fixedChargeSchema = z.strictObject({
  kind: z.literal('fixed'),
  key: catalogKeySchema,
  name: labelSchema,
  amount: priceSchema,
  timing: z.enum(['in_arrears', 'in_advance']).default('in_arrears'),
  discount: discountSchema.optional(),
});

export const chargeSchema = z.discriminatedUnion('kind', [
  usageChargeSchema,
  fixedChargeSchema,
]) satisfies z.ZodType<Charge>;
