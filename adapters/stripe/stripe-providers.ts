import type { ProjectId } from '../../core/ids.ts';
import type { PaymentProvider, PaymentProviders } from '../../core/payments/ports.ts';
import { type CallPatience, stripeClient } from './client.ts';
import type { CallThrottle, CallTools } from './stripe-call.ts';
import { stripePayments } from './stripe-payments.ts';
import { parseStripeSecret, type StripeSecret } from './stripe-secret.ts';

/** The Stripe account of a project. Throws `not-ready` (`secret_unavailable`) or `provider` (`stripe_secret_invalid`). */
export type ReadStripeSecret = (project: ProjectId) => Promise<StripeSecret>;

/** Accounts from secrets named `<prefix><project id>`. */
export function stripeSecrets(readSecret: (id: string) => Promise<string>, prefix: string): ReadStripeSecret {
  return async (project) => parseStripeSecret(await readSecret(`${prefix}${project}`));
}

/** One client per project and key, kept for the life of the Lambda environment; a new key in the secret makes a new client. */
export function stripeProviders(
  readStripeSecret: ReadStripeSecret,
  patience: CallPatience,
  tools: Omit<CallTools, 'throttle'> & { readonly throttleOf: (project: ProjectId) => CallThrottle },
): PaymentProviders {
  const known = new Map<string, { apiKey: string; apiBase: string | null; provider: PaymentProvider }>();
  return {
    async of(project) {
      const secret = await readStripeSecret(project);
      const found = known.get(project);
      if (found && found.apiKey === secret.apiKey && found.apiBase === secret.apiBase) return found.provider;
      const { sleep, random } = tools;
      const throttle = tools.throttleOf(project);
      const provider = stripePayments(stripeClient(secret, patience), { throttle, sleep, random });
      known.set(project, { apiKey: secret.apiKey, apiBase: secret.apiBase, provider });
      return provider;
    },
  };
}
