import * as z from 'zod';
import { EXTERNAL_ID_PATTERN } from '../../core/ids.ts';
import { isInstantText, parseInstant } from '../../core/time/instant.ts';

/** Schemas that several routes share. camelCase, printed and read in snake_case. */

/** A time from a caller: RFC 3339 with any offset. Kept as text here; `parseInstant` makes it an instant. */
export const timeText = z
  .string()
  .refine(isInstantText, { error: 'expected an RFC 3339 time such as "2026-11-21T03:00:00Z"' })
  .meta({ format: 'date-time' });

export const instantOfText = (text: string) => parseInstant(text);

export const externalIdText = z
  .string()
  .regex(EXTERNAL_ID_PATTERN, { error: 'expected 1 to 255 characters without control characters' });

export const pageFields = {
  limit: z.coerce
    .number({ error: 'expected a whole number from 1 to 100' })
    .int({ error: 'expected a whole number from 1 to 100' })
    .min(1, { error: 'expected a whole number from 1 to 100' })
    .max(100, { error: 'expected a whole number from 1 to 100' })
    .optional(),
  cursor: z.string().max(2048).optional(),
};

export const pageQuery = z.strictObject(pageFields);

/** The answer of a list: its entries and the cursor of the next page, null on the last. */
export function listOf(entry: z.ZodType) {
  return z.object({ data: z.array(entry), nextCursor: z.string().nullable() });
}
