import { invalid } from '../../core/errors.ts';

/**
 * The border between the product's camelCase and the wire's snake_case. Keys are converted at every depth, except inside the
 * maps whose keys belong to the caller.
 */
export { parseJson } from './exact-json.ts';

const OPAQUE: ReadonlySet<string> = new Set([
  'properties',
  'filter',
  'dimensions',
  'dimensionExpressions',
  'metadata',
  'match',
]);
const MAX_DEPTH = 32;

export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

export function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
}

/** A value for the wire: snake_case keys, bigints as decimal strings, `undefined` members left out. */
export function toWire(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return value.map(toWire);
  if (typeof value !== 'object' || value === null) return value;
  if ('toJSON' in value && typeof value.toJSON === 'function') return toWire(value.toJSON());
  const out: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue;
    out[snakeCase(name)] = OPAQUE.has(name) ? member : toWire(member);
  }
  return out;
}

/**
 * A parsed body with camelCase keys. A key written in camelCase is refused (`invalid`, code `unknown_field`), so that there
 * is one spelling of every field; so are bodies nested deeper than 32.
 */
export function fromWire(value: unknown, path = '', depth = 0): unknown {
  if (depth > MAX_DEPTH) {
    throw invalid('invalid_json', `Got a body nested deeper than ${MAX_DEPTH} levels at ${path.slice(0, 64)}.`);
  }
  if (Array.isArray(value)) return value.map((item, index) => fromWire(item, `${path}[${index}]`, depth + 1));
  if (typeof value !== 'object' || value === null) return value;
  const entries: [string, unknown][] = [];
  for (const [name, member] of Object.entries(value)) {
    const at = path === '' ? name : `${path}.${name}`;
    if (/[A-Z]/.test(name)) throw misspelt(at, name);
    entries.push([camelCase(name), OPAQUE.has(camelCase(name)) ? member : fromWire(member, at, depth + 1)]);
  }
  return Object.fromEntries(entries);
}

function misspelt(field: string, name: string) {
  const expected = snakeCase(name).replace(/^_/, '');
  const detail = `Got the field ${JSON.stringify(name)}; field names are written in snake_case, such as ${expected}.`;
  return invalid('unknown_field', detail, [{ field, code: 'unknown_field', detail, got: name, expected }]);
}
