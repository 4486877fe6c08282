/**
 * An event source mapping from a table's stream: reads each shard in order, parents before children, filters, gathers
 * batches, and remembers in a file how far it came. Reads DynamoDB Local directly; `mayRead` asks the function's role first,
 * because the stream's local ARN is not the one in the policies.
 */
import {
  DescribeStreamCommand,
  type DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListStreamsCommand,
  type Shard,
  type _Record as StreamRecord,
} from '@aws-sdk/client-dynamodb-streams';
import { compilePattern } from '../parts/event-pattern.ts';
import type { EventSourceModel } from '../template/model.ts';
import { type BatchRecord, type BatchWork, workBatch } from './stream-batch.ts';
import type { StreamPosition } from './stream-position.ts';
import { lambdaStreamRecord } from './stream-record.ts';

export interface StreamPollerOptions {
  readonly source: EventSourceModel;
  readonly tableName: string;
  readonly region: string;
  /** Speaks to DynamoDB Local. */
  readonly client: DynamoDBStreamsClient;
  readonly position: StreamPosition;
  readonly mayRead: (action: string) => Promise<void>;
  readonly invoke: BatchWork['invoke'];
  readonly giveUp: (
    records: readonly BatchRecord[],
    condition: string,
    attempts: number,
    shardId: string,
  ) => Promise<void>;
  readonly onProblem: (message: string) => void;
}

/** Lambda asks each shard four times a second; an idle stream is asked less and less, so that a laptop stays cool. */
const ACTIVE_PAUSE_MS = 100;
const IDLE_PAUSE_MS = 1_000;
const IDLE_STEP_MS = 50;
const SHARDS_EVERY_MS = 5_000;
const PROBLEM_PAUSE_MS = 1_000;

export class StreamPoller {
  readonly #options: StreamPollerOptions;
  readonly #matches: (event: unknown) => boolean;
  readonly #stopping = new AbortController();
  readonly #shards = new Map<string, Promise<void>>();
  #loop: Promise<void> = Promise.resolve();

  /** @throws Error when a filter uses an operator that is not known. */
  constructor(options: StreamPollerOptions) {
    this.#options = options;
    const filters = options.source.filters.map((pattern) => compilePattern(pattern));
    this.#matches = (event) => filters.length === 0 || filters.some((matches) => matches(event));
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** Stops reading and waits for the invocations that run. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
    await Promise.allSettled(this.#shards.values());
  }

  async #run(): Promise<void> {
    const { position, source, onProblem } = this.#options;
    const startsAtEnd = position.isNew && source.startingPosition === 'LATEST';
    for (let isFirst = true; !this.#stopping.signal.aborted; isFirst = false) {
      try {
        await this.#openShards(isFirst && startsAtEnd ? 'LATEST' : 'TRIM_HORIZON');
      } catch (error) {
        if (!this.#stopping.signal.aborted) onProblem(`stream of ${this.#options.tableName}: ${String(error)}`);
      }
      await this.#pause(SHARDS_EVERY_MS);
    }
  }

  async #openShards(start: 'LATEST' | 'TRIM_HORIZON'): Promise<void> {
    const { client, mayRead, position, tableName } = this.#options;
    await mayRead('dynamodb:ListStreams');
    const streams = (await client.send(new ListStreamsCommand({ TableName: tableName }))).Streams ?? [];
    const streamArn = streams.at(-1)?.StreamArn;
    if (streamArn === undefined) throw new Error('the table has no stream');
    await mayRead('dynamodb:DescribeStream');
    const shards: Shard[] = [];
    for (let after: string | undefined; ; ) {
      const input = { StreamArn: streamArn, ...(after === undefined ? {} : { ExclusiveStartShardId: after }) };
      const page = (await client.send(new DescribeStreamCommand(input))).StreamDescription;
      shards.push(...(page?.Shards ?? []));
      after = page?.LastEvaluatedShardId;
      if (after === undefined) break;
    }
    const ids = new Set(shards.map((shard) => shard.ShardId ?? ''));
    position.keepOnly(ids);
    for (const { ShardId: id = '', ParentShardId: parent } of shards) {
      const isWaiting = parent !== undefined && ids.has(parent) && !position.isFinished(parent);
      if (this.#shards.has(id) || position.isFinished(id) || isWaiting) continue;
      this.#shards.set(
        id,
        this.#readShard(streamArn, id, start).finally(() => this.#shards.delete(id)),
      );
    }
  }

  async #readShard(streamArn: string, shardId: string, start: 'LATEST' | 'TRIM_HORIZON'): Promise<void> {
    const { client, mayRead, position, onProblem } = this.#options;
    let iterator: string | undefined;
    let pauseMs = ACTIVE_PAUSE_MS;
    while (!this.#stopping.signal.aborted) {
      try {
        if (iterator === undefined) {
          await mayRead('dynamodb:GetShardIterator');
          const after = position.after(shardId);
          const from =
            after === undefined
              ? { ShardIteratorType: start }
              : { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER' as const, SequenceNumber: after };
          iterator = (
            await client.send(new GetShardIteratorCommand({ StreamArn: streamArn, ShardId: shardId, ...from }))
          ).ShardIterator;
        }
        await mayRead('dynamodb:GetRecords');
        const batch = await this.#gather(iterator);
        await this.#work(batch.records, shardId);
        if (batch.next === undefined && !this.#stopping.signal.aborted) return position.finish(shardId);
        iterator = batch.next;
        pauseMs = batch.records.length > 0 ? ACTIVE_PAUSE_MS : Math.min(pauseMs + IDLE_STEP_MS, IDLE_PAUSE_MS);
        if (batch.records.length < this.#options.source.batchSize) await this.#pause(pauseMs);
      } catch (error) {
        if (this.#stopping.signal.aborted) return;
        // An expired iterator is made again from the position; records trimmed meanwhile are gone, as on AWS.
        iterator = undefined;
        const name = error instanceof Error ? error.name : '';
        if (name === 'TrimmedDataAccessException' || name === 'ResourceNotFoundException') return;
        if (name !== 'ExpiredIteratorException') onProblem(`shard ${shardId}: ${String(error)}`);
        await this.#pause(PROBLEM_PAUSE_MS);
      }
    }
  }

  /** Up to a batch of records: at once without a window, else until the window that starts with the first record ends. */
  async #gather(first: string | undefined): Promise<{ records: readonly StreamRecord[]; next: string | undefined }> {
    const { source, client } = this.#options;
    const records: StreamRecord[] = [];
    let next = first;
    let end: number | undefined;
    while (next !== undefined) {
      const page = await client.send(
        new GetRecordsCommand({ ShardIterator: next, Limit: source.batchSize - records.length }),
      );
      records.push(...(page.Records ?? []));
      next = page.NextShardIterator;
      if (records.length === 0 || records.length >= source.batchSize) break;
      end ??= performance.now() + source.windowSeconds * 1000;
      if (performance.now() >= end || this.#stopping.signal.aborted) break;
      await this.#pause(Math.min(ACTIVE_PAUSE_MS, Math.max(0, end - performance.now())));
    }
    return { records, next };
  }

  async #work(records: readonly StreamRecord[], shardId: string): Promise<void> {
    const { source, region, invoke, giveUp, position } = this.#options;
    const passing = records
      .map(
        (record): BatchRecord => ({
          sequenceNumber: record.dynamodb?.SequenceNumber ?? '',
          createdAt: record.dynamodb?.ApproximateCreationDateTime?.getTime() ?? 0,
          event: lambdaStreamRecord(record, source.sourceArn, region),
        }),
      )
      .filter((record) => this.#matches(record.event));
    const { signal } = this.#stopping;
    await workBatch(passing, {
      source,
      invoke,
      signal,
      advance: (sequenceNumber) => position.advance(shardId, sequenceNumber),
      giveUp: (batch, condition, attempts) => giveUp(batch, condition, attempts, shardId),
    });
    const last = records.at(-1)?.dynamodb?.SequenceNumber;
    if (last !== undefined && !signal.aborted) position.advance(shardId, last);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const { signal } = this.#stopping;
      if (signal.aborted) return resolve();
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal.addEventListener('abort', end, { once: true });
    });
  }
}
