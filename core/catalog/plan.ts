import * as z from 'zod';
import { type Currency, currencySchema } from '../money/currency.ts';
import { ROUNDING_MODES, type RoundingMode } from '../money/rounding.ts';
import { type Interval, intervalSchema } from '../time/interval.ts';
import { PRORATION_UNITS, type ProrationUnit } from '../time/proration.ts';
import { type Charge, chargeSchema } from './charge.ts';
import { type Commitment, commitmentSchema } from './commitment.ts';
import { type Entitlement, entitlementsSchema } from './entitlement.ts';
import { type Envelope, envelopesSchema } from './envelope.ts';
import { catalogKeySchema, labelSchema } from './key.ts';

/** An immutable set of charges in one currency. A change is a new version; an invoice keeps the version it was rated with. */
export interface PlanVersion {
  readonly plan: string;
  /** 1, 2, 3 ... */
  readonly version: number;
  readonly name: string;
  readonly currency: Currency;
  readonly interval: Interval;
  readonly charges: readonly Charge[];
  /** How each line is rounded to minor units; half away from zero when absent. */
  readonly rounding?: RoundingMode | undefined;
  /** What partial periods are counted in; calendar days of the customer's zone when absent. */
  readonly proration?: ProrationUnit | undefined;
  readonly commitment?: Commitment | undefined;
  /** Included quantities that several charges share. */
  readonly envelopes?: readonly Envelope[] | undefined;
  /** What a customer on the plan may do; they change no invoice. */
  readonly entitlements?: readonly Entitlement[] | undefined;
  /** A subscription bills nothing in its first so many days, unless it says otherwise. */
  readonly trial?: { readonly days: number } | undefined;
}

/** A plan as its author writes it; `readPlan` (read-plan.ts) holds it to the rules a schema cannot express. */
export const planInputSchema = z.strictObject({
  plan: catalogKeySchema,
  name: labelSchema,
  currency: currencySchema,
  interval: intervalSchema.default('month'),
  charges: z.array(chargeSchema).min(1).max(200),
  rounding: z.enum(ROUNDING_MODES).optional(),
  proration: z
    .enum(PRORATION_UNITS)
    .optional()
    .meta({ description: 'What partial periods are counted in: calendar days of the customer (default) or seconds.' }),
  commitment: commitmentSchema.optional(),
  envelopes: envelopesSchema.optional(),
  entitlements: entitlementsSchema.optional(),
  trial: z.strictObject({ days: z.int().min(1).max(730) }).optional(),
});
export type PlanInput = z.output<typeof planInputSchema>;

export const planVersionSchema = planInputSchema.extend({
  version: z.int().min(1),
}) satisfies z.ZodType<PlanVersion>;

/** The name of a price on a line: `<plan>@<version>`. */
export function priceVersionOf(plan: Pick<PlanVersion, 'plan' | 'version'>): string {
  return `${plan.plan}@${plan.version}`;
}
