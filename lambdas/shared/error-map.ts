import { BillingError, type ErrorKind } from '../../core/errors.ts';

/**
 * The only place that turns an error into what the world sees: an HTTP status, a decision about a batch item, the error
 * name a state machine can catch. Everything else throws `BillingError` and does not think about it.
 */
const STATUS_OF_KIND: Readonly<Record<ErrorKind, number>> = {
  invalid: 400,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  'not-ready': 503,
  provider: 502,
  'invariant-broken': 500,
};

/** Codes for which HTTP has a more exact word than their kind has. */
const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  api_key_missing: 401,
  api_key_invalid: 401,
  api_key_revoked: 401,
  api_key_expired: 401,
  method_not_allowed: 405,
  body_too_large: 413,
  content_encoding_unknown: 415,
  idempotency_key_reused: 422,
  idempotency_in_progress: 409,
  rate_limited: 429,
};

/** Names of SDK and Node errors that say: the other side was busy or unreachable, the same call may succeed later. */
const TRANSIENT_NAMES: ReadonlySet<string> = new Set([
  'ThrottlingException',
  'Throttling',
  'TooManyRequestsException',
  'RequestThrottled',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'InternalServerError',
  'InternalServiceError',
  'ServiceUnavailable',
  'TransactionInProgressException',
  'TimeoutError',
  'RequestTimeout',
  'SlowDown',
]);
const TRANSIENT_CODES: ReadonlySet<string> = new Set(['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND']);

function isTransient(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return TRANSIENT_NAMES.has(error.name) || TRANSIENT_CODES.has(code);
}

/**
 * Any thrown value as a `BillingError`. A named failure stays itself; a throttled or unreachable AWS service becomes
 * `service_unavailable` (retryable); everything else is a defect, `internal_error`, whose text never reaches a client.
 */
export function toBillingError(error: unknown): BillingError {
  if (error instanceof BillingError) return error;
  if (isTransient(error)) {
    return new BillingError({
      kind: 'not-ready',
      code: 'service_unavailable',
      message: 'A service this request needs is busy or unreachable. Send the same request again in a moment.',
      cause: error,
    });
  }
  return new BillingError({
    kind: 'invariant-broken',
    code: 'internal_error',
    message:
      'Something went wrong on our side; nothing the request said caused it. The request id finds it in the logs.',
    cause: error,
  });
}

/** The HTTP status of an error: 400 to 503. */
export function httpStatusOf(error: BillingError): number {
  return STATUS_OF_CODE[error.code] ?? STATUS_OF_KIND[error.kind];
}

export type BatchVerdict = 'try-again' | 'give-up';

/**
 * What becomes of a queue message or stream record that failed: `try-again` answers it as a batch item failure, so that it
 * comes back and at last reaches its dead-letter queue; `give-up` is for what no repetition can change and is therefore
 * parked or dropped by the handler that asked.
 */
export function batchVerdictOf(error: unknown): BatchVerdict {
  const known = toBillingError(error);
  return known.retryable || known.kind === 'invariant-broken' ? 'try-again' : 'give-up';
}

const ASL_NAME: Readonly<Record<ErrorKind, string>> = {
  invalid: 'Invalid',
  forbidden: 'Forbidden',
  'not-found': 'NotFound',
  conflict: 'Conflict',
  'not-ready': 'NotReady',
  provider: 'Provider',
  'invariant-broken': 'InvariantBroken',
};

/**
 * The error a billing task throws out of its Lambda: its `name` is what Step Functions matches in Retry and Catch
 * (`Retryable.NotReady`, `Fatal.Invalid`), its message carries the code first.
 */
export function toAslError(error: unknown): Error {
  const known = toBillingError(error);
  const thrown = new Error(`${known.code}: ${known.message}`, { cause: known });
  thrown.name = `${known.retryable ? 'Retryable' : 'Fatal'}.${ASL_NAME[known.kind]}`;
  return thrown;
}
