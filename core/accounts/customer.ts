import * as z from 'zod';
import { labelSchema, propertyNameSchema } from '../catalog/key.ts';
import { type CustomerId, EXTERNAL_ID_PATTERN } from '../ids.ts';
import { type Currency, currencySchema } from '../money/currency.ts';
import { timeZoneSchema } from '../time/time-zone.ts';

/** Who is billed, known by the operator's own id (`external id`). */
export interface Customer {
  readonly id: CustomerId;
  readonly name: string;
  readonly email?: string | undefined;
  /** IANA name; where the customer's days and billing periods begin. */
  readonly timeZone: string;
  readonly currency?: Currency | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

export const customerIdSchema = z
  .string()
  .regex(EXTERNAL_ID_PATTERN, { error: 'expected 1 to 255 characters without control characters' })
  .min(1) as unknown as z.ZodType<CustomerId, string>;

export const customerSchema = z.strictObject({
  id: customerIdSchema,
  name: labelSchema,
  email: z.email().max(254).optional(),
  timeZone: timeZoneSchema.default('UTC'),
  currency: currencySchema.optional(),
  metadata: z
    .record(propertyNameSchema, z.string().max(500))
    .refine((map) => Object.keys(map).length <= 50, { error: 'expected at most 50 entries' })
    .optional(),
}) satisfies z.ZodType<Customer>;

/** The billing account `<customer>/<currency>`: what one invoice sequence belongs to. */
export function billingAccountOf(customer: CustomerId, currency: Currency): string {
  return `${customer}/${currency}`;
}

/** The inverse of `billingAccountOf`: a currency has three letters and no slash, whatever the customer's id holds. */
export function partsOfAccount(account: string): { readonly customer: CustomerId; readonly currency: Currency } {
  const at = account.lastIndexOf('/');
  return { customer: account.slice(0, at) as CustomerId, currency: account.slice(at + 1) as Currency };
}
