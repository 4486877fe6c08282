/** JSON as it stands in a template, and the few questions the template readers ask of it. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads `value` as an object; throws a sentence that names `where` otherwise. */
export function objectAt(value: Json | undefined, where: string): JsonObject {
  if (isObject(value)) return value;
  throw new TemplateError(`${where}: got ${describe(value)}, expected an object`);
}

export function describe(value: Json | undefined): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}

/** The template says something the local stack cannot do truthfully. The message names the resource and the property. */
export class TemplateError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'TemplateError';
  }
}
