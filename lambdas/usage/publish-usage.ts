import type { Logger } from '@aws-lambda-powertools/logger';
import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda';
import type { EventBus } from '../../core/events/ports.ts';
import type { ProductEvent } from '../../core/events/product-event.ts';
import { usageRecorded } from '../../core/usage/usage-recorded.ts';
import { announcedChunk } from '../shared/stream-record.ts';
import { wirePublishUsage } from '../shared/wire/usage.ts';
import { wired } from '../shared/wire.ts';

export interface PublishUsageDeps {
  readonly bus: EventBus;
  readonly logger: Logger;
}

const EVENTS_PER_CALL = 10;

/** Tells the bus of each chunk: `UsageRecorded`, its id derived from partition and sequence, so that repeats are known. */
export function handle(deps: PublishUsageDeps) {
  return async (event: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> => {
    const failed: string[] = [];
    const waiting: { itemIdentifier: string; recorded: ProductEvent }[] = [];
    for (const record of event.Records) {
      const itemIdentifier = record.dynamodb?.SequenceNumber ?? '';
      try {
        const { place, chunk } = announcedChunk(record);
        const recorded = usageRecorded(place, chunk());
        if (recorded !== null) waiting.push({ itemIdentifier, recorded });
      } catch (error) {
        failed.push(itemIdentifier);
        deps.logger.error('chunk not readable', {
          itemIdentifier,
          error: error instanceof Error ? error : String(error),
        });
      }
    }
    for (let from = 0; from < waiting.length; from += EVENTS_PER_CALL) {
      const some = waiting.slice(from, from + EVENTS_PER_CALL);
      const taken = await deps.bus.publish(some.map(({ recorded }) => recorded));
      for (const [i, { itemIdentifier }] of some.entries()) if (taken[i] !== true) failed.push(itemIdentifier);
    }
    return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
  };
}

export const handler = wired(() => handle(wirePublishUsage()));
