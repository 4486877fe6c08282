import { S3Client } from '@aws-sdk/client-s3';
import { archiveProgress } from '../../../adapters/dynamodb/archive-progress.ts';
import { usageClaims } from '../../../adapters/dynamodb/usage-claims.ts';
import { usageArchive } from '../../../adapters/s3/usage-archive.ts';
import { dynamoClient } from './clients.ts';
import { environment } from './environment.ts';
import { functionLogger, functionMetrics } from './telemetry.ts';
import { wireFolding } from './usage.ts';

/** What lambdas/usage/archive-usage.ts needs. An object may have a hundred megabytes: its client has no short timeout. */
export function wireArchiveUsage() {
  const env = environment('archive-usage');
  const client = dynamoClient();
  return {
    ...wireFolding(env),
    headers: usageClaims(client, env.USAGE_CLAIMS_TABLE),
    progress: archiveProgress(client, env.USAGE_VIEWS_TABLE),
    archive: usageArchive(new S3Client({}), env.ARCHIVE_BUCKET),
    metrics: functionMetrics(),
    logger: functionLogger('archive-usage'),
  };
}
