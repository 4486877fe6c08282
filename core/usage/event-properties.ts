import { plainDecimal } from '../money/plain-decimal.ts';
import { refuse } from './event-refusal.ts';

/** The free part of an event: its properties as texts. */
export const MAX_PROPERTIES = 50;
const MAX_KEY_LENGTH = 64;
const MAX_VALUE_LENGTH = 1000;
// Characters, not UTF-16 units; without control characters, half surrogates and what SQS refuses in a message.
const KEY_PATTERN = /^[^\p{Cc}\p{Cs}\uFFFE\uFFFF]{1,64}$/u;
// Most texts are plain ASCII, for which a shorter look is enough.
const PLAIN = /^[ -~]*$/;
const VALUE_PATTERN = /^[^\p{Cc}\p{Cs}\uFFFE\uFFFF]{0,1000}$/u;

/** Reads `properties`: a flat object whose numbers and booleans become text; nulls are left out. */
export function readProperties(input: Record<string, unknown>, index: number): Record<string, string> {
  const value = input.properties;
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) {
    refuse(index, input.id, {
      code: 'properties_invalid',
      status: 400,
      field: 'properties',
      got: value,
      expected: 'an object of texts, numbers and booleans',
      todo: 'Send {} or leave it out when there are none.',
    });
  }
  const properties: Record<string, string> = {};
  let count = 0;
  for (const key of Object.keys(value)) {
    const entry = (value as Record<string, unknown>)[key];
    count += 1;
    const text = entry === null ? '' : propertyText(entry);
    if (text === null || !isValue(text) || !isKey(key) || count > MAX_PROPERTIES) {
      refuse(index, input.id, {
        code: 'property_invalid',
        field: `properties.${key.slice(0, MAX_KEY_LENGTH)}`,
        got: entry,
        expected: `at most ${MAX_PROPERTIES} properties, names of 1 to ${MAX_KEY_LENGTH} characters, values that are texts of at most ${MAX_VALUE_LENGTH} characters, numbers or booleans, and no control characters`,
        todo: 'Flatten objects and lists into properties of their own.',
      });
    }
    if (entry !== null) setProperty(properties, key, text);
  }
  return properties;
}

/** A property called __proto__ is a property like any other, but assigning it would be something else. */
function setProperty(properties: Record<string, string>, key: string, value: string): void {
  if (key !== '__proto__') properties[key] = value;
  else Object.defineProperty(properties, key, { value, enumerable: true, configurable: true, writable: true });
}

function isKey(key: string): boolean {
  return PLAIN.test(key) ? key.length <= MAX_KEY_LENGTH && key !== '' : KEY_PATTERN.test(key);
}

function isValue(text: string): boolean {
  return PLAIN.test(text) ? text.length <= MAX_VALUE_LENGTH : VALUE_PATTERN.test(text);
}

function propertyText(value: unknown): string | null {
  if (typeof value === 'string') return value;
  if (Number.isSafeInteger(value)) return String(value);
  if (typeof value === 'number') return Number.isFinite(value) ? plainDecimal(String(value)) : null;
  if (typeof value === 'boolean') return String(value);
  return null;
}
