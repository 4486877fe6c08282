import type { IncomingHttpHeaders } from 'node:http';

/**
 * The seam between the gateway and the local parts behind it: a request whose caller is known and allowed, and the answer.
 *
 * Owns: the shapes, the error a part throws (the gateway writes it in the protocol of the service, so that the SDK raises
 * its own exception), and the helper for services that speak JSON with X-Amz-Target. Does not own any service.
 */
export type ServiceName = 'dynamodb' | 'sqs' | 's3' | 'events' | 'states' | 'secretsmanager' | 'lambda' | 'scheduler';

/** Who calls: a function's role, the state machine's role, a schedule's role, or the local runner itself. */
export interface Caller {
  readonly name: string;
  /** Role ARN, `arn:aws:iam::000000000000:role/NAME`. */
  readonly arn: string;
}

export interface ServiceRequest {
  readonly method: string;
  /** Path and query as they came, percent-encoded. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly caller: Caller;
  /** The API operation, such as `PutItem`; for REST services as the gateway derived it. */
  readonly operation: string;
}

export interface ServiceResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Buffer | string;
}

export type Backend = (request: ServiceRequest) => Promise<ServiceResponse>;

/** A failure that the caller shall see as the service's own exception of that name. */
export class ServiceError extends Error {
  readonly code: string;
  readonly status: number;
  /** More members of a JSON error, such as CancellationReasons. */
  readonly more: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, status = 400, more: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.name = 'ServiceError';
    this.code = code;
    this.status = status;
    this.more = more;
  }
}

/** What a JSON operation gets: the parsed input and who asks. */
export type JsonOperation = (input: Readonly<Record<string, unknown>>, caller: Caller) => unknown;

/** A backend out of functions by operation name, for services that speak JSON. An operation that is not there is refused. */
export function jsonBackend(operations: Readonly<Record<string, JsonOperation>>): Backend {
  return async (request) => {
    const operation = Object.hasOwn(operations, request.operation) ? operations[request.operation] : undefined;
    if (operation === undefined) {
      throw new ServiceError('UnknownOperationException', `The local part does not have ${request.operation}.`);
    }
    const output = await operation(parsedInput(request.body), request.caller);
    return {
      status: 200,
      headers: { 'content-type': request.headers['content-type'] ?? 'application/x-amz-json-1.1' },
      body: JSON.stringify(output ?? {}),
    };
  };
}

function parsedInput(body: Buffer): Record<string, unknown> {
  try {
    const input: unknown = body.length === 0 ? {} : JSON.parse(body.toString());
    if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input as Record<string, unknown>;
  } catch {
    // Refused below, like any other body that is not an object.
  }
  throw new ServiceError('SerializationException', 'The body is not a JSON object.');
}

/** A member of an input that must be a text. Throws ValidationException when it is not. */
export function textOf(input: Readonly<Record<string, unknown>>, name: string): string {
  const value = input[name];
  if (typeof value === 'string' && value !== '') return value;
  throw new ServiceError('ValidationException', `${name} must be a text that is not empty.`);
}
