import type { Deployment } from '../cli/deployment.ts';
import { ADMIN_ACCESS_KEY_ID } from './gateway/gateway.ts';
import type { LocalStack } from './stack.ts';

/** What the operator's commands read of a running stack; the same names as the outputs of a deployment. */
export function localDeployment(stack: LocalStack): Deployment {
  const environment: Readonly<Record<string, string>> = {
    ...stack.lambda.find('archive-usage').environment,
    ...stack.lambda.find('post-events').environment,
  };
  return {
    ApiUrl: stack.apiUrl,
    BillingTable: environment.BILLING_TABLE ?? '',
    UsageLogTable: environment.USAGE_LOG_TABLE ?? '',
    UsageClaimsTable: environment.USAGE_CLAIMS_TABLE ?? '',
    UsageViewsTable: environment.USAGE_VIEWS_TABLE ?? '',
    ArchiveBucket: environment.ARCHIVE_BUCKET ?? '',
    UsageQueueUrl: environment.USAGE_QUEUE_URL ?? '',
    PepperSecret: environment.PEPPER_SECRET_ID ?? '',
    endpoint: stack.gatewayUrl,
    credentials: { accessKeyId: ADMIN_ACCESS_KEY_ID, secretAccessKey: 'local' },
  };
}
