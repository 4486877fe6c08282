import { BillingError } from '../errors.ts';

/**
 * Whether the provider keeps this failure under the idempotency key, so that repeating the call repeats the failure: it said
 * so, or the key was first used with other parameters. Only a read can tell whether the thing was made.
 */
export function isRememberedFailure(error: unknown): boolean {
  return (
    error instanceof BillingError &&
    (error.context.isReplayed === true || error.code === 'provider_idempotency_mismatch')
  );
}

/** Whether the provider looked at the request and said no, as opposed to being away, busy or not letting us in. */
export function isRefusal(error: unknown): boolean {
  return (
    error instanceof BillingError && (error.code === 'provider_refused' || error.code === 'provider_object_missing')
  );
}
