import * as z from 'zod';
import { isInstantText } from '../time/instant.ts';

/**
 * The documented form of one usage event, for the OpenAPI document. Ingest does not import it: its hand-written reader
 * (read-usage-event.ts) is held to this schema by a property test. What depends on the project and the hour (meters, open
 * backfills, the age of ids and times) is not form, and the reader alone decides it.
 */
const CHARACTER = '[^\\p{Cc}\\p{Cs}\\uFFFE\\uFFFF]';
const text = (min: number, max: number) => z.string().regex(new RegExp(`^${CHARACTER}{${min},${max}}$`, 'u'));
const MAX_PROPERTIES = 50;

const timeSchema = z
  .string()
  .regex(/^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$/)
  .refine((time) => isInstantText(time.replace(' ', 'T')))
  .nullable()
  .meta({
    description: 'When it happened: RFC 3339 with Z or an offset, from 1970 on. Without it the time of the id counts.',
  });

const keySchema = text(1, 64);
const valueSchema = z.union([text(0, 1000), z.number(), z.boolean(), z.null()]);

/** Written out, because `z.record` loses a property called `__proto__` without looking at it. */
function isProperties(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const entries = Object.entries(value);
  return (
    entries.length <= MAX_PROPERTIES &&
    entries.every(([key, entry]) => keySchema.safeParse(key).success && valueSchema.safeParse(entry).success)
  );
}

function jsonSchemaOf(schema: z.ZodType) {
  const { $schema: _dialect, ...json } = z.toJSONSchema(schema);
  return json;
}

const propertiesSchema = z
  .unknown()
  .refine(isProperties)
  .meta({
    type: 'object',
    maxProperties: MAX_PROPERTIES,
    propertyNames: jsonSchemaOf(keySchema),
    additionalProperties: jsonSchemaOf(valueSchema),
    description:
      'Your own values. Numbers are best sent as decimal strings, which keep every digit; nulls are left out.',
  });

export const usageEventSchema = z.strictObject({
  id: text(1, 255).meta({
    description:
      'Unique for this customer and source; the same id is counted once, however often it is sent. UUIDv7 is best.',
  }),
  type: text(1, 255).meta({ description: 'What happened; at least one meter counts it.' }),
  customer: text(1, 255).meta({ description: 'Your own id of the customer. No personal data.' }),
  source: z
    .union([text(1, 255), z.literal(''), z.null()])
    .meta({
      description: 'Where the id is unique; none when it is unique everywhere. `backfill:<name>` in a backfill.',
    })
    .optional(),
  time: timeSchema.optional(),
  properties: propertiesSchema.nullable().optional(),
});
