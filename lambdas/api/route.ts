import type { Context } from 'aws-lambda';
import type { z } from 'zod';
import type { Scope } from '../../core/accounts/api-key.ts';
import type { PageRequest } from '../../core/accounts/ports.ts';
import type { ProjectId } from '../../core/ids.ts';
import type { Principal } from '../shared/authenticate.ts';
import type { HttpAnswer } from '../shared/problem.ts';

/** A request that has been authenticated and whose query and body hold what the route's schemas say. */
export interface RouteRequest<Q = unknown, B = unknown> {
  readonly principal: Principal;
  readonly project: ProjectId;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Q;
  readonly body: B;
  readonly idempotencyKey: string | undefined;
  readonly context: Context;
}

/** What the OpenAPI document says about a route. Schemas are written in camelCase and printed in snake_case. */
export interface RouteDocs {
  readonly summary: string;
  readonly description?: string;
  readonly tag: string;
  /** Answers by status; null for one without a described body. */
  readonly answers: Readonly<Record<number, z.ZodType | null>>;
  /** Codes of errors besides those every route has. */
  readonly errors?: readonly string[];
  /** A body as a caller would send it (snake_case). */
  readonly example?: unknown;
  /** Several of them, by name, instead. */
  readonly examples?: Readonly<Record<string, { readonly summary: string; readonly value: unknown }>>;
  /** The body's schema when the operation itself holds the body to its rules. */
  readonly bodyShown?: z.ZodType;
  /** The body is taken as the bytes it is: none of the errors of reading JSON can be the answer. */
  readonly isBodyRaw?: boolean;
  /** Headers the operation needs, and what they hold. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Route<Q = unknown, B = unknown> {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** Such as `/v1/meters/{key}`. */
  readonly path: string;
  /** Null: open to everybody. */
  readonly scope: Scope | null;
  readonly query?: z.ZodType<Q>;
  readonly body?: z.ZodType<B>;
  /** Whether it makes something, so that `Idempotency-Key` is honoured. */
  readonly isCreating?: boolean;
  /** What of an answer may be kept for repetitions; absent: all of it. */
  readonly kept?: (answer: HttpAnswer) => HttpAnswer;
  readonly docs: RouteDocs;
  handle(request: RouteRequest<Q, B>): Promise<HttpAnswer>;
}

/** Ties the types of a route's schemas to its handler, and then forgets them for the router's list. */
export function route<Q = unknown, B = unknown>(definition: Route<Q, B>): Route {
  return definition as Route;
}

/** The page a list request asks for: 50 entries unless told. */
export function pageOf(query: {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}): PageRequest {
  return { limit: query.limit ?? 50, cursor: query.cursor };
}
