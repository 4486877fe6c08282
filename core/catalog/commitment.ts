import * as z from 'zod';
import { Decimal } from '../money/decimal.ts';
import { decimalSchema, positiveSchema } from '../money/decimal-schema.ts';

/** What a plan's lines come to at least in every period, and what is due beyond. Major units of the plan's currency. */
export interface Commitment {
  /** Above 0; prorated in a partial period. */
  readonly amount: string;
  /** What the amount is for: each billing period of the plan. */
  readonly term: 'period';
  /** Whether what is missing to the amount is billed. */
  readonly trueUp: boolean;
  /** At least 1: what the lines bill above the amount costs this many times as much. It costs what it costs when absent. */
  readonly overageFactor?: string | undefined;
}

const overageFactorSchema = decimalSchema.refine((text) => Decimal.parse(text).compare(Decimal.parse('1')) >= 0, {
  error: 'expected a factor of at least 1, such as "1.2"',
  params: { code: 'factor_below_one' },
});

export const commitmentSchema = z
  .strictObject({
    amount: positiveSchema,
    term: z.literal('period', { error: 'expected "period": the amount is due in every billing period' }),
    trueUp: z.boolean(),
    overageFactor: overageFactorSchema.optional(),
  })
  .refine((commitment) => commitment.trueUp || commitment.overageFactor !== undefined, {
    error: 'expected true_up: true or an overage_factor: without either the commitment changes no invoice',
    params: { code: 'commitment_without_effect' },
  }) satisfies z.ZodType<Commitment>;
