import * as z from 'zod';
import type { EstimateAnswer, EstimateRequest } from '../estimate-api.ts';

/** A worked example of another system. Values are decimal strings, lists and maps of them; which ones depends on the model. */
const vectorSchema = z.looseObject({
  id: z.string(),
  model: z.string(),
  properties: z.unknown(),
  usage: z.unknown(),
  expected: z.record(z.string(), z.unknown()),
});
export type Vector = z.output<typeof vectorSchema>;

export const vectorsSchema = z.array(vectorSchema);

/** Estimates that must give what a vector expects. */
export interface Reproduction {
  readonly kind: 'reproduced';
  /** The option that stands for the other system's rule; absent where the plain model does. */
  readonly option?: string;
  readonly requests: readonly EstimateRequest[];
  /** The members of `expected` that the answers show, as they give them. At least one; the others are listed as not shown. */
  read(answers: readonly EstimateAnswer[]): Readonly<Record<string, unknown>>;
}

export type Treatment =
  | Reproduction
  /** Belongs to a capability that is not built yet. */
  | { readonly kind: 'later'; readonly capability: string }
  /** Differs because of a ruling of ours. */
  | { readonly kind: 'differs'; readonly ruling: string };

export type Mapper = (vector: Vector) => Treatment;

export const later =
  (capability: string): Mapper =>
  () => ({ kind: 'later', capability });
export const differs = (ruling: string): Treatment => ({ kind: 'differs', ruling });

/** A member of a vector's part as text; throws where it is something else, so that a mapper never guesses. */
export function text(part: unknown, name: string): string {
  const value = member(part, name);
  if (typeof value === 'string') return value;
  throw new TypeError(`${name} is ${JSON.stringify(value)}, not text`);
}

/** As `text`, null where it is missing or null. */
export function textOrNull(part: unknown, name: string): string | null {
  const value = member(part, name);
  return value === null || value === undefined ? null : text(part, name);
}

export function list(part: unknown, name: string): readonly unknown[] {
  const value = member(part, name);
  if (Array.isArray(value)) return value;
  throw new TypeError(`${name} is ${JSON.stringify(value)}, not a list`);
}

export function texts(part: unknown, name: string): readonly string[] {
  return list(part, name).map(String);
}

export function member(part: unknown, name: string): unknown {
  if (typeof part !== 'object' || part === null) throw new TypeError(`there is no ${name} in ${JSON.stringify(part)}`);
  return (part as Record<string, unknown>)[name];
}
