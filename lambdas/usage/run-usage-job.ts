import type { Logger } from '@aws-lambda-powertools/logger';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import type { JobId, ProjectId } from '../../core/ids.ts';
import { type RunJobDeps, runJob } from '../../core/usage/run-job.ts';
import { wireRunUsageJob } from '../shared/wire/jobs.ts';
import { wired } from '../shared/wire.ts';

export interface RunUsageJobDeps extends RunJobDeps {
  readonly jobOfMessage: (body: string) => { readonly project: ProjectId; readonly id: JobId };
  readonly logger: Logger;
}

/** Of the function's 300 s: what is begun within 120 s has 180 s to end. */
const BUDGET_MILLIS = 120_000;

/** Does the next step of the jobs that messages name. What fails comes again, and at last lies in the dead letters. */
export function handle(deps: RunUsageJobDeps) {
  return async (event: SQSEvent): Promise<SQSBatchResponse> => {
    const batchItemFailures: { itemIdentifier: string }[] = [];
    for (const { messageId, body } of event.Records) {
      try {
        const job = await runJob({ ...deps.jobOfMessage(body), budgetMillis: BUDGET_MILLIS }, deps);
        if (job?.status === 'failed') deps.logger.error('usage job failed', { job: job.id, ...job.error });
      } catch (error) {
        batchItemFailures.push({ itemIdentifier: messageId });
        deps.logger.error('step of a usage job failed', {
          body,
          error: error instanceof Error ? error : String(error),
        });
      }
    }
    return { batchItemFailures };
  };
}

export const handler = wired(() => handle(wireRunUsageJob()));
