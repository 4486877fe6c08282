import type { Journal } from './journal.ts';
import type { Params } from './params.ts';

export const API_VERSION = '2026-10-28.endive';

/** One request on its way through a handler. */
export interface Call {
  readonly journal: Journal;
  /** Seconds since the epoch, by the injected clock. */
  readonly now: number;
  readonly params: Params;
  /** The ids in the path, such as `id`. */
  readonly path: Readonly<Record<string, string>>;
  /** A fresh id such as `in_00000000000042`. */
  newId(prefix: string): string;
  /** Records an event about `object` as it is now; it is delivered after the request is committed. */
  emit(type: string, object: unknown): void;
}

export type Handler = (call: Call) => unknown;

export type Metadata = Record<string, string>;

/** Metadata after a request: given keys replace, empty values remove, null clears all. */
export function mergedMetadata(old: Metadata, given: Params[string]): Metadata {
  if (given === undefined) return old;
  if (given === null) return {};
  const merged = { ...old };
  for (const [key, value] of Object.entries(given as Record<string, string>)) {
    if (value === '') delete merged[key];
    else merged[key] = value;
  }
  return merged;
}

/** A text parameter, or null when it was cleared or not given. */
export function textOf(params: Params, name: string): string | null {
  const value = params[name];
  return typeof value === 'string' ? value : null;
}

export function numberOf(params: Params, name: string): number | null {
  const value = params[name];
  return typeof value === 'number' ? value : null;
}

/** `given` when the parameter was sent (null when it was sent empty), else what was there before. */
export function textOr(params: Params, name: string, before: string | null): string | null {
  return params[name] === undefined ? before : textOf(params, name);
}
