import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  PutItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import type { StoredChunk } from '../../core/usage/chunk.ts';
import { type LogPartition, partitionBornEnd } from '../../core/usage/log-partition.ts';
import type { UsageLog } from '../../core/usage/ports.ts';
import { logExpirySeconds } from '../../core/usage/retention.ts';
import { bytesAt, type Item, numberAt, textAt } from './attributes.ts';
import { usageLogKeys } from './keys.ts';

/**
 * The usage log in DynamoDB: one item per chunk, sequence numbers without gaps as the sort key. The condition of the put is
 * what makes counting exact: of all writers of a sequence number, one wins.
 */

const NONE = new Uint8Array();

export function usageLog(client: DynamoDBClient, table: string): UsageLog {
  return {
    async *readChunks(place: LogPartition, sequence: number): AsyncIterable<readonly StoredChunk[]> {
      const { pk } = usageLogKeys.chunk(place.project, place.partition, 0);
      let expected = sequence + 1;
      let start: Item | undefined;
      do {
        const page = await client.send(
          new QueryCommand({
            TableName: table,
            KeyConditionExpression: 'pk = :pk AND sk > :sk',
            // The same for every page: DynamoDB refuses a start that the condition does not hold for.
            ExpressionAttributeValues: { ':pk': { S: pk }, ':sk': { N: String(sequence) } },
            ConsistentRead: true,
            ...(start === undefined ? {} : { ExclusiveStartKey: start }),
          }),
        );
        const chunks: StoredChunk[] = [];
        for (const item of page.Items ?? []) {
          const chunk = chunkFromItem(item);
          if (chunk.sequence !== expected) break;
          chunks.push(chunk);
          expected += 1;
        }
        if (chunks.length > 0) yield chunks;
        // A hole means that the rest is not ours to read yet; nothing above it may be applied.
        start = chunks.length === (page.Items ?? []).length ? page.LastEvaluatedKey : undefined;
      } while (start !== undefined);
    },

    async oldestAbove(place: LogPartition, sequence: number): Promise<number | null> {
      const { pk } = usageLogKeys.chunk(place.project, place.partition, 0);
      const { Items = [] } = await client.send(
        new QueryCommand({
          TableName: table,
          KeyConditionExpression: 'pk = :pk AND sk > :sk',
          ExpressionAttributeValues: { ':pk': { S: pk }, ':sk': { N: String(sequence) } },
          ConsistentRead: true,
          Limit: 1,
        }),
      );
      return Items[0] === undefined ? null : numberAt(Items[0], 'a');
    },

    async putChunk(place: LogPartition, chunk: StoredChunk): Promise<'stored' | 'refused'> {
      try {
        await client.send(
          new PutItemCommand({
            TableName: table,
            Item: chunkToItem(place, chunk),
            ConditionExpression: 'attribute_not_exists(pk)',
          }),
        );
        return 'stored';
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return 'refused';
        throw error;
      }
    },
  };
}

function chunkToItem(place: LogPartition, chunk: StoredChunk): Item {
  const { pk, sk } = usageLogKeys.chunk(place.project, place.partition, chunk.sequence);
  return {
    pk: { S: pk },
    sk: { N: String(sk) },
    f: { B: chunk.fingerprints },
    d: { B: chunk.digests },
    r: { B: chunk.settled },
    ...(chunk.voided.length === 0 ? {} : { w: { B: chunk.voided } }),
    e: { B: chunk.body },
    c: { B: chunk.customers },
    n: { N: String(chunk.events) },
    t: { N: String(chunk.total) },
    a: { N: String(chunk.appendedAtMillis) },
    ...(chunk.range === null ? {} : { lo: { N: String(chunk.range.from) }, hi: { N: String(chunk.range.to) } }),
    ttl: { N: String(logExpirySeconds(partitionBornEnd(place.partition))) },
  };
}

/** A chunk of the log as it lies in the table or in a stream record. */
export function chunkFromItem(item: Item): StoredChunk {
  return {
    sequence: numberAt(item, 'sk'),
    fingerprints: bytesAt(item, 'f'),
    digests: bytesAt(item, 'd'),
    voided: item.w === undefined ? NONE : bytesAt(item, 'w'),
    settled: bytesAt(item, 'r'),
    body: bytesAt(item, 'e'),
    customers: bytesAt(item, 'c'),
    events: numberAt(item, 'n'),
    total: numberAt(item, 't'),
    appendedAtMillis: numberAt(item, 'a'),
    range: item.lo === undefined ? null : { from: numberAt(item, 'lo'), to: numberAt(item, 'hi') },
  };
}

/** The partition that a chunk's key names. */
export function placeFromItem(item: Item): LogPartition {
  return usageLogKeys.placeOf(textAt(item, 'pk'));
}
