import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { apiKeyStore } from '../../../adapters/dynamodb/api-keys.ts';
import { systemClock } from '../../../adapters/system/clock.ts';
import { secretReader } from '../../../adapters/system/secrets.ts';
import { type Authenticate, authenticator } from '../authenticate.ts';
import { secretsClient } from './clients.ts';

/** The authenticator of an HTTP function, over the function's own DynamoDB client. */
export function wireAuthenticate(
  client: DynamoDBClient,
  env: { readonly BILLING_TABLE: string; readonly PEPPER_SECRET_ID: string },
): Authenticate {
  const readSecret = secretReader(secretsClient());
  return authenticator({
    keys: apiKeyStore(client, env.BILLING_TABLE),
    pepper: () => readSecret(env.PEPPER_SECRET_ID),
    clock: systemClock,
  });
}
