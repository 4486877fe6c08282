import * as z from 'zod';
import { type CustomerId, EXTERNAL_ID_PATTERN, type SubscriptionId } from '../ids.ts';
import { type Conversion, conversionSchema } from '../money/conversion.ts';
import type { Currency } from '../money/currency.ts';
import type { Instant } from '../time/instant.ts';
import { instantSchema } from '../time/instant-schema.ts';
import { type Interval, intervalSchema } from '../time/interval.ts';
import { customerIdSchema } from './customer.ts';
import { type Phase, phaseSchema } from './phase.ts';

export const BILLING_CYCLES = ['calendar', 'anniversary'] as const;

/** No request makes more; the item of a subscription stays far below DynamoDB's limit. */
export const MAX_PHASES = 500;

/** A customer on a plan over `[start, end)`. All its instants lie on quarter hours. */
export interface Subscription {
  readonly id: SubscriptionId;
  readonly customer: CustomerId;
  readonly start: Instant;
  /** Null while no end is known; `start` itself for one that was withdrawn before it began. */
  readonly end: Instant | null;
  /** Which plan version, and whether it bills, from when on; at least one. */
  readonly phases: readonly Phase[];
  /** The plan's interval: every plan the subscription moves to has the same, so its cycle never changes. */
  readonly interval: Interval;
  /** Intervals of the calendar in the customer's zone, or counted from the local date of `start`. */
  readonly billing: (typeof BILLING_CYCLES)[number];
  /** Bills in another currency than its plans', at this rate for as long as it lives; its account is that currency's. */
  readonly conversion?: Conversion | undefined;
  /**
   * Everything before this instant is billed, or lies in a trial or a pause and bills nothing; `start` at first. Nothing before
   * it ever changes.
   */
  readonly billedThrough: Instant;
  /**
   * Fees in advance are billed up to this instant; `start` at first. Absent where the plan had none when it was last billed:
   * fees that a change brings into a period are then billed when that period closes.
   */
  readonly advanceThrough?: Instant | undefined;
}

/** A subscription as stored: `version` rises with every write and guards all of them, the API's and the billing run's. */
export interface StoredSubscription {
  readonly subscription: Subscription;
  readonly version: number;
}

export const subscriptionIdSchema = z
  .string()
  .regex(EXTERNAL_ID_PATTERN, { error: 'expected 1 to 255 characters without control characters' })
  .min(1) as unknown as z.ZodType<SubscriptionId, string>;

export const subscriptionSchema = z.strictObject({
  id: subscriptionIdSchema,
  customer: customerIdSchema,
  start: instantSchema,
  end: instantSchema.nullable(),
  phases: z.array(phaseSchema).min(1).max(MAX_PHASES),
  interval: intervalSchema.default('month'),
  billing: z.enum(BILLING_CYCLES),
  conversion: conversionSchema.optional(),
  billedThrough: instantSchema,
  advanceThrough: instantSchema.optional(),
}) satisfies z.ZodType<Subscription>;

/** What a subscription is billed in: its plans' currency, unless it is converted. */
export function billedCurrency(
  { conversion }: Pick<Subscription, 'conversion'>,
  plan: { readonly currency: Currency },
): Currency {
  return conversion?.currency ?? plan.currency;
}
