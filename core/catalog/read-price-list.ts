import * as z from 'zod';
import { type Fault, faulty } from '../errors.ts';
import { faultsOf } from '../schema-faults.ts';
import type { Meter } from './meter.ts';
import { type PriceListInput, priceListInputSchema } from './price-list.ts';
import { planFaults } from './read-plan.ts';

/**
 * Reads a price list (camelCase keys) against the project's meters; its charges keep every rule that those of a plan keep.
 * Throws `invalid` (code `price_list_invalid`) with every fault at once, fields as the caller wrote them.
 */
export function readPriceList(input: unknown, meters: readonly Meter[]): PriceListInput {
  const faults = priceListFaults(input, meters);
  if (faults.length > 0) {
    throw faulty('price_list_invalid', 'The price list', faults);
  }
  return priceListInputSchema.parse(input);
}

export function priceListFaults(input: unknown, meters: readonly Meter[]): Fault[] {
  const parsed = priceListInputSchema.safeParse(input);
  const { currency, charges } =
    z.looseObject({ currency: z.unknown(), charges: z.unknown() }).safeParse(input).data ?? {};
  const asPlan = { plan: 'price-list', name: 'Price list', currency, charges };
  const faults = [
    ...(parsed.success ? [] : faultsOf(parsed.error, input)),
    ...planFaults(asPlan, meters).filter(({ field }) => field.startsWith('charges[')),
  ];
  const seen = new Set<string>();
  return faults.filter(({ field, code }) => !seen.has(`${field} ${code}`) && seen.add(`${field} ${code}`));
}
