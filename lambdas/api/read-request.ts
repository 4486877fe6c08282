import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { z } from 'zod';
import { faulty } from '../../core/errors.ts';
import { faultsOf } from '../../core/schema-faults.ts';
import { readText } from '../shared/body.ts';
import { camelCase, fromWire, parseJson } from '../shared/wire-json.ts';
import type { Route } from './route.ts';

/** The query as the route's schema gives it. Throws `query_invalid` with every fault; unknown parameters are faults. */
export function readQuery(event: APIGatewayProxyEventV2, route: Route): unknown {
  const given = Object.entries(parametersOf(event));
  const query = Object.fromEntries(given.map(([name, value]) => [camelCase(name), value]));
  if (route.query === undefined) return given.length === 0 ? {} : refuseUnknown(given.map(([name]) => name));
  return checked(route.query, query, 'query_invalid', 'The query');
}

/** As sent; one that is repeated as a list, which API Gateway would join by commas that its values may hold too. */
function parametersOf(event: APIGatewayProxyEventV2): Record<string, string | string[]> {
  const raw = new URLSearchParams(event.rawQueryString);
  const joined: Record<string, string | undefined> = event.queryStringParameters ?? {};
  const entries = Object.entries(joined).map(([name, value = '']) => {
    const values = raw.getAll(name);
    return [name, values.length > 1 ? values : value] as const;
  });
  return Object.fromEntries(entries);
}

/** The body as the route's schema gives it, and its text. Throws `invalid_json` or `body_invalid` with every fault. */
export function readBodyOf(event: APIGatewayProxyEventV2, route: Route): { body: unknown; text: string } {
  if (route.method === 'GET') return { body: undefined, text: '' };
  const text = readText(event);
  const takesBody = route.body !== undefined || route.docs.bodyShown !== undefined;
  if (!takesBody || (text.trim() === '' && route.body?.safeParse({}).success === true)) {
    return { body: route.body?.parse({}) ?? {}, text };
  }
  const body = fromWire(parseJson(text));
  return { body: route.body === undefined ? body : checked(route.body, body, 'body_invalid', 'The body'), text };
}

function checked(schema: z.ZodType, input: unknown, code: string, subject: string): unknown {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const faults = faultsOf(parsed.error, input);
  throw faulty(code, subject, faults);
}

function refuseUnknown(names: readonly string[]): never {
  const detail = 'This route takes no query parameters; remove it.';
  const faults = names.map((field) => ({ field, code: 'unknown_field', detail }));
  throw faulty('query_invalid', 'The query', faults);
}
