/** What is bundled, as production bundles it, to measure ingest: the real handler and what its dependencies are made of. */

export { apiKeyStore } from '../../adapters/dynamodb/api-keys.ts';
export { meterStore } from '../../adapters/dynamodb/meters.ts';
export { rateBuckets } from '../../adapters/dynamodb/rate-buckets.ts';
export { usageClaims } from '../../adapters/dynamodb/usage-claims.ts';
export { usageQueue } from '../../adapters/sqs/usage-queue.ts';
export { createApiKey } from '../../core/accounts/create-api-key.ts';
export { rateLimiter } from '../../core/limits/rate-limiter.ts';
export { handle } from '../../lambdas/ingest/post-events.ts';
export { authenticator } from '../../lambdas/shared/authenticate.ts';
export { cached } from '../../lambdas/shared/cached.ts';
export { dynamoClient, queueClient } from '../../lambdas/shared/wire/clients.ts';
