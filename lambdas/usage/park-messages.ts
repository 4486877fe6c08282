import type { Logger } from '@aws-lambda-powertools/logger';
import { type Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { type ParkDeps, parkDeadLetter } from '../../core/usage/park-dead-letter.ts';
import { wireParkMessages } from '../shared/wire/usage.ts';
import { wired } from '../shared/wire.ts';

export interface ParkMessagesDeps extends ParkDeps {
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** Moves dead letters of the usage queue into durable parking, where they wait by name until somebody replays them. */
export function handle(deps: ParkMessagesDeps) {
  return async (event: SQSEvent): Promise<SQSBatchResponse> => {
    const batchItemFailures: { itemIdentifier: string }[] = [];
    let parked = 0;
    for (const record of event.Records) {
      try {
        const { project, name } = await parkDeadLetter(record, deps);
        parked += 1;
        deps.logger.warn('usage message parked', { project, name });
      } catch (error) {
        batchItemFailures.push({ itemIdentifier: record.messageId });
        deps.logger.error('usage message not parked', {
          messageId: record.messageId,
          error: error instanceof Error ? error : String(error),
        });
      }
    }
    deps.metrics.addMetric('ParkedMessages', MetricUnit.Count, parked);
    deps.metrics.publishStoredMetrics();
    return { batchItemFailures };
  };
}

export const handler = wired(() => handle(wireParkMessages()));
