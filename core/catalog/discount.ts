import * as z from 'zod';
import { Decimal } from '../money/decimal.ts';
import { positiveSchema } from '../money/decimal-schema.ts';

/** What is taken off a charge's amount after its minimum and maximum: exactly one of the two. */
export interface Discount {
  /** Percent of the amount, above 0 and at most 100. */
  readonly percent?: string | undefined;
  /** Major units per period, prorated in a partial one; the amount never falls below zero. */
  readonly amount?: string | undefined;
}

const HUNDRED = Decimal.of(100n);

export const percentSchema = positiveSchema.refine((text) => Decimal.parse(text).compare(HUNDRED) <= 0, {
  error: 'expected a percentage of at most 100',
  params: { code: 'too_big' },
});

export const discountSchema = z
  .strictObject({
    percent: percentSchema.optional(),
    amount: positiveSchema.optional(),
  })
  .refine(({ percent, amount }) => (percent === undefined) !== (amount === undefined), {
    error: 'expected either a percent or an amount',
    params: { code: 'discount_unclear' },
  }) satisfies z.ZodType<Discount>;
