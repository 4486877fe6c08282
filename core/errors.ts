/**
 * The one error tree. Every failure the product can name is a `BillingError`: a kind (what sort of thing went wrong), a
 * stable code (what clients and runbooks match on), a sentence that says what was got, what was expected and what to do,
 * and whether the same call may succeed later. lambdas/shared/error-map.ts is the only place that turns a kind into an
 * HTTP status, a batch item failure or an ASL error name.
 */
export type ErrorKind =
  | 'invalid'
  | 'not-found'
  | 'conflict'
  | 'not-ready'
  | 'forbidden'
  | 'provider'
  | 'invariant-broken';

/** One fault in an input: the JSON path of the field, what stood there and what belongs there. */
export interface Fault {
  /** JSON path of the field as the caller wrote it (snake_case), such as `charges[2].tiers[1].up_to`. */
  readonly field: string;
  readonly code: string;
  readonly detail: string;
  readonly got?: string;
  readonly expected?: string;
}

export interface ErrorContext {
  readonly [name: string]: string | number | boolean | null | undefined;
}

export interface BillingErrorInput {
  readonly kind: ErrorKind;
  readonly code: string;
  readonly message: string;
  readonly retryable?: boolean;
  readonly faults?: readonly Fault[];
  readonly context?: ErrorContext;
  readonly cause?: unknown;
}

/** A named failure. `retryable` means: the very same call may succeed later, and repeating it is safe. */
export class BillingError extends Error {
  readonly kind: ErrorKind;
  readonly code: string;
  readonly retryable: boolean;
  readonly faults: readonly Fault[];
  readonly context: ErrorContext;

  constructor(input: BillingErrorInput) {
    super(input.message, input.cause === undefined ? undefined : { cause: input.cause });
    this.name = 'BillingError';
    this.kind = input.kind;
    this.code = input.code;
    this.retryable = input.retryable ?? (input.kind === 'not-ready' || input.kind === 'provider');
    this.faults = input.faults ?? [];
    this.context = input.context ?? {};
  }
}

/** The caller sent something that can never be accepted as it is. */
export function invalid(code: string, message: string, faults: readonly Fault[] = []): BillingError {
  return new BillingError({ kind: 'invalid', code, message, faults });
}

/** `invalid` with every fault of `subject` ("The plan"); the sentence holds the fault itself when there is only one. */
export function faulty(code: string, subject: string, faults: readonly Fault[]): BillingError {
  const [only] = faults;
  const message =
    only !== undefined && faults.length === 1
      ? `${subject} has a fault in ${only.field}: ${only.detail}`
      : `${subject} has ${faults.length} faults; correct them all and send it again.`;
  return invalid(code, message, faults);
}

/** The thing asked for does not exist in the caller's project (other projects' things do not exist for it either). */
export function notFound(code: string, message: string, context: ErrorContext = {}): BillingError {
  return new BillingError({ kind: 'not-found', code, message, context });
}

/** The request contradicts what is already stored; repeating it changes nothing. */
export function conflict(code: string, message: string, context: ErrorContext = {}): BillingError {
  return new BillingError({ kind: 'conflict', code, message, context });
}

/** A law of the product does not hold: a defect or damaged data, never the caller's fault. Stop, keep the evidence, look. */
export function invariantBroken(code: string, message: string, context: ErrorContext = {}): BillingError {
  return new BillingError({ kind: 'invariant-broken', code, message, context });
}
