import { STATUS_CODES } from 'node:http';
import type { BillingError } from '../../core/errors.ts';
import { httpStatusOf, toBillingError } from './error-map.ts';

/** An answer of an HTTP API with payload format 2.0. */
export interface HttpAnswer {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
};

/** How many faults one answer lists; the count of the rest is told. */
const FAULTS_SHOWN = 100;

/** The members of a problem document (RFC 9457). `field`, `got` and `expected` repeat the first fault. */
export interface Problem {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly field?: string;
  readonly got?: string;
  readonly expected?: string;
  readonly faults?: readonly object[];
  readonly faults_left_out?: number;
  readonly context?: object;
  readonly request_id?: string;
}

/** The problem document of an error. Causes and stacks never get in; `context` does, so it holds nothing secret. */
export function problemOf(error: BillingError, requestId?: string): Problem {
  const status = httpStatusOf(error);
  const first = error.faults[0];
  return {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    code: error.code,
    detail: error.message,
    ...(first && { field: first.field }),
    ...(first?.got !== undefined && { got: first.got }),
    ...(first?.expected !== undefined && { expected: first.expected }),
    ...(error.faults.length > 0 && { faults: error.faults.slice(0, FAULTS_SHOWN) }),
    ...(error.faults.length > FAULTS_SHOWN && { faults_left_out: error.faults.length - FAULTS_SHOWN }),
    ...(Object.keys(error.context).length > 0 && error.kind !== 'invariant-broken' && { context: error.context }),
    ...(requestId !== undefined && { request_id: requestId }),
  };
}

/** The `application/problem+json` answer to any thrown value. */
export function problemAnswer(thrown: unknown, requestId?: string): HttpAnswer {
  const error = toBillingError(thrown);
  const problem = problemOf(error, requestId);
  return {
    statusCode: problem.status,
    headers: {
      'content-type': 'application/problem+json',
      ...SECURITY_HEADERS,
      ...(problem.status === 401 && { 'www-authenticate': challengeOf(error.code) }),
      ...(problem.status === 503 && { 'retry-after': '1' }),
      ...(problem.status === 429 && { 'retry-after': String(error.context.retry_after_seconds ?? 1) }),
      ...(problem.status === 405 && typeof error.context.allow === 'string' && { allow: error.context.allow }),
      ...(requestId !== undefined && { 'x-request-id': requestId }),
    },
    body: JSON.stringify(problem),
  };
}

/** RFC 6750: a request without any credential gets a bare challenge, one with a bad credential the error `invalid_token`. */
function challengeOf(code: string): string {
  const realm = 'Bearer realm="countinghouse"';
  return code === 'api_key_missing' ? realm : `${realm}, error="invalid_token"`;
}
