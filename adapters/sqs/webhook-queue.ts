import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { WebhookNotice } from '../../core/payments/ports.ts';

/** The queue between the receipt of a webhook and its effect: a notice of a few hundred bytes a message. */
export function webhookQueue(client: SQSClient, url: string): { send(notice: WebhookNotice): Promise<void> } {
  return {
    async send(notice) {
      await client.send(new SendMessageCommand({ QueueUrl: url, MessageBody: JSON.stringify(notice) }));
    },
  };
}
