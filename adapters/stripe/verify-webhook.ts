import Stripe from 'stripe';
import type { ProjectId } from '../../core/ids.ts';
import type { WebhookVerdict } from '../../core/payments/receive-webhook.ts';
import { instantFromMillis } from '../../core/time/instant.ts';
import { STRIPE_API_VERSION } from './client.ts';
import type { StripeSecret } from './stripe-secret.ts';

/** How old a signature may be, in seconds. Never 0: that switches the check off. */
const TOLERANCE_SECONDS = 300;

/**
 * Checks a webhook over its bytes as received, against each of the project's signing secrets, and takes from it only what says
 * which object to read again. `nowMs` is compared with the signature's time.
 */
export function verifyStripeWebhook(
  input: { readonly project: ProjectId; readonly body: Buffer; readonly signature: string; readonly nowMs: number },
  secret: StripeSecret,
): WebhookVerdict {
  const event = eventOf(input, secret);
  if (event === null) return { result: 'refused', why: 'signature' };
  if (event.livemode !== secret.livemode) return { result: 'refused', why: 'livemode' };
  if (event.api_version !== STRIPE_API_VERSION) return { result: 'refused', why: 'api_version' };
  const object = event.data.object as { id?: unknown; object?: unknown };
  if (typeof object.object !== 'string') return { result: 'refused', why: 'shape' };
  return {
    result: 'verified',
    notice: {
      project: input.project,
      provider: 'stripe',
      event: event.id,
      type: event.type,
      createdAt: instantFromMillis(event.created * 1000),
      // Some objects, such as an upcoming invoice, have no id; there is nothing to read again then.
      object: { id: typeof object.id === 'string' ? object.id : '', type: object.object },
    },
  };
}

function eventOf(
  input: { readonly body: Buffer; readonly signature: string; readonly nowMs: number },
  secret: StripeSecret,
): Stripe.Event | null {
  for (const signing of secret.signingSecrets) {
    try {
      const { body, signature, nowMs } = input;
      return Stripe.webhooks.constructEvent(body, signature, signing, TOLERANCE_SECONDS, undefined, nowMs);
    } catch {
      // the other secret may fit
    }
  }
  return null;
}
