import type { z } from 'zod';
import type { Fault } from './errors.ts';

/**
 * Turns what a schema says about an input into faults with the caller's field names. Core speaks camelCase and the wire
 * snake_case, so paths are written back in snake_case, except below maps whose keys are the caller's own words.
 */
const OPAQUE_MAPS = new Set(['filter', 'metadata', 'properties', 'dimensions', 'dimensionExpressions', 'match']);

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** All faults of a failed parse; `input` is the value that was parsed, `at` the path where it stands in the caller's body. */
export function faultsOf(error: z.ZodError, input: unknown, at: Path = []): Fault[] {
  return error.issues.flatMap((issue) => faultsOfIssue(issue, input, at));
}

/** The path as the caller wrote it: `charges[2].price.tiers[1].up_to`; `body` for the whole input. */
export function wirePath(path: Path): string {
  let text = '';
  let isOpaque = false;
  for (const part of path) {
    if (typeof part === 'number') {
      text += `[${part}]`;
      continue;
    }
    const name = String(part);
    const shown = isOpaque ? name : name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    text += text === '' ? shown : `.${shown}`;
    isOpaque ||= OPAQUE_MAPS.has(name);
  }
  return text === '' ? 'body' : text;
}

/** A short rendering of what stood in a field: strings quoted, at most 64 characters. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = typeof value === 'string' ? JSON.stringify(value) : `${typeof value} ${String(value)}`;
  return value === null ? 'null' : text.length > 64 ? `${text.slice(0, 61)}...` : text;
}

function faultsOfIssue(issue: Issue, input: unknown, at: Path): Fault[] {
  const path = [...at, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      field: wirePath([...path, key]),
      code: 'unknown_field',
      detail: 'This field does not exist here; remove it or correct its name.',
    }));
  }
  const value = valueAt(input, issue.path);
  const expected = expectedOf(issue);
  return [
    {
      field: wirePath(path),
      code: codeOf(issue, value),
      detail: `Got ${shown(value)}; expected ${expected}.`,
      got: shown(value),
      expected,
    },
  ];
}

function codeOf(issue: Issue, value: unknown): string {
  if (value === undefined) return 'missing';
  if (issue.code === 'custom' && typeof issue.params?.code === 'string') return issue.params.code;
  if (issue.code === 'invalid_type') return 'wrong_type';
  if (issue.code === 'invalid_union')
    return issue.errors.length > 0 && typeof value !== 'string' ? 'wrong_type' : 'not_allowed';
  if (issue.code === 'invalid_value') return 'not_allowed';
  if (issue.code === 'too_small') return 'too_small';
  if (issue.code === 'too_big') return 'too_big';
  return 'invalid_format';
}

function expectedOf(issue: Issue): string {
  if (issue.message.startsWith('expected ')) return issue.message.slice('expected '.length);
  if (issue.code === 'invalid_type') return issue.expected;
  if (issue.code === 'invalid_value') return `one of ${issue.values.map(String).join(', ')}`;
  if (issue.code === 'invalid_union' && 'options' in issue)
    return `one of ${(issue.options as unknown[]).map(String).join(', ')}`;
  if (issue.code === 'too_small') return `at least ${issue.minimum} (${issue.origin})`;
  if (issue.code === 'too_big') return `at most ${issue.maximum} (${issue.origin})`;
  return issue.message;
}

function valueAt(input: unknown, path: Path): unknown {
  let value = input;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[part];
  }
  return value;
}
