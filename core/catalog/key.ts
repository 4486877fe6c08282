import * as z from 'zod';

/** Keys of meters, plans and charges: 1 to 64 of a-z, 0-9, `_`, `-`, `.`, the first a letter or digit. Never a slash: keys are parts of line keys. */
export const CATALOG_KEY_PATTERN = /^[a-z0-9][a-z0-9_.-]{0,63}$/;

export const catalogKeySchema = z.string().regex(CATALOG_KEY_PATTERN, {
  error: 'expected 1 to 64 of a-z, 0-9, "_", "-" and ".", beginning with a letter or digit',
});

/** What people read on an invoice: 1 to 200 characters, no control characters. */
export const labelSchema = z
  .string()
  .regex(/^[^\p{Cc}\p{Cs}]{1,200}$/u, { error: 'expected 1 to 200 characters without control characters' });

/** The name of an event type or of an event property: 1 to 128 characters, no control characters. */
export const propertyNameSchema = z
  .string()
  .regex(/^[^\p{Cc}\p{Cs}]{1,128}$/u, { error: 'expected 1 to 128 characters without control characters' });

/** The value of a property as dimensions and filters hold it: up to 255 characters, no control characters. */
export const propertyValueSchema = z
  .string()
  .regex(/^[^\p{Cc}\p{Cs}]{0,255}$/u, { error: 'expected at most 255 characters without control characters' });
