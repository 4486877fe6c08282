import { SendMessageBatchCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { BillingError } from '../../core/errors.ts';
import type { UsageQueue } from '../../core/usage/ports.ts';

/**
 * The queue between ingest and append. A call takes ten messages and one MiB in all (SQS's own limits), and each message of a
 * batch is taken or refused on its own; a message that was refused fails the whole request, which is sent again and
 * deduplicated.
 */
const MAX_ENTRIES = 10;
const MAX_CALL_BYTES = 1_048_576;

export function usageQueue(client: SQSClient, url: string): UsageQueue {
  return {
    async send(messages) {
      const [only] = messages;
      if (messages.length === 1 && only !== undefined) {
        await client.send(new SendMessageCommand({ QueueUrl: url, MessageBody: only }));
        return;
      }
      for (const call of callsOf(messages)) await sendTogether(client, url, call);
    },
  };
}

function callsOf(messages: readonly string[]): string[][] {
  const calls: string[][] = [];
  let bytes = 0;
  for (const message of messages) {
    const size = Buffer.byteLength(message);
    const current = calls.at(-1);
    if (current === undefined || current.length === MAX_ENTRIES || bytes + size > MAX_CALL_BYTES) {
      calls.push([message]);
      bytes = size;
    } else {
      current.push(message);
      bytes += size;
    }
  }
  return calls;
}

async function sendTogether(client: SQSClient, url: string, bodies: readonly string[]): Promise<void> {
  const answer = await client.send(
    new SendMessageBatchCommand({
      QueueUrl: url,
      Entries: bodies.map((body, i) => ({ Id: String(i), MessageBody: body })),
    }),
  );
  const failed = answer.Failed ?? [];
  if (failed.length === 0) return;
  throw new BillingError({
    kind: 'not-ready',
    code: 'queue_unavailable',
    message: `The queue refused ${failed.length} of ${bodies.length} messages (${failed[0]?.Code}). Send the same request again; what was taken is not counted twice.`,
  });
}
