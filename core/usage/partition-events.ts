import { decodeChunkBody, type LoggedEvent, type StoredChunk } from './chunk.ts';
import { fingerprintsIn } from './identity.ts';
import type { LogPartition } from './log-partition.ts';
import { placementHash } from './log-partition.ts';
import type { UsageLog } from './ports.ts';
import type { LoggedVoid } from './usage-void.ts';

/** What a reader of a partition looks for. */
export interface PartitionQuery {
  /** The last chunk that is read, and the last whose voids count; the head if absent. */
  readonly upTo?: number;
  /** Chunks up to this one are passed over, but for their voids. */
  readonly after?: number;
  /** Only chunks with events that occurred in here, both ends included, in microseconds. */
  readonly occurred?: { readonly from: number; readonly to: number };
  /** Only chunks with events of one of these customers. */
  readonly customers?: ReadonlySet<string>;
}

/** An event of the log, and whether it counts. */
export interface PartitionEvent {
  /** Of its chunk. */
  readonly sequence: number;
  readonly event: LoggedEvent;
  readonly fingerprint: string;
  /** What voided it, before or after it came; null when it counts. */
  readonly voidedBy: PartitionVoid | null;
}

export interface PartitionVoid extends LoggedVoid {
  /** Of its chunk. */
  readonly sequence: number;
}

/**
 * The events of a log partition in their order, each with what voided it. A chunk that cannot hold what is looked for is not
 * unpacked, so an event that is given may still be of another time or customer: the caller looks. Reads the partition up to
 * `upTo` before the first event is given, because the last chunk may void the first event; that is 32 MB of it at most by design.
 */
export async function* partitionEvents(
  place: LogPartition,
  query: PartitionQuery,
  { log }: { readonly log: Pick<UsageLog, 'readChunks'> },
): AsyncGenerator<PartitionEvent> {
  yield* eventsIn(await chunksUpTo(place, query.upTo ?? Number.POSITIVE_INFINITY, log), query);
}

/** The same of chunks that have been read: all of the partition from its first. */
export function* eventsIn(
  chunks: readonly StoredChunk[],
  query: Omit<PartitionQuery, 'upTo'>,
): Generator<PartitionEvent> {
  const voids = voidsIn(chunks);
  const hashes = query.customers && new Set([...query.customers].map(placementHash));
  for (const chunk of chunks) {
    if (chunk.sequence <= (query.after ?? 0) || !mayMatter(chunk, query.occurred, hashes)) continue;
    const fingerprints = fingerprintsIn(chunk.fingerprints);
    for (const [position, event] of decodeChunkBody(chunk.body).events.entries()) {
      const fingerprint = fingerprints[position] ?? '';
      yield { sequence: chunk.sequence, event, fingerprint, voidedBy: voids.get(fingerprint) ?? null };
    }
  }
}

/** The chunks of a partition from its first up to a sequence. */
export async function chunksUpTo(
  place: LogPartition,
  upTo: number,
  log: Pick<UsageLog, 'readChunks'>,
): Promise<readonly StoredChunk[]> {
  const chunks: StoredChunk[] = [];
  for await (const page of log.readChunks(place, 0)) {
    for (const chunk of page) {
      if (chunk.sequence > upTo) return chunks;
      chunks.push(chunk);
    }
  }
  return chunks;
}

/** Every void of some chunks, by the fingerprint of the event it names. */
export function voidsIn(chunks: readonly StoredChunk[]): Map<string, PartitionVoid> {
  const voids = new Map<string, PartitionVoid>();
  for (const { sequence, voided, body } of chunks) {
    if (voided.length === 0) continue;
    const entries = decodeChunkBody(body).voids;
    for (const [position, fingerprint] of fingerprintsIn(voided).entries()) {
      const entry = entries[position];
      if (entry !== undefined) voids.set(fingerprint, { ...entry, sequence });
    }
  }
  return voids;
}

function mayMatter(
  { events, range, customers }: StoredChunk,
  occurred: PartitionQuery['occurred'],
  hashes: ReadonlySet<number> | undefined,
): boolean {
  if (events === 0 || range === null) return false;
  if (occurred !== undefined && (range.to < occurred.from || range.from > occurred.to)) return false;
  if (hashes === undefined) return true;
  const bytes = Buffer.from(customers);
  for (let at = 0; at < bytes.length; at += CUSTOMER_BYTES) if (hashes.has(bytes.readUInt32BE(at))) return true;
  return false;
}

/** Of a customer in a chunk's digest of customers. */
const CUSTOMER_BYTES = 4;
