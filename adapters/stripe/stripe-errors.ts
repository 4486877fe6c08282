import Stripe from 'stripe';
import { BillingError } from '../../core/errors.ts';

/**
 * Any error of a Stripe call as a `BillingError` of kind `provider`. `retryable`: Stripe was away, busy or limiting, and the same
 * call under the same key may succeed. `context.isReplayed`: Stripe repeated what it remembers under the key.
 */
export function billingErrorOf(error: unknown): unknown {
  if (!(error instanceof Stripe.errors.StripeError)) return error;
  const { code, retryable } = verdictOf(error);
  return new BillingError({
    kind: 'provider',
    code,
    message: `Stripe answered ${error.statusCode ?? 'nothing'}: ${error.message}`,
    retryable,
    context: {
      status: error.statusCode,
      providerCode: error.decline_code ?? error.code,
      param: error.param,
      requestId: error.requestId,
      isReplayed: error.headers?.['idempotent-replayed'] === 'true',
    },
    cause: error,
  });
}

function verdictOf(error: Stripe.errors.StripeError): { code: string; retryable: boolean } {
  const { errors } = Stripe;
  // Whether it was executed is not known: the same key decides.
  if (error instanceof errors.StripeConnectionError) return { code: 'provider_unreachable', retryable: true };
  if (error instanceof errors.StripeRateLimitError || error.statusCode === 429) {
    return { code: 'provider_rate_limited', retryable: true };
  }
  if (error instanceof errors.StripeAuthenticationError || error instanceof errors.StripePermissionError) {
    return { code: 'provider_credentials_refused', retryable: false };
  }
  if (error instanceof errors.StripeCardError) return { code: 'payment_declined', retryable: false };
  if (error instanceof errors.StripeIdempotencyError) {
    return { code: 'provider_idempotency_mismatch', retryable: false };
  }
  if (error.statusCode === 409) return { code: 'provider_busy', retryable: true };
  if (error.code === 'resource_missing') return { code: 'provider_object_missing', retryable: false };
  if (error instanceof errors.StripeInvalidRequestError) return { code: 'provider_refused', retryable: false };
  return { code: 'provider_error', retryable: true };
}
