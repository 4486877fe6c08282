import { STATUS_CODES } from 'node:http';
import * as z from 'zod';
import { snakeCase } from '../../shared/wire-json.ts';
import type { Route } from '../route.ts';
import { ERROR_CODES, statusOfCode } from './error-codes.ts';

/** The OpenAPI 3.1 document, from the schemas that validate requests. */
type Json = Readonly<Record<string, unknown>>;

const EVERYWHERE = ['route_not_found', 'method_not_allowed', 'internal_error', 'service_unavailable'];
const WITH_KEY = [
  'api_key_missing',
  'api_key_invalid',
  'api_key_revoked',
  'api_key_expired',
  'scope_missing',
  'rate_limited',
];
const WITH_BODY = [
  'invalid_json',
  'unknown_field',
  'body_invalid',
  'body_too_large',
  'body_unreadable',
  'content_encoding_unknown',
];
const WITH_IDEMPOTENCY = ['idempotency_key_invalid', 'idempotency_key_reused', 'idempotency_in_progress'];

export function openApiDocument(routes: readonly Route[]): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operationOf(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Countinghouse',
      version: '1',
      description:
        'Usage-based billing. Quantities and amounts are exact decimal strings; times are RFC 3339 in UTC. Errors are problem documents (RFC 9457) with a stable `code`.',
    },
    security: [{ bearer: [] }, { apiKey: [] }],
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'Authorization: Bearer <API key>' },
        apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key' },
      },
      schemas: { Problem: problemSchema() },
    },
  };
}

function operationOf(route: Route): Json {
  const { docs, scope } = route;
  const body = route.body ?? docs.bodyShown;
  return {
    operationId: operationIdOf(route),
    tags: [docs.tag],
    summary: docs.summary,
    description: [docs.description, scope === null ? 'Needs no key.' : `Needs the scope \`${scope}\`.`]
      .filter((part) => part !== undefined)
      .join('\n\n'),
    ...(scope === null && { security: [] }),
    parameters: [...pathParameters(route), ...queryParameters(route), ...headerParameters(route)],
    ...(body && {
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: wireSchema(body, 'input'),
            ...(docs.example !== undefined && { example: docs.example }),
            ...(docs.examples && { examples: docs.examples }),
          },
        },
      },
    }),
    responses: { ...answersOf(route), ...errorsOf(route) },
  };
}

function operationIdOf({ method, path }: Route): string {
  return `${method.toLowerCase()}_${path.replace(/^\/(v1\/)?/, '').replace(/[^a-z0-9]+/gi, '_')}`.replace(/_+$/, '');
}

function pathParameters({ path }: Route): Json[] {
  return [...path.matchAll(/\{([a-z_]+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
}

function queryParameters(route: Route): Json[] {
  if (!route.query) return [];
  const schema = wireSchema(route.query, 'input');
  const required = Array.isArray(schema.required) ? schema.required : [];
  return Object.entries((schema.properties ?? {}) as Json).map(([name, property]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema: property,
  }));
}

function headerParameters(route: Route): Json[] {
  const named = Object.entries(route.docs.headers ?? {}).map(([name, description]) => ({
    name,
    in: 'header',
    required: true,
    description,
    schema: { type: 'string' },
  }));
  if (!route.isCreating) return named;
  const description =
    'Optional, 1 to 255 printable characters. The same key with the same request answers what the first one was answered, for a day; with another request it is refused.';
  const key = { name: 'Idempotency-Key', in: 'header', required: false, description, schema: { type: 'string' } };
  return [...named, key];
}

function answersOf({ docs }: Route): Json {
  const entries = Object.entries(docs.answers).map(([status, schema]) => [
    status,
    {
      description: STATUS_CODES[status] ?? 'OK',
      ...(schema && { content: { 'application/json': { schema: wireSchema(schema, 'output') } } }),
    },
  ]);
  return Object.fromEntries(entries);
}

/** Every code the route can answer with, by status. */
export function errorCodesOf(route: Route): readonly string[] {
  const { bodyShown, isBodyRaw = false } = route.docs;
  const takesBody = (route.body !== undefined || bodyShown !== undefined) && !isBodyRaw;
  return [
    ...(route.docs.errors ?? []),
    ...(route.scope === null ? [] : WITH_KEY),
    ...(takesBody ? WITH_BODY : []),
    ...(route.method === 'GET' ? ['query_invalid'] : []),
    ...(route.isCreating ? WITH_IDEMPOTENCY : []),
    ...EVERYWHERE,
  ];
}

function errorsOf(route: Route): Json {
  const byStatus = Object.groupBy(errorCodesOf(route), (code) => String(statusOfCode(code)));
  const entries = Object.entries(byStatus).map(([status, codes = []]) => [
    status,
    {
      description: codes.map((code) => `\`${code}\`: ${ERROR_CODES[code]?.meaning ?? code}`).join('\n\n'),
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    },
  ]);
  return Object.fromEntries(entries);
}

/** A schema as JSON Schema with the field names of the wire. */
export function wireSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _dialect, ...json } = z.toJSONSchema(schema, { io, unrepresentable: 'any', reused: 'inline' });
  return snaked(json) as Json;
}

/** Property names, and nothing else, become snake_case; opaque maps have none. */
function snaked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snaked);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([keyword, member]) => {
      if (keyword === 'properties') return [keyword, renamed(member as Json)];
      if (keyword === 'required' && Array.isArray(member))
        return [keyword, member.map((name) => snakeCase(String(name)))];
      return [keyword, keyword === 'enum' || keyword === 'const' || keyword === 'default' ? member : snaked(member)];
    }),
  );
}

function renamed(properties: Json): Json {
  return Object.fromEntries(Object.entries(properties).map(([name, schema]) => [snakeCase(name), snaked(schema)]));
}

function problemSchema(): Json {
  const text = { type: 'string' };
  const fault = { field: text, code: text, detail: text, got: text, expected: text };
  return {
    type: 'object',
    required: ['type', 'title', 'status', 'code', 'detail'],
    properties: {
      type: text,
      title: text,
      status: { type: 'integer' },
      code: { ...text, enum: Object.keys(ERROR_CODES) },
      detail: { ...text, description: 'What was got, what was expected, what to do.' },
      field: { ...text, description: 'The first fault: JSON path of the field as the caller wrote it.' },
      got: text,
      expected: text,
      faults: { type: 'array', items: { type: 'object', required: ['field', 'code', 'detail'], properties: fault } },
      faults_left_out: { type: 'integer' },
      context: { type: 'object' },
      request_id: text,
    },
  };
}
