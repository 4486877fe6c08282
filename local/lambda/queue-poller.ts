/**
 * An event source mapping from a queue: receives with the function's own credentials, gathers batches, invokes, deletes
 * what succeeded. What failed stays in the queue until its visibility timeout; the queue's own redrive policy moves it to
 * the dead-letter queue.
 */
import { DeleteMessageBatchCommand, type Message, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { EventSourceModel, QueueModel } from '../template/model.ts';
import type { Outcome } from './environment.ts';
import { failedItems } from './item-failures.ts';
import { Slots } from './slots.ts';

export interface QueuePollerOptions {
  readonly source: EventSourceModel;
  readonly queue: QueueModel;
  readonly region: string;
  /** Speaks to the gateway as the function's role. */
  readonly client: SQSClient;
  readonly invoke: (payload: string) => Promise<Outcome>;
  readonly onProblem: (message: string) => void;
}

/** Without a maximum AWS would start five pollers; a laptop has few cores. */
const DEFAULT_CONCURRENCY = 2;
/** SQS's limits: messages per receive and per delete, seconds of a long poll. */
const PER_CALL = 10;
const LONG_POLL_SECONDS = 20;
const SHORT_POLL_PAUSE_MS = 100;
const MAX_BATCH_BYTES = 6_000_000;
const PROBLEM_PAUSE_MS = 1_000;

export class QueuePoller {
  readonly #options: QueuePollerOptions;
  readonly #slots: Slots;
  readonly #stopping = new AbortController();
  #loop: Promise<void> = Promise.resolve();

  constructor(options: QueuePollerOptions) {
    this.#options = options;
    this.#slots = new Slots(options.source.maxConcurrency ?? DEFAULT_CONCURRENCY);
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** Stops receiving at once and waits for the invocations that run. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
    await this.#slots.idle();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const release = await this.#slots.take();
      try {
        const batch = await this.#gather();
        if (batch.length === 0) release();
        else void this.#work(batch).finally(release);
      } catch (error) {
        release();
        if (signal.aborted) return;
        this.#options.onProblem(`receiving from ${this.#options.queue.name}: ${String(error)}`);
        await new Promise((resolve) => setTimeout(resolve, PROBLEM_PAUSE_MS));
      }
    }
  }

  /** Up to a batch: the first messages by long poll, more until the batching window ends or the batch is full. */
  async #gather(): Promise<readonly Message[]> {
    const { batchSize, windowSeconds } = this.#options.source;
    const batch = [...(await this.#receive(Math.min(PER_CALL, batchSize), LONG_POLL_SECONDS))];
    if (batch.length === 0) return batch;
    const end = performance.now() + windowSeconds * 1000;
    while (batch.length < batchSize && bytesOf(batch) < MAX_BATCH_BYTES && !this.#stopping.signal.aborted) {
      const left = end - performance.now();
      if (left <= 0) break;
      // Whole seconds by long poll; within the last one short polls, so that the window does not grow.
      const more = await this.#receive(Math.min(PER_CALL, batchSize - batch.length), Math.floor(left / 1000));
      if (more.length === 0 && left < 1_000) {
        await new Promise((resolve) => setTimeout(resolve, Math.min(SHORT_POLL_PAUSE_MS, left)));
      }
      batch.push(...more);
    }
    return batch;
  }

  async #receive(count: number, waitSeconds: number): Promise<readonly Message[]> {
    const command = new ReceiveMessageCommand({
      QueueUrl: this.#options.queue.url,
      MaxNumberOfMessages: count,
      WaitTimeSeconds: waitSeconds,
      MessageAttributeNames: ['All'],
      MessageSystemAttributeNames: ['All'],
    });
    return (await this.#options.client.send(command, { abortSignal: this.#stopping.signal })).Messages ?? [];
  }

  async #work(batch: readonly Message[]): Promise<void> {
    const { source, onProblem, queue } = this.#options;
    try {
      const outcome = await this.#options.invoke(JSON.stringify(this.#event(batch)));
      const failed = failedItems(
        outcome,
        batch.map((message) => message.MessageId ?? ''),
        source.reportsItemFailures,
      );
      await this.#delete(batch.filter((message) => !failed.has(message.MessageId ?? '')));
    } catch (error) {
      // The messages come back after their visibility timeout.
      if (!this.#stopping.signal.aborted) onProblem(`working on messages of ${queue.name}: ${String(error)}`);
    }
  }

  async #delete(messages: readonly Message[]): Promise<void> {
    for (let from = 0; from < messages.length; from += PER_CALL) {
      const Entries = messages
        .slice(from, from + PER_CALL)
        .map((message, index) => ({ Id: String(index), ReceiptHandle: message.ReceiptHandle }));
      await this.#options.client.send(new DeleteMessageBatchCommand({ QueueUrl: this.#options.queue.url, Entries }));
    }
  }

  #event(batch: readonly Message[]): object {
    const { queue, region } = this.#options;
    return { Records: batch.map((message) => queueRecord(message, queue.arn, region)) };
  }
}

/** One record of a Lambda SQS event. */
function queueRecord(message: Message, queueArn: string, region: string): object {
  const messageAttributes: Record<string, object> = {};
  for (const [name, attribute] of Object.entries(message.MessageAttributes ?? {})) {
    messageAttributes[name] = {
      stringValue: attribute.StringValue,
      binaryValue: attribute.BinaryValue && Buffer.from(attribute.BinaryValue).toString('base64'),
      stringListValues: [],
      binaryListValues: [],
      dataType: attribute.DataType,
    };
  }
  return {
    messageId: message.MessageId,
    receiptHandle: message.ReceiptHandle,
    body: message.Body,
    attributes: message.Attributes ?? {},
    messageAttributes,
    md5OfBody: message.MD5OfBody,
    eventSource: 'aws:sqs',
    eventSourceARN: queueArn,
    awsRegion: region,
  };
}

function bytesOf(batch: readonly Message[]): number {
  return batch.reduce((sum, message) => sum + Buffer.byteLength(message.Body ?? ''), 0);
}
