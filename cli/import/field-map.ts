/**
 * Which column of a file becomes which part of an event. `id`, `type`, `customer`, `time` and `source` are parts of the event
 * itself; every other name is a property. A value is the name of a column, or a constant after a colon.
 */
export type Origin = { readonly column: string } | { readonly constant: string };
export type FieldMap = ReadonlyMap<string, Origin>;

export const EVENT_FIELDS = ['id', 'type', 'customer', 'time'] as const;

/** Reads `time=TIMESTAMP` or `type=:llm_request`. Throws an Error with a sentence when it is neither. */
export function parseMapping(text: string): readonly [string, Origin] {
  const cut = text.indexOf('=');
  const name = text.slice(0, cut);
  const value = text.slice(cut + 1);
  if (cut < 1 || value === '' || value === ':') {
    throw new Error(
      `Got mapping "${text}"; expected FIELD=COLUMN or FIELD=:CONSTANT, such as time=created_at or type=:llm_request.`,
    );
  }
  if (name === 'source') throw new Error('The source of an import is the hash of its file; it cannot be mapped.');
  return [name, value.startsWith(':') ? { constant: value.slice(1) } : { column: value }];
}

/** Checks a whole map against the columns of the file: what is missing, and what names no column. */
export function checkFieldMap(map: FieldMap, columns: readonly string[]): void {
  for (const field of ['type', 'customer', 'time']) {
    if (!map.has(field))
      throw new Error(`The map lacks ${field}; add --map ${field}=COLUMN or --map ${field}=:CONSTANT.`);
  }
  for (const [field, origin] of map) {
    if ('column' in origin && !columns.includes(origin.column)) {
      throw new Error(
        `${field} is mapped to the column "${origin.column}", which the file does not have. Its columns: ${columns.join(', ')}.`,
      );
    }
  }
}

/** The value of a mapped field in one row; undefined when the row has none. */
export function fieldValue(origin: Origin | undefined, row: Readonly<Record<string, unknown>>): unknown {
  if (origin === undefined) return undefined;
  return 'constant' in origin ? origin.constant : row[origin.column];
}
