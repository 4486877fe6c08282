import { type Fault, faulty } from '../errors.ts';
import { type CustomerId, EXTERNAL_ID_PATTERN } from '../ids.ts';
import { Decimal } from '../money/decimal.ts';

/**
 * Reads the bodies of checks and consumptions by hand: they are asked hundreds of times a second, and a schema library would
 * be most of what their function loads. The documented schemas stand in lambdas/api/document; a test holds the two together.
 */
export interface Ask {
  readonly customer: CustomerId;
  readonly feature: string;
  /** At least 0; null when there is none. */
  readonly quantity: Decimal | null;
}

const FEATURE_PATTERN = /^[a-z0-9][a-z0-9_.-]{0,63}$/;
/** Sums of so small quantities stay within the 38 digits that the database keeps exactly. */
const QUANTITY_PATTERN = /^\d{1,18}(\.\d{1,12})?$/;
const FIELDS = ['customer', 'feature', 'quantity'];

/** The body of a check. Throws `invalid` (code `body_invalid`) with every fault. */
export function readAsk(body: unknown): Ask {
  const { fields, faults } = fieldsOf(body, FIELDS);
  const ask = askOf(fields, faults);
  if (faults.length > 0) throw faulty('body_invalid', 'The body', faults);
  return ask;
}

/** The fields of a body, with a fault for each that is not known. */
export function fieldsOf(body: unknown, known: readonly string[]) {
  const faults: Fault[] = [];
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    faults.push(fault('body', 'wrong_type', body, `an object with ${known.join(', ')}`));
    return { fields: {}, faults };
  }
  for (const name of Object.keys(body)) {
    if (!known.includes(name)) faults.push(fault(name, 'unknown_field', name, `only ${known.join(', ')}`));
  }
  return { fields: body as Readonly<Record<string, unknown>>, faults };
}

export function askOf(fields: Readonly<Record<string, unknown>>, faults: Fault[]): Ask {
  const { customer, feature, quantity } = fields;
  const isExternalId = typeof customer === 'string' && customer !== '' && EXTERNAL_ID_PATTERN.test(customer);
  if (!isExternalId) {
    faults.push(
      fault('customer', codeOf(customer), customer, 'a text of 1 to 255 characters without control characters'),
    );
  }
  if (typeof feature !== 'string' || !FEATURE_PATTERN.test(feature)) {
    faults.push(
      fault('feature', codeOf(feature), feature, 'the key of a feature: 1 to 64 of a-z, 0-9, "_", "-" and "."'),
    );
  }
  return { customer: customer as CustomerId, feature: feature as string, quantity: quantityOf(quantity, faults) };
}

function quantityOf(given: unknown, faults: Fault[]): Decimal | null {
  if (given === undefined || given === null) return null;
  const text = Number.isSafeInteger(given) ? String(given) : given;
  if (typeof text === 'string' && QUANTITY_PATTERN.test(text)) return Decimal.parse(text);
  const expected = 'a decimal string of at least 0 with at most 18 integer digits and 12 decimal places';
  faults.push(fault('quantity', 'quantity_invalid', given, expected));
  return null;
}

function codeOf(value: unknown): string {
  return value === undefined ? 'missing' : typeof value === 'string' ? 'invalid_format' : 'wrong_type';
}

export function fault(field: string, code: string, value: unknown, expected: string): Fault {
  const got = value === undefined ? 'nothing' : (JSON.stringify(value) ?? typeof value).slice(0, 64);
  return { field, code, detail: `Got ${got}; expected ${expected}.`, got, expected };
}
