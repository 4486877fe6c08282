/**
 * The environment contract: the names each function reads, and nothing else. lib/constructs/house-function.ts takes exactly
 * these names (by `import type`), lambdas/shared/wire.ts reads exactly these names, so a missing one fails `tsc`.
 *
 * POWERTOOLS_SERVICE_NAME (`countinghouse-<stage>`) is read by Powertools itself: it becomes the `service` dimension of every
 * metric in metric-names.ts, so functions that emit one list it, and the alarms of two stages never mix.
 */
export const ENV = {
  'post-events': ['BILLING_TABLE', 'USAGE_CLAIMS_TABLE', 'USAGE_QUEUE_URL', 'PEPPER_SECRET_ID', 'RATE_LIMITS'],
  entitlements: [
    'BILLING_TABLE',
    'USAGE_CLAIMS_TABLE',
    'USAGE_VIEWS_TABLE',
    'USAGE_QUEUE_URL',
    'MAX_QUOTA_AGE_SECONDS',
    'PEPPER_SECRET_ID',
    'RATE_LIMITS',
  ],
  'append-usage': ['USAGE_LOG_TABLE', 'USAGE_VIEWS_TABLE'],
  'fold-usage': [
    'BILLING_TABLE',
    'USAGE_LOG_TABLE',
    'USAGE_VIEWS_TABLE',
    'MAX_VIEW_AGE_SECONDS',
    'MAX_QUOTA_AGE_SECONDS',
    'POWERTOOLS_SERVICE_NAME',
  ],
  'sweep-usage': [
    'BILLING_TABLE',
    'USAGE_LOG_TABLE',
    'USAGE_VIEWS_TABLE',
    'USAGE_QUEUE_URL',
    'MAX_VIEW_AGE_SECONDS',
    'MAX_QUOTA_AGE_SECONDS',
    'POWERTOOLS_SERVICE_NAME',
  ],
  'archive-usage': [
    'BILLING_TABLE',
    'USAGE_CLAIMS_TABLE',
    'USAGE_LOG_TABLE',
    'USAGE_VIEWS_TABLE',
    'ARCHIVE_BUCKET',
    'POWERTOOLS_SERVICE_NAME',
  ],
  'publish-usage': ['EVENT_BUS_NAME'],
  'run-usage-job': ['BILLING_TABLE', 'USAGE_LOG_TABLE', 'USAGE_VIEWS_TABLE', 'JOB_QUEUE_URL', 'USAGE_QUEUE_URL'],
  'reconcile-sample': [
    'BILLING_TABLE',
    'USAGE_LOG_TABLE',
    'USAGE_VIEWS_TABLE',
    'RECONCILE_ONE_IN',
    'POWERTOOLS_SERVICE_NAME',
  ],
  'park-messages': ['USAGE_VIEWS_TABLE', 'POWERTOOLS_SERVICE_NAME'],
  api: [
    'BILLING_TABLE',
    'USAGE_CLAIMS_TABLE',
    'USAGE_LOG_TABLE',
    'USAGE_VIEWS_TABLE',
    'USAGE_QUEUE_URL',
    'JOB_QUEUE_URL',
    'ARCHIVE_BUCKET',
    'BILLING_MACHINE_ARN',
    'PEPPER_SECRET_ID',
    'RATE_LIMITS',
  ],
  'start-due-runs': ['BILLING_TABLE', 'BILLING_MACHINE_ARN'],
  'settle-usage': [
    'BILLING_TABLE',
    'USAGE_LOG_TABLE',
    'USAGE_VIEWS_TABLE',
    'USAGE_QUEUE_URL',
    'USAGE_DEAD_LETTERS_URL',
  ],
  'reconcile-usage': ['BILLING_TABLE', 'USAGE_LOG_TABLE', 'USAGE_VIEWS_TABLE', 'POWERTOOLS_SERVICE_NAME'],
  'write-manifest': ['BILLING_TABLE', 'ARCHIVE_BUCKET'],
  'rate-accounts': ['BILLING_TABLE', 'USAGE_VIEWS_TABLE', 'ARCHIVE_BUCKET'],
  'issue-invoices': ['BILLING_TABLE'],
  'push-invoices': ['BILLING_TABLE', 'STRIPE_SECRET_PREFIX'],
  'finish-run': ['BILLING_TABLE', 'ARCHIVE_BUCKET', 'POWERTOOLS_SERVICE_NAME'],
  'publish-outbox': ['BILLING_TABLE', 'EVENT_BUS_NAME', 'POWERTOOLS_SERVICE_NAME'],
  'receive-stripe': ['BILLING_TABLE', 'WEBHOOK_QUEUE_URL', 'STRIPE_SECRET_PREFIX', 'POWERTOOLS_SERVICE_NAME'],
  'apply-stripe': ['BILLING_TABLE', 'STRIPE_SECRET_PREFIX', 'POWERTOOLS_SERVICE_NAME'],
} as const;

export type FunctionName = keyof typeof ENV;
/** The environment of one function: exactly its names, each a string. */
export type EnvOf<F extends FunctionName> = Readonly<Record<(typeof ENV)[F][number], string>>;
