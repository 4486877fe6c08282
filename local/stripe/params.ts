import type { FormFields, FormValue } from './form-body.ts';
import { refused } from './stripe-fault.ts';

/**
 * What an endpoint takes. Anything else is refused with `parameter_unknown`, the way Stripe does, so a misspelt or removed
 * parameter fails here and not in production. `emptyable` strings may be sent empty to clear the field.
 */
export type ParamKind =
  | { readonly is: 'string'; readonly max?: number; readonly emptyable?: boolean; readonly oneOf?: readonly string[] }
  | { readonly is: 'integer'; readonly min?: number; readonly max?: number }
  | { readonly is: 'boolean' }
  | { readonly is: 'decimal' }
  | { readonly is: 'metadata' }
  | { readonly is: 'range' }
  | { readonly is: 'object'; readonly fields: ParamFields }
  | { readonly is: 'array'; readonly of: ParamKind; readonly max?: number };
export type ParamFields = Readonly<Record<string, ParamKind>>;

export type ParamValue = string | number | boolean | null | readonly ParamValue[] | Params;
export interface Params {
  readonly [name: string]: ParamValue | undefined;
}

export const text = (max = 5000): ParamKind => ({ is: 'string', max });
export const clearable = (max = 5000): ParamKind => ({ is: 'string', max, emptyable: true });
export const oneOf = (...values: string[]): ParamKind => ({ is: 'string', oneOf: values });
export const integer = (min?: number, max?: number): ParamKind => ({
  is: 'integer',
  ...(min === undefined ? {} : { min }),
  ...(max === undefined ? {} : { max }),
});
export const flag: ParamKind = { is: 'boolean' };
export const decimal: ParamKind = { is: 'decimal' };
export const metadata: ParamKind = { is: 'metadata' };
export const range: ParamKind = { is: 'range' };
export const fields = (of: ParamFields): ParamKind => ({ is: 'object', fields: of });
export const list = (of: ParamKind, max?: number): ParamKind => ({
  is: 'array',
  of,
  ...(max === undefined ? {} : { max }),
});

/** Reads `form` by `known`; throws Stripe's 400 for unknown, malformed or out-of-range parameters. */
export function readParams(known: ParamFields, form: FormFields, path = ''): Params {
  const unknown = Object.keys(form).filter((name) => !Object.hasOwn(known, name));
  if (unknown.length > 0) {
    const names = unknown.map((name) => join(path, name));
    throw refused(
      `Received unknown parameter${names.length > 1 ? 's' : ''}: ${names.join(', ')}`,
      'parameter_unknown',
      names[0],
    );
  }
  const read: Record<string, ParamValue> = {};
  for (const [name, value] of Object.entries(form)) {
    const kind = known[name];
    if (kind !== undefined) read[name] = readValue(kind, value, join(path, name));
  }
  return read;
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}[${name}]`;
}

function readValue(kind: ParamKind, value: FormValue, path: string): ParamValue {
  if (kind.is === 'metadata') return value === '' ? null : readMetadata(asFields(value, path), path);
  if (kind.is === 'object') return value === '' ? null : readParams(kind.fields, asFields(value, path), path);
  if (kind.is === 'array') return readArray(kind, asFields(value, path), path);
  if (kind.is === 'range')
    return typeof value === 'string' ? readRange({ gte: value, lte: value }, path) : readRange(value, path);
  if (typeof value !== 'string') throw refused(`Invalid ${kind.is}: ${path}`, 'parameter_invalid_string', path);
  if (kind.is === 'string') return readString(kind, value, path);
  if (kind.is === 'integer') return readInteger(kind, value, path);
  if (kind.is === 'boolean') {
    if (value !== 'true' && value !== 'false') throw refused(`Invalid boolean: ${value}`, undefined, path);
    return value === 'true';
  }
  if (!/^-?\d+(\.\d{1,12})?$/.test(value)) throw refused(`Invalid decimal: ${value}`, undefined, path);
  return value;
}

function asFields(value: FormValue, path: string): FormFields {
  if (typeof value === 'string') throw refused(`Invalid object: ${path}`, 'parameter_invalid_string', path);
  return value;
}

function readString(kind: ParamKind & { is: 'string' }, value: string, path: string): string | null {
  if (value === '') {
    if (kind.emptyable) return null;
    throw refused(
      `You passed an empty string for '${path}'. We assume empty values are an attempt to unset a parameter; however '${path}' cannot be unset. You should remove '${path}' from your request or supply a non-empty value.`,
      'parameter_invalid_empty',
      path,
    );
  }
  if (kind.oneOf && !kind.oneOf.includes(value)) {
    throw refused(`Invalid ${path}: must be one of ${kind.oneOf.join(', ')}`, undefined, path);
  }
  if (kind.max !== undefined && value.length > kind.max) {
    throw refused(`Invalid string: ${value.slice(0, 20)}...; must be at most ${kind.max} characters`, undefined, path);
  }
  return value;
}

function readInteger(kind: ParamKind & { is: 'integer' }, value: string, path: string): number {
  const number = Number(value);
  if (!/^-?\d+$/.test(value) || !Number.isSafeInteger(number)) {
    throw refused(`Invalid integer: ${value}`, 'parameter_invalid_integer', path);
  }
  if ((kind.min !== undefined && number < kind.min) || (kind.max !== undefined && number > kind.max)) {
    throw refused(`Invalid integer: ${value} is out of range`, 'parameter_invalid_integer', path);
  }
  return number;
}

/** Metadata: 50 keys of at most 40 characters without brackets, values of at most 500; an empty value removes the key. */
function readMetadata(value: FormFields, path: string): Params {
  const entries = Object.entries(value);
  if (entries.length > 50) throw refused('You can have at most 50 metadata keys.', undefined, path);
  for (const [key, text] of entries) {
    if (typeof text !== 'string') throw refused('Invalid metadata value.', undefined, join(path, key));
    if (key.length > 40 || /[[\]]/.test(key)) throw refused(`Invalid metadata key: ${key}`, undefined, path);
    if (text.length > 500) {
      throw refused(
        `Metadata values can have up to 500 characters, but you passed in a value that is ${text.length} characters. Invalid value: ${text.slice(0, 20)}...`,
        undefined,
        path,
      );
    }
  }
  return Object.fromEntries(entries) as Params;
}

function readRange(value: FormFields, path: string): Params {
  return readParams({ gt: integer(), gte: integer(), lt: integer(), lte: integer() }, value, path);
}

function readArray(kind: ParamKind & { is: 'array' }, value: FormFields, path: string): ParamValue[] {
  const items = Object.values(value);
  if (kind.max !== undefined && items.length > kind.max) {
    throw refused(`Array has ${items.length} elements; at most ${kind.max} are allowed.`, undefined, path);
  }
  return items.map((item, index) => readValue(kind.of, item, `${path}[${index}]`));
}
