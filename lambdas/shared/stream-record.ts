import type { DynamoDBRecord } from 'aws-lambda';
import { invariantBroken } from '../../core/errors.ts';
import type { StoredChunk } from '../../core/usage/chunk.ts';
import type { LogPartition } from '../../core/usage/log-partition.ts';
import { chunkFromItem, placeFromItem } from './wire/stream-items.ts';

type ChunkItem = Parameters<typeof chunkFromItem>[0];
type StreamImage = NonNullable<DynamoDBRecord['dynamodb']>['NewImage'];

/** What a record of the log's stream announces. */
export interface AnnouncedChunk {
  readonly place: LogPartition;
  readonly sequence: number;
  /** Events in the partition, up to and including this chunk. */
  readonly total: number;
  /** The whole chunk, read only by whoever needs it. */
  chunk(): StoredChunk;
}

/** Reads a record. Throws `invariant-broken` (code `stream_record_damaged`) for one that holds no chunk. */
export function announcedChunk(record: DynamoDBRecord): AnnouncedChunk {
  const image = record.dynamodb?.NewImage;
  const sequence = Number(image?.sk?.N);
  const total = Number(image?.t?.N);
  if (image?.pk?.S === undefined || !Number.isSafeInteger(sequence) || !Number.isSafeInteger(total)) {
    throw invariantBroken('stream_record_damaged', `Stream record ${record.eventID} holds no chunk.`);
  }
  return {
    place: placeFromItem({ pk: { S: image.pk.S } }),
    sequence,
    total,
    chunk: () => chunkFromItem(bytesDecoded(image)),
  };
}

/** Stream records carry bytes as base64 text. */
function bytesDecoded(image: NonNullable<StreamImage>): ChunkItem {
  const item: ChunkItem = {};
  for (const [name, value] of Object.entries(image)) {
    if (value.B !== undefined) item[name] = { B: Buffer.from(value.B, 'base64') };
    else if (value.N !== undefined) item[name] = { N: value.N };
    else if (value.S !== undefined) item[name] = { S: value.S };
  }
  return item;
}
