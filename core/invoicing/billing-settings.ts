import * as z from 'zod';

/** How a project bills. Kept per project; what is not set has these defaults. */
export const billingSettingsSchema = z.strictObject({
  /** First part of every invoice number; with the dash and up to 12 digits a number stays within Stripe's 26 characters. */
  numberPrefix: z
    .string()
    .regex(/^[A-Z0-9-]{1,13}$/)
    .default('INV'),
  /** Digits are padded to this width and grow beyond it when they must. */
  numberDigits: z.int().min(6).max(12).default(6),
  /** How long after a period's close late usage may still arrive before it is rated. */
  graceHours: z.int().min(0).max(720).default(1),
  /** From issue to due. */
  paymentTermDays: z.int().min(0).max(365).default(14),
});

export type BillingSettings = z.infer<typeof billingSettingsSchema>;

export const DEFAULT_BILLING_SETTINGS: BillingSettings = billingSettingsSchema.parse({});

/** The number of the `count`-th invoice of a project, such as `INV-000042`: at most 26 characters up to 10^12 invoices. */
export function invoiceNumber(settings: BillingSettings, count: number): string {
  return `${settings.numberPrefix}-${String(count).padStart(settings.numberDigits, '0')}`;
}
