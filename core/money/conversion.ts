import * as z from 'zod';
import { type Currency, currencySchema } from './currency.ts';
import { positiveSchema } from './decimal-schema.ts';

/** Billing in another currency than prices are in: only ever at a rate that somebody stored. */
export interface Conversion {
  /** What is billed. */
  readonly currency: Currency;
  /** Units of it for one unit of the plan's currency, above 0. */
  readonly rate: string;
}

export const conversionSchema = z.strictObject({
  currency: currencySchema,
  rate: positiveSchema,
}) satisfies z.ZodType<Conversion>;
