import { type ChunkBody, decodeChunkBody, type LoggedEvent, type StoredChunk } from './chunk.ts';
import { placementHash } from './log-partition.ts';

/** What a search asks of a single event; what is absent matches everything. */
export interface EventFilter {
  readonly customer?: string | undefined;
  readonly type?: string | undefined;
  readonly id?: string | undefined;
  readonly source?: string | undefined;
  /** Half-open, microseconds. */
  readonly occurredFromMicros?: number | undefined;
  readonly occurredToMicros?: number | undefined;
  /** Half-open, milliseconds. */
  readonly appendedFromMillis?: number | undefined;
  readonly appendedToMillis?: number | undefined;
}

/** An event as the log holds it. */
export interface ChunkEvent {
  readonly event: LoggedEvent;
  /** Its position among the events of its chunk. */
  readonly position: number;
  /** The batch of the request that brought it. */
  readonly batchId: string;
}

/** Whether the chunk can hold a match, by what lies beside its events: nothing is decompressed for the answer. */
export function mayMatch(chunk: StoredChunk, filter: EventFilter): boolean {
  const { range, appendedAtMillis, customers } = chunk;
  if (range === null) return false;
  if (filter.occurredFromMicros !== undefined && range.to < filter.occurredFromMicros) return false;
  if (filter.occurredToMicros !== undefined && range.from >= filter.occurredToMicros) return false;
  if (filter.appendedFromMillis !== undefined && appendedAtMillis < filter.appendedFromMillis) return false;
  if (filter.appendedToMillis !== undefined && appendedAtMillis >= filter.appendedToMillis) return false;
  return filter.customer === undefined || holdsCustomer(customers, filter.customer);
}

/** Looks a customer up in the sorted four-byte hashes of a chunk's digest. */
function holdsCustomer(digest: Uint8Array, customer: string): boolean {
  const bytes = Buffer.from(digest.buffer, digest.byteOffset, digest.byteLength);
  const wanted = placementHash(customer);
  let low = 0;
  let high = bytes.length / 4 - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const hash = bytes.readUInt32BE(middle * 4);
    if (hash === wanted) return true;
    if (hash < wanted) low = middle + 1;
    else high = middle - 1;
  }
  return false;
}

/** The chunk's matching events in their order. */
export function matchesIn(chunk: StoredChunk, filter: EventFilter): readonly ChunkEvent[] {
  return eventsWithBatches(decodeChunkBody(chunk.body)).filter(({ event }) => matches(event, filter));
}

function matches(event: LoggedEvent, filter: EventFilter): boolean {
  return (
    (filter.customer === undefined || event.customer === filter.customer) &&
    (filter.type === undefined || event.type === filter.type) &&
    (filter.id === undefined || event.id === filter.id) &&
    (filter.source === undefined || event.source === filter.source) &&
    (filter.occurredFromMicros === undefined || event.occurredAtMicros >= filter.occurredFromMicros) &&
    (filter.occurredToMicros === undefined || event.occurredAtMicros < filter.occurredToMicros)
  );
}

/** A chunk stores the events of its messages one message after the other, in the order of the receipts that count them. */
export function eventsWithBatches({ events, receipts }: ChunkBody): readonly ChunkEvent[] {
  const batches = receipts.flatMap(({ batchId, stored, voids = 0 }) => new Array<string>(stored - voids).fill(batchId));
  return events.map((event, position) => ({ event, position, batchId: batches[position] ?? '' }));
}
