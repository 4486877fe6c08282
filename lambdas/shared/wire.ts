/**
 * The only reader of the environment and the only way from a Lambda to an adapter. One small function per Lambda
 * (`wirePostEvents()`), in a file per room under wire/; every module here is free of side effects, so esbuild drops from a
 * bundle whatever its handler does not import.
 *
 *   export const handler = wired(() => handle(wirePostEvents()));
 */
export { wireApi } from './wire/api.ts';
export { wireAuthenticate } from './wire/authenticate.ts';
export { dynamoClient, secretsClient, statesClient } from './wire/clients.ts';
export { environment, wired } from './wire/environment.ts';
export { functionLogger, functionMetrics } from './wire/telemetry.ts';
