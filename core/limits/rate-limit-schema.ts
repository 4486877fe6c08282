import * as z from 'zod';
import type { RateLimitSettings } from './rate-limits.ts';

/** The most events of one request: a smaller burst would refuse such a request for ever. */
const MIN_EVENTS_BURST = 1_000;
const MAX_RATE = 1_000_000;

const rateSchema = (minBurst: number) =>
  z
    .strictObject({ perSecond: z.int().min(1).max(MAX_RATE), burst: z.int().min(minBurst).max(MAX_RATE) })
    .meta({ description: 'On average `per_second`, and up to `burst` at once.' });

const ratesSchema = {
  events: rateSchema(MIN_EVENTS_BURST).optional(),
  requests: rateSchema(1).optional(),
};

/** What a project sets about the rates of its calls. */
export const rateLimitSettingsSchema = z.strictObject({
  project: z.strictObject(ratesSchema).optional(),
  keys: z
    .array(
      z.strictObject({
        key: z.string().regex(/^[0-9a-z]{12}$/, { error: 'expected the id of an API key' }),
        ...ratesSchema,
      }),
    )
    .max(100)
    .refine((keys) => new Set(keys.map(({ key }) => key)).size === keys.length, { error: 'expected each key once' })
    .optional(),
}) satisfies z.ZodType<RateLimitSettings>;
