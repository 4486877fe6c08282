/** An error in the language of the state machine: a name that Retry and Catch match on, and a cause. */

/** End an execution whatever it catches (`States.ALL` does not match them). */
const TERMINAL = new Set(['States.DataLimitExceeded', 'States.Runtime']);
/** Step Functions' limit on what goes into or out of a state, in bytes. */
const MAX_PAYLOAD_BYTES = 262_144;

export class AslError extends Error {
  /** The engine asks these two before it looks at Retry and Catch. */
  readonly isRetryable: boolean;
  readonly isCatchable: boolean;

  constructor(name: string, cause: string) {
    super(cause);
    this.name = name;
    this.isRetryable = !TERMINAL.has(name);
    this.isCatchable = !TERMINAL.has(name);
  }
}

/** Does a Retry or Catch entry with these names take this error? */
export function isMatch(errorEquals: readonly string[], error: AslError): boolean {
  if (TERMINAL.has(error.name)) return false;
  return errorEquals.some(
    (name) =>
      name === error.name || name === 'States.ALL' || (name === 'States.TaskFailed' && error.name !== 'States.Timeout'),
  );
}

/** @throws AslError `States.DataLimitExceeded` */
export function limitPayload(what: string, value: unknown): void {
  const bytes = Buffer.byteLength(JSON.stringify(value) ?? '');
  if (bytes <= MAX_PAYLOAD_BYTES) return;
  throw new AslError(
    'States.DataLimitExceeded',
    `${what} has ${bytes} bytes, more than the limit of ${MAX_PAYLOAD_BYTES}.`,
  );
}

/** Errors of JavaScript itself: a defect or a path that leads nowhere, never a name the definition gave. */
const UNNAMED = new Set(['Error', 'TypeError', 'RangeError', 'SyntaxError', 'ReferenceError']);

/** An error out of the engine (a Fail state's carries the name it gave) as an AslError. */
export function toAslError(error: unknown): AslError {
  if (error instanceof AslError) return error;
  if (!(error instanceof Error)) return new AslError('States.Runtime', String(error));
  return new AslError(UNNAMED.has(error.name) ? 'States.Runtime' : error.name, error.message);
}
