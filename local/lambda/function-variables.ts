/** The environment of a function: what the template gives it, and what Lambda adds. Nothing of the runner's own leaks in. */
import type { FunctionModel } from '../template/model.ts';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Lambda refuses to deploy a function that sets one of these itself. */
const RESERVED = /^(AWS_(?!.*POWERTOOLS)|LAMBDA_|_HANDLER$|_X_AMZN)/;

/** @throws Error when the template sets a variable that Lambda reserves. */
export function functionVariables(
  fn: FunctionModel,
  region: string,
  endpoint: string,
  credentials: Credentials,
): Readonly<Record<string, string>> {
  const reserved = Object.keys(fn.environment).filter(
    (name) => RESERVED.test(name) && name !== 'AWS_NODEJS_CONNECTION_REUSE_ENABLED',
  );
  if (reserved.length > 0)
    throw new Error(`${fn.name}: Lambda reserves ${reserved.join(', ')}; the template must not set it`);
  return {
    ...fn.environment,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    // A developer's own ~/.aws must not reach into the stack (an endpoint, a retry mode, real credentials).
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_LAMBDA_FUNCTION_NAME: fn.name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(fn.memoryMegabytes),
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${fn.name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: 'local',
    AWS_LAMBDA_LOG_FORMAT: fn.logFormat,
    ...(fn.logLevel === undefined ? {} : { AWS_LAMBDA_LOG_LEVEL: fn.logLevel }),
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    LAMBDA_TASK_ROOT: fn.codeFolder,
    _HANDLER: fn.handler,
    TZ: ':UTC',
    LANG: 'en_US.UTF-8',
  };
}
