import * as z from 'zod';
import { customerIdSchema } from '../accounts/customer.ts';
import { contractTermsSchema } from '../catalog/contract.ts';
import { catalogKeySchema, propertyNameSchema, propertyValueSchema } from '../catalog/key.ts';
import { meterInputSchema } from '../catalog/meter.ts';
import { planInputSchema } from '../catalog/plan.ts';
import { conversionSchema } from '../money/conversion.ts';
import { decimalSchema } from '../money/decimal-schema.ts';
import { isInstantText } from '../time/instant.ts';
import { timeZoneSchema } from '../time/time-zone.ts';

/** What of a period amount a service bears; see `share`. */
export const SHARES = ['prorated', 'whole', 'none'] as const;

/** The most of each that one estimate takes; its body is at most 1 MiB beside. */
export const ESTIMATE_LIMITS = { meters: 200, usage: 1_000, transactions: 10_000 } as const;

const timeSchema = z
  .string()
  .max(64)
  .refine(isInstantText, { error: 'expected an RFC 3339 time such as "2026-11-21T03:00:00Z"' });

const dimensionsSchema = z
  .record(propertyNameSchema, propertyValueSchema)
  .meta({ description: 'Values of the dimensions of the meter, such as {"region": "eu"}; those left out have none.' });

const usageEntrySchema = z.strictObject({
  meter: catalogKeySchema,
  quantity: decimalSchema.meta({ description: 'What the meter counted over the whole span.', examples: ['1500.5'] }),
  dimensions: dimensionsSchema.optional(),
});

const EXPECTED_VALUE = 'expected a decimal string such as "12.34", or any text on a unique_count meter';

const transactionSchema = z.strictObject({
  meter: catalogKeySchema,
  value: z
    .string({ error: EXPECTED_VALUE })
    .max(255)
    .optional()
    .meta({
      description:
        'The value of the event: a decimal, on a unique_count meter any text; none on a count meter. On a time_weighted_sum meter it changes the level at `at`.',
      examples: ['19.99'],
    }),
  at: timeSchema.optional().meta({
    description:
      'When it happened. Those without a time happen one after the other, as listed, from the start of the service on. The level of a time_weighted_sum meter holds from then to the end of the service; what changed it before the service began counts from its start, unless the meter begins at zero with the period and it was before that.',
  }),
  dimensions: dimensionsSchema.optional(),
  properties: z.record(propertyNameSchema, propertyValueSchema).optional().meta({
    description:
      'Instead of `value` and `dimensions`: the properties of the event, all as text, counted as the meter counts them: filter, expressions and dimensions.',
  }),
});

const serviceSchema = z.strictObject({ start: timeSchema.optional(), end: timeSchema.optional() }).meta({
  description:
    'The part of the period in which the subscription is active, `[start, end)`; an end that is left out is the one of the period. Both on quarter hours.',
});

const shareSchema = z.enum(SHARES);

const usageList = z.array(usageEntrySchema).max(ESTIMATE_LIMITS.usage).meta({
  description:
    'Quantities by meter and dimension values. Several entries of one meter are taken together as it aggregates: unique counts as of different values, averages as one reading each, time-weighted sums as they are. A meter of the kind transactions takes `transactions` instead.',
});

const transactionList = z.array(transactionSchema).max(ESTIMATE_LIMITS.transactions).meta({
  description:
    'Single events, for prices that need them and wherever that is handier; each meter aggregates its own. They add to `usage`.',
});

const meterList = z
  .array(meterInputSchema.partial({ eventType: true }))
  .max(ESTIMATE_LIMITS.meters)
  .meta({
    description:
      'Meters as POST /v1/meters takes them; `event_type` may be left out, and `value` where no `properties` are read. They stand before meters of the project with the same key.',
  });

/** Everything of a request that is not the plan. */
export const estimateOptionsSchema = z.strictObject({
  planVersion: z
    .int()
    .min(1)
    .optional()
    .meta({ description: 'A version of the stored plan `plan`; the newest when absent.' }),
  meters: meterList.optional(),
  usage: usageList.optional(),
  transactions: transactionList.optional(),
  customer: customerIdSchema.optional().meta({
    description:
      'Rates the usage counted for this customer over the service, in its time zone; `usage` and `transactions` come on top. With neither plan nor charges: what its own subscriptions come to in the period, billed or not (`currency` names one where there are several).',
  }),
  period: z
    .string()
    .max(64)
    .optional()
    .meta({
      description:
        'Key of the billing period: `2026-11`, `2026-W47`, `2026-Q4`, `2026`, `2026-11-21`, or two dates `2026-01-31_2026-02-28`.',
      examples: ['2026-11'],
    }),
  at: timeSchema.optional().meta({ description: 'Instead of `period`: a time within it. Now, when both are absent.' }),
  anchor: timeSchema.optional().meta({
    description: 'With `at`: periods are counted from this date (anniversary billing) and not by the calendar.',
  }),
  timeZone: timeZoneSchema
    .optional()
    .meta({ description: 'Where the period begins at midnight: UTC, or the zone of `customer`.' }),
  service: serviceSchema.optional(),
  share: shareSchema.optional().meta({
    description:
      'How much of the period fees, allowances, minimums and commitments are for: the part that the service is (`prorated`, also when absent), all of it (`whole`: the plan before a change without proration) or nothing of it (`none`: the plan after one).',
  }),
  contract: contractTermsSchema.optional().meta({
    description:
      'Terms of a contract, which beat those of the plan: `overrides` of single charges (null takes the term of the plan away), `commitment`, `envelopes`, `discount` on all charges.',
  }),
  conversion: conversionSchema
    .optional()
    .meta({ description: 'Bills in another currency than the prices, at this rate.' }),
  bills: z.enum(['arrears', 'advance']).optional().meta({
    description:
      'Only the charges due when the period has closed, or only the fees due when it begins; both when absent.',
  }),
  billed: z
    .strictObject({
      usage: usageList.optional(),
      transactions: transactionList.optional(),
      service: serviceSchema.optional(),
      share: shareSchema.optional().meta({ description: 'The one of the request when absent.' }),
    })
    .optional()
    .meta({
      description:
        'What an earlier invoice has billed of the same period. The answer then holds the adjustment lines that a later invoice would add: rated now minus billed then, line by line, credits included.',
    }),
});
export type EstimateOptions = z.output<typeof estimateOptionsSchema>;
export type HypotheticalUsage = Pick<EstimateOptions, 'usage' | 'transactions'>;
export type SingleEvent = z.output<typeof transactionSchema>;

export const PLAN_FIELDS = Object.keys(planInputSchema.shape);

/** The whole request as the document shows it: a plan's fields, all optional, and the options. */
export const estimateRequestSchema = planInputSchema.partial().extend(estimateOptionsSchema.shape);
