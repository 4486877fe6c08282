import * as z from 'zod';
import { usageEventSchema } from '../../../core/usage/usage-event-schema.ts';

export const eventsBody = z.union([usageEventSchema, z.array(usageEventSchema).min(1).max(1000)]);

const rejection = z.object({
  index: z.int(),
  id: z.string().optional(),
  code: z.string(),
  field: z.string(),
  got: z.string(),
  expected: z.string(),
  detail: z.string(),
});

export const eventsAnswer = z.object({
  batchId: z.string(),
  accepted: z.int(),
  rejected: z.array(rejection).meta({ description: 'Each refused event by its index in the request.' }),
  warnings: z.array(z.object({ index: z.int(), code: z.string(), detail: z.string() })),
});
