import * as z from 'zod';
import { type Currency, currencySchema } from '../money/currency.ts';
import { type UsageCharge, usageChargeSchema } from './charge.ts';

/** The project's default prices in one currency, immutable: for usage of meters that no plan of the customer prices. */
export interface PriceListVersion {
  readonly currency: Currency;
  /** 1, 2, 3 ... */
  readonly version: number;
  readonly charges: readonly UsageCharge[];
}

export const priceListInputSchema = z.strictObject({
  currency: currencySchema,
  charges: z.array(usageChargeSchema).max(200),
});
export type PriceListInput = z.output<typeof priceListInputSchema>;

export const priceListVersionSchema = priceListInputSchema.extend({
  version: z.int().min(1),
}) satisfies z.ZodType<PriceListVersion>;

/** The name of a list's price on a line: `price-list:<currency>@<version>`. */
export function priceListSourceOf(list: Pick<PriceListVersion, 'currency' | 'version'>): string {
  return `price-list:${list.currency}@${list.version}`;
}
