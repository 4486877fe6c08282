import { SecretsProvider } from '@aws-lambda-powertools/parameters/secrets';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { BillingError } from '../../core/errors.ts';

/** Reads a secret's text by its id, from a cache that lives `maxAgeSeconds` (5 minutes unless told). */
export type ReadSecret = (secretId: string) => Promise<string>;

/** Throws `not-ready` (`secret_unavailable`, naming the secret and never its text) when it is missing or unreadable. */
export function secretReader(client: SecretsManagerClient, maxAgeSeconds = 300): ReadSecret {
  const provider = new SecretsProvider({ awsSdkV3Client: client });
  return async (secretId) => {
    try {
      const value = await provider.get(secretId, { maxAge: maxAgeSeconds });
      if (typeof value === 'string' && value !== '') return value;
    } catch (error) {
      throw unavailable(secretId, error);
    }
    throw unavailable(secretId, undefined);
  };
}

/** Whether reading failed because there is no such secret, as opposed to a service that could not answer. */
export function isSecretMissing(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause.name === 'ResourceNotFoundException') return true;
  }
  return false;
}

function unavailable(secretId: string, cause: unknown): BillingError {
  return new BillingError({
    kind: 'not-ready',
    code: 'secret_unavailable',
    message: `The secret ${secretId} is missing or cannot be read; create it, or grant this function the right to read it.`,
    cause,
  });
}
