import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { type AppendDeps, appendUsage } from '../../core/usage/append-usage.ts';
import { wireAppendUsage } from '../shared/wire/usage.ts';
import { wired } from '../shared/wire.ts';

/** From the usage queue to the log: one invocation, one chunk per partition. What is not durable comes again. */
export function handle(deps: AppendDeps) {
  return async (event: SQSEvent): Promise<SQSBatchResponse> => {
    const { failed } = await appendUsage(event.Records, deps);
    for (const { messageId, error } of failed)
      console.warn({ message: 'usage message not appended', messageId, error: String(error) });
    return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
  };
}

export const handler = wired(() => handle(wireAppendUsage()));
