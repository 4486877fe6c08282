/**
 * Reads the properties of one resource and remembers which ones were asked for, so that `done()` can refuse a template
 * that says more than the local stack acts upon. What is deliberately left out is named with `ignore`.
 */
import { describe, isObject, type Json, type JsonObject, TemplateError } from './json.ts';

export class PropertyReader {
  /** Names the resource, and the path inside it, in messages. */
  readonly where: string;
  readonly #properties: JsonObject;
  readonly #read = new Set<string>();
  readonly #nested: PropertyReader[] = [];

  constructor(where: string, properties: JsonObject) {
    this.where = where;
    this.#properties = properties;
  }

  raw(name: string): Json | undefined {
    this.#read.add(name);
    return this.#properties[name];
  }

  optionalText(name: string): string | undefined {
    const value = this.raw(name);
    if (value === undefined || typeof value === 'string') return value;
    if (typeof value === 'number') return String(value);
    throw this.#wrong(name, value, 'a text');
  }

  text(name: string): string {
    return this.optionalText(name) ?? this.#missing(name);
  }

  /** Numbers may stand as decimal text in a template. */
  optionalNumber(name: string): number | undefined {
    const value = this.raw(name);
    if (value === undefined) return undefined;
    const number = typeof value === 'string' ? Number(value) : value;
    if (typeof number === 'number' && Number.isFinite(number)) return number;
    throw this.#wrong(name, value, 'a number');
  }

  number(name: string): number {
    return this.optionalNumber(name) ?? this.#missing(name);
  }

  flag(name: string): boolean {
    const value = this.raw(name);
    if (value === undefined || typeof value === 'boolean') return value ?? false;
    if (value === 'true' || value === 'false') return value === 'true';
    throw this.#wrong(name, value, 'true or false');
  }

  list(name: string): readonly Json[] {
    const value = this.raw(name) ?? [];
    if (Array.isArray(value)) return value;
    throw this.#wrong(name, value, 'a list');
  }

  texts(name: string): readonly string[] {
    return this.list(name).map(String);
  }

  optionalObject(name: string): PropertyReader | undefined {
    const value = this.raw(name);
    return value === undefined ? undefined : this.#nest(name, value);
  }

  object(name: string): PropertyReader {
    return this.optionalObject(name) ?? this.#missing(name);
  }

  objects(name: string): readonly PropertyReader[] {
    return this.list(name).map((value, index) => this.#nest(`${name}[${index}]`, value));
  }

  /** Properties that change nothing on one machine (tags, encryption, backups, log formats). */
  ignore(...names: readonly string[]): void {
    for (const name of names) this.#read.add(name);
  }

  /** @throws TemplateError when the template holds a property nobody read or ignored. */
  done(): void {
    const unread = Object.keys(this.#properties).filter((name) => !this.#read.has(name));
    if (unread.length > 0) {
      throw new TemplateError(`${this.where}: ${unread.join(', ')} is not acted upon locally; handle or ignore it`);
    }
    for (const nested of this.#nested) nested.done();
  }

  #nest(name: string, value: Json): PropertyReader {
    if (!isObject(value)) throw this.#wrong(name, value, 'an object');
    const reader = new PropertyReader(`${this.where}.${name}`, value);
    this.#nested.push(reader);
    return reader;
  }

  #missing(name: string): never {
    throw new TemplateError(`${this.where}: ${name} is missing`);
  }

  #wrong(name: string, value: Json, expected: string): TemplateError {
    return new TemplateError(`${this.where}.${name}: got ${describe(value)}, expected ${expected}`);
  }
}
