/** CORS as API Gateway does it: preflights are answered here, and the function's own CORS headers are replaced. */
import type { IncomingHttpHeaders } from 'node:http';
import type { CorsModel } from '../template/model.ts';
import type { HttpAnswer } from './response-mapping.ts';

export function isPreflight(method: string, headers: IncomingHttpHeaders): boolean {
  return method === 'OPTIONS' && headers.origin !== undefined && headers['access-control-request-method'] !== undefined;
}

/** The answer to a preflight; without CORS headers when the origin, the method or a header is not allowed. */
export function preflightAnswer(cors: CorsModel, headers: IncomingHttpHeaders): HttpAnswer {
  const method = String(headers['access-control-request-method'] ?? '');
  const asked = String(headers['access-control-request-headers'] ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const isAllowed =
    (cors.methods.includes('*') || cors.methods.includes(method)) &&
    (cors.headers.includes('*') || asked.every((name) => cors.headers.includes(name)));
  const origin = isAllowed ? originHeaders(cors, headers.origin) : {};
  const details: Record<string, string> = {};
  if ('access-control-allow-origin' in origin) {
    details['access-control-allow-methods'] = cors.methods.join(',');
    if (cors.headers.length > 0) details['access-control-allow-headers'] = cors.headers.join(',');
    if (cors.maxAgeSeconds !== undefined) details['access-control-max-age'] = String(cors.maxAgeSeconds);
  }
  return { status: 204, headers: { ...origin, ...details }, body: Buffer.alloc(0) };
}

/** The function's answer with API Gateway's CORS headers in place of its own. */
export function withCors(answer: HttpAnswer, cors: CorsModel, headers: IncomingHttpHeaders): HttpAnswer {
  const kept = Object.entries(answer.headers).filter(([name]) => !name.startsWith('access-control-'));
  const own = originHeaders(cors, headers.origin);
  const exposed: Record<string, string> =
    'access-control-allow-origin' in own && cors.exposed.length > 0
      ? { 'access-control-expose-headers': cors.exposed.join(',') }
      : {};
  return { ...answer, headers: { ...Object.fromEntries(kept), ...own, ...exposed } };
}

function originHeaders(cors: CorsModel, origin: string | undefined): Record<string, string> {
  if (origin === undefined) return {};
  const isAny = cors.origins.includes('*');
  if (!isAny && !cors.origins.includes(origin)) return {};
  return {
    'access-control-allow-origin': isAny ? '*' : origin,
    ...(isAny ? {} : { vary: 'Origin' }),
    ...(cors.allowsCredentials ? { 'access-control-allow-credentials': 'true' } : {}),
  };
}
