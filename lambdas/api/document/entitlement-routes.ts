import * as z from 'zod';
import { customerIdSchema } from '../../../core/accounts/customer.ts';
import { catalogKeySchema } from '../../../core/catalog/key.ts';
import { notFound } from '../../../core/errors.ts';
import { instantSchema } from '../../../core/time/instant-schema.ts';
import { type Route, route } from '../route.ts';

/** What another function serves (lambdas/entitlements), as the document shows it. */
const quantitySchema = z
  .union([z.string().regex(/^\d{1,18}(\.\d{1,12})?$/), z.int().min(0)])
  .meta({ description: 'Units about to be used, as a decimal string. Without it: is anything left?' });

export const checkBody = z.strictObject({
  customer: customerIdSchema,
  feature: catalogKeySchema,
  quantity: quantitySchema.nullable().optional(),
});

const amount = z.string().meta({ description: 'Exact decimal.' });

export const checkAnswer = z.object({
  customer: z.string(),
  feature: z.string(),
  kind: z.enum(['boolean', 'static', 'metered']).nullable(),
  allowed: z.boolean(),
  reason: z.enum(['included', 'not_included', 'unlimited', 'within_limit', 'limit_reached', 'over_soft_limit']),
  value: z.string().optional().meta({ description: 'Of a static feature.' }),
  meter: z.string().optional().meta({ description: 'Of a metered feature, as all that follows.' }),
  used: amount.optional(),
  limit: amount.nullable().optional().meta({ description: 'Grants included; null is unlimited.' }),
  remaining: amount.nullable().optional(),
  overLimit: z.boolean().optional(),
  resetsAt: instantSchema.optional(),
  asOf: instantSchema.optional().meta({ description: 'Everything appended to the log before is in `used`.' }),
});

export const consumeBody = z.strictObject({
  customer: customerIdSchema,
  feature: catalogKeySchema,
  quantity: quantitySchema.meta({ description: 'Units to take, above 0, as a decimal string.' }),
  id: z.string().min(1).max(255).meta({ description: 'Id of the usage event: the same id is consumed once.' }),
  time: z
    .string()
    .nullable()
    .optional()
    .meta({ format: 'date-time', description: 'Within the window; now when absent.' }),
  properties: z.record(z.string(), z.string()).nullable().optional(),
});

const consumeAnswer = checkAnswer.extend({
  id: z.string(),
  recorded: z.boolean().meta({ description: 'Whether the usage is recorded, by this call or an earlier one.' }),
  duplicate: z.boolean(),
});

const elsewhere = () => Promise.reject(notFound('route_not_found', 'Entitlements are checked by another function.'));

export const checkRoute: Route = route({
  method: 'POST',
  path: '/v1/entitlements/check',
  scope: 'read',
  docs: {
    tag: 'Entitlements',
    summary: 'Ask whether a customer may use a feature, and how much of it is left',
    description:
      'One small read. Of a metered feature `used` may be older than now by what `as_of` says; plans, contracts, subscriptions and grants count at most 30 seconds after they changed. A feature the customer does not have is an answer (`not_included`), not an error.',
    bodyShown: checkBody,
    answers: { 200: checkAnswer },
    errors: ['customer_not_found', 'meter_not_found'],
    example: { customer: 'acme', feature: 'api-calls', quantity: '1' },
  },
  handle: elsewhere,
});

export const consumeRoute: Route = route({
  method: 'POST',
  path: '/v1/entitlements/consume',
  scope: 'ingest',
  docs: {
    tag: 'Entitlements',
    summary: 'Check and record in one call',
    description:
      'Takes the quantity out of the quota and records it as a usage event with this id, or does neither: callers at the same time cannot pass a hard limit together. The same id again answers `duplicate` and takes nothing. Where the value of the meter is a property, the quantity is written there.',
    bodyShown: consumeBody,
    answers: { 200: consumeAnswer },
    errors: [
      'customer_not_found',
      'meter_not_found',
      'feature_not_metered',
      'feature_not_consumable',
      'time_outside_window',
      'consume_invalid',
      'consume_id_reused',
      'write_contended',
      'id_too_old',
      'id_in_future',
      'time_in_future',
      'property_invalid',
    ],
    example: { customer: 'acme', feature: 'api-calls', quantity: '1', id: '019aa3b4-7c00-7000-8000-000000000002' },
  },
  handle: elsewhere,
});
