/** The event an HTTP API hands to a function: payload format 2.0. */
import type { IncomingHttpHeaders } from 'node:http';
import type { HttpApiModel } from '../template/model.ts';
import type { RouteMatch } from './route-matching.ts';

export interface HttpRequest {
  readonly method: string;
  /** As on the request line, with the query. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly sourceIp: string;
}

/** Path of a request, decoded, and its query string as it was sent. An undecodable path stays as it is. */
export function splitTarget(target: string): { readonly path: string; readonly query: string } {
  const mark = target.indexOf('?');
  const raw = mark === -1 ? target : target.slice(0, mark);
  const query = mark === -1 ? '' : target.slice(mark + 1);
  try {
    return { path: decodeURIComponent(raw), query };
  } catch {
    return { path: raw, query };
  }
}

export interface EventInput {
  readonly api: HttpApiModel;
  readonly request: HttpRequest;
  readonly match: RouteMatch;
  readonly requestId: string;
  /** Local time, ms since the epoch. */
  readonly now: number;
}

/** API Gateway v2 event, payload format 2.0. */
export function requestEvent({ api, request, match, requestId, now }: EventInput): object {
  const { path, query } = splitTarget(request.target);
  const { cookie, ...others } = request.headers;
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(others)) headers[name] = [value ?? ''].flat().join(',');
  const parameters = queryParameters(query);
  return {
    version: '2.0',
    routeKey: match.route.routeKey,
    rawPath: path,
    rawQueryString: query,
    ...(cookie === undefined ? {} : { cookies: cookie.split(/;\s*/) }),
    headers,
    ...(parameters === undefined ? {} : { queryStringParameters: parameters }),
    requestContext: {
      accountId: api.executeArn.split(':')[4],
      apiId: api.id,
      domainName: headers.host ?? '127.0.0.1',
      domainPrefix: api.id,
      http: {
        method: request.method,
        path,
        protocol: 'HTTP/1.1',
        sourceIp: request.sourceIp,
        userAgent: headers['user-agent'] ?? '',
      },
      requestId,
      routeKey: match.route.routeKey,
      stage: api.stage,
      time: commonLogTime(now),
      timeEpoch: now,
    },
    ...(match.pathParameters === undefined ? {} : { pathParameters: match.pathParameters }),
    ...bodyOf(request),
  };
}

/** Only these arrive as text; everything else, a missing content type included, is base64. */
const TEXT_TYPES = /^(text\/|application\/(json|xml|javascript)\s*(;|$))/i;

function bodyOf({ headers, body }: HttpRequest): { body?: string; isBase64Encoded: boolean } {
  if (body.length === 0) return { isBase64Encoded: false };
  const text = TEXT_TYPES.test(headers['content-type'] ?? '') ? utf8(body) : undefined;
  return text === undefined
    ? { body: body.toString('base64'), isBase64Encoded: true }
    : { body: text, isBase64Encoded: false };
}

/** Bytes that are no text (gzip under a JSON content type) cannot stand in a JSON event but as base64. */
function utf8(body: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    return undefined;
  }
}

/** A repeated parameter's values are joined by commas. */
function queryParameters(query: string): Record<string, string> | undefined {
  if (query === '') return undefined;
  const values: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(query)) {
    const before = values[name];
    values[name] = before === undefined ? value : `${before},${value}`;
  }
  return values;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `21/Nov/2026:03:29:15 +0000`. */
function commonLogTime(now: number): string {
  const iso = new Date(now).toISOString();
  return `${iso.slice(8, 10)}/${MONTHS[Number(iso.slice(5, 7)) - 1]}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
}
