import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';

const COUNTED = [
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesNotVisible',
  'ApproximateNumberOfMessagesDelayed',
] as const;

/** About how many messages a queue holds: waiting, in the hands of a worker, or delayed. SQS's figures lag by up to a minute. */
export async function queueDepth(client: SQSClient, url: string): Promise<number> {
  const { Attributes } = await client.send(
    new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: [...COUNTED] }),
  );
  return COUNTED.reduce((sum, name) => sum + Number(Attributes?.[name] ?? 0), 0);
}
