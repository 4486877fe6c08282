import * as z from 'zod';
import { propertyNameSchema, propertyValueSchema } from '../../core/catalog/key.ts';
import type { Meter } from '../../core/catalog/meter.ts';
import { type Fault, invalid } from '../../core/errors.ts';

const filterSchema = z.record(
  propertyNameSchema,
  z.union([propertyValueSchema.transform((value) => [value]), z.array(propertyValueSchema).min(1).max(100)]),
);

/**
 * The dimension values of the query parameter `filter`, JSON such as `{"region": "eu"}` or `{"region": ["eu", "us"]}`. Throws
 * `filter_invalid` for anything else, and for a dimension that no meter asked for has.
 */
export function usageFilter(
  text: string | undefined,
  meters: readonly Meter[],
): Readonly<Record<string, readonly string[]>> | undefined {
  if (text === undefined) return undefined;
  const parsed = filterSchema.safeParse(jsonOf(text));
  if (!parsed.success || Object.keys(parsed.data).length > 8) {
    const expected = 'JSON such as {"region":"eu"} or {"region":["eu","us"]}, with at most 8 dimensions';
    throw refused([faultOf('filter', 'filter_invalid', text, expected)]);
  }
  const known = new Set(meters.flatMap(({ dimensions }) => dimensions));
  const unknown = Object.keys(parsed.data).filter((name) => !known.has(name));
  if (unknown.length === 0) return parsed.data;
  const expected = [...known].join(', ').slice(0, 200) || 'nothing: these meters have no dimensions';
  throw refused(unknown.map((name) => faultOf(`filter.${name}`, 'unknown_dimension', name, expected)));
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function faultOf(field: string, code: string, given: string, expected: string): Fault {
  const got = given.slice(0, 64);
  return { field, code, detail: `Got ${JSON.stringify(got)}; expected ${expected}.`, got, expected };
}

function refused(faults: readonly Fault[]) {
  return invalid('filter_invalid', 'The filter of the usage cannot be.', faults);
}
