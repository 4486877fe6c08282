import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { ServiceError, ServiceName, ServiceResponse } from './backend.ts';

/**
 * The wire: which service, operation and access key a request names, and how each service writes an error, so that the SDK
 * raises the exception it would raise on AWS. Does not own: whether the caller may (authorizer.ts).
 */
export interface Address {
  /** The service of the credential scope, such as `dynamodb`; null when the request is not signed. */
  readonly service: string | null;
  readonly accessKeyId: string | null;
}

const SERVICES: ReadonlySet<string> = new Set([
  'dynamodb',
  'sqs',
  's3',
  'events',
  'states',
  'secretsmanager',
  'lambda',
  'scheduler',
] satisfies ServiceName[]);

export function isService(name: string): name is ServiceName {
  return SERVICES.has(name);
}

/** Reads the credential scope of the Authorization header, or of a presigned URL. */
export function addressOf(headers: IncomingHttpHeaders, url: string): Address {
  const header = /^AWS4-HMAC-SHA256 Credential=([^,\s]+)/.exec(headers.authorization ?? '')?.[1];
  const query = url.includes('X-Amz-Credential=')
    ? new URLSearchParams(url.split('?')[1]).get('X-Amz-Credential')
    : null;
  const scope = (header ?? query ?? '').split('/');
  if (scope.length !== 5) return { service: null, accessKeyId: null };
  return { service: scope[3] ?? null, accessKeyId: scope[0] ?? null };
}

/** The operation a request asks for; a name that no table of actions knows when it cannot be told. */
export function operationOf(service: ServiceName, method: string, url: string, headers: IncomingHttpHeaders): string {
  if (service === 's3') return s3Operation(method, url, headers);
  if (service === 'lambda') {
    return method === 'POST' && /^\/2015-03-31\/functions\/[^/]+\/invocations/.test(url)
      ? 'Invoke'
      : `${method} ${url}`;
  }
  if (service === 'scheduler') {
    return method === 'GET' && /^\/schedules\/[^/]+/.test(url) ? 'GetSchedule' : `${method} ${url}`;
  }
  const target = headers['x-amz-target'];
  return typeof target === 'string' ? (target.split('.').pop() ?? '') : 'unknown';
}

/** Parameters that only refine an object call; any other names a sub-resource (`?acl`), which is another operation. */
const S3_REFINEMENTS = new Set(['x-id', 'versionId', 'partNumber']);

function s3Operation(method: string, url: string, headers: IncomingHttpHeaders): string {
  const [path = '/', query = ''] = url.split('?', 2);
  const parameters = [...new URLSearchParams(query).keys()].filter(
    (name) => !S3_REFINEMENTS.has(name) && !name.startsWith('X-Amz-') && !name.startsWith('response-'),
  );
  const isObject = /^\/[^/]+\/./.test(path);
  const unknown = `${method} ${url}`;
  if (isObject) {
    if (parameters.length > 0 || headers['x-amz-copy-source'] !== undefined) return unknown;
    const operations: Record<string, string> = {
      GET: 'GetObject',
      PUT: 'PutObject',
      HEAD: 'HeadObject',
      DELETE: 'DeleteObject',
    };
    return operations[method] ?? unknown;
  }
  if (path === '/') return unknown;
  if (method === 'GET' && new URLSearchParams(query).get('list-type') === '2') return 'ListObjectsV2';
  if (parameters.length > 0) return unknown;
  if (method === 'HEAD') return 'HeadBucket';
  return method === 'PUT' ? 'CreateBucket' : unknown;
}

/** An error in the service's own shape. `service` null: the request did not say which, so it is written as S3 does. */
export function errorResponse(service: string | null, error: ServiceError, isHead = false): ServiceResponse {
  const requestId = randomUUID();
  if (service === 's3' || service === null) {
    const body =
      '<?xml version="1.0" encoding="UTF-8"?>\n<Error>' +
      `<Code>${escapeXml(error.code)}</Code><Message>${escapeXml(error.message)}</Message>` +
      `<RequestId>${requestId}</RequestId></Error>`;
    const headers = { 'content-type': 'application/xml', 'x-amz-request-id': requestId };
    return { status: error.status, headers, body: isHead ? '' : body };
  }
  const rest = service === 'lambda' || service === 'scheduler';
  return {
    status: error.status,
    headers: {
      'content-type': rest ? 'application/json' : 'application/x-amz-json-1.0',
      'x-amzn-requestid': requestId,
      ...(rest ? { 'x-amzn-errortype': error.code } : {}),
    },
    body: JSON.stringify({
      ...(rest ? { Message: error.message } : { __type: `com.amazonaws.${service}#${error.code}` }),
      message: error.message,
      ...error.more,
    }),
  };
}

/** Text inside XML. */
export function escapeXml(text: string): string {
  const names: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };
  return text.replace(/[&<>"']/g, (sign) => names[sign] ?? sign);
}
