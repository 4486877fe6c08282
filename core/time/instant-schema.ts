import * as z from 'zod';
import { type Instant, isInstantText } from './instant.ts';

const CANONICAL = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

/**
 * An instant in its one spelling, as stored documents hold it. Apart from instant.ts, so that ingest stays without the schema
 * library. A cast and not a transform: it can be printed as JSON Schema.
 */
export const instantSchema = z
  .string()
  .regex(CANONICAL)
  .refine(isInstantText, { error: 'expected an RFC 3339 UTC time that exists' })
  .min(24) as unknown as z.ZodType<Instant, string>;
