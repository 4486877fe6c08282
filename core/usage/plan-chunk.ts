import { type ChunkContent, encodeChunkBody, type LoggedEvent, type Receipt, type StoredChunk } from './chunk.ts';
import { batchFingerprint, compareDigests } from './identity.ts';
import { placementHash } from './log-partition.ts';
import type { PartitionState } from './partition-state.ts';
import type { LoggedVoid } from './usage-void.ts';

/**
 * What the next chunk of a partition says, given everything the log says already. Pure: the same messages against the same
 * state give the same chunk, which is why any redelivery in any grouping ends in the same log.
 */

/** The part of one message that belongs to one partition. */
export interface PartitionShare {
  readonly batchId: string;
  readonly events: readonly IdentifiedEvent[];
  readonly voids: readonly IdentifiedVoid[];
  readonly rejected: number;
}

export interface IdentifiedEvent {
  readonly event: LoggedEvent;
  readonly fingerprint: string;
  readonly digest: string;
}

export interface IdentifiedVoid {
  readonly entry: Omit<LoggedVoid, 'isUndoing'>;
  /** The fingerprint of the event it names. */
  readonly fingerprint: string;
}

/** DynamoDB takes items of 400 KB; a chunk stays below this with its keys and small attributes. */
const MAX_CHUNK_BYTES = 350_000;
const MAX_CHUNK_EVENTS = 10_000;
const MAX_CHUNK_TEXT = 2_000_000;

/** The chunk that settles as many of the shares as fit into one item; null when all of them are settled already. */
export function planChunk(
  state: PartitionState,
  shares: readonly PartitionShare[],
  nowMillis: number,
): StoredChunk | null {
  const open = shares.filter((share) => !state.settled.has(batchFingerprint(share.batchId)));
  let count = countThatFits(open);
  while (count > 0) {
    const content = settle(state, open.slice(0, count));
    const chunk = storedChunk(state, content, nowMillis);
    if (bytesOf(chunk) <= MAX_CHUNK_BYTES || count === 1) return chunk;
    count = Math.ceil(count / 2);
  }
  return null;
}

/** How many shares, from the first, are tried in one chunk: a bound on events and text before compression. */
function countThatFits(shares: readonly PartitionShare[]): number {
  let events = 0;
  let text = 0;
  for (const [i, share] of shares.entries()) {
    events += share.events.length + share.voids.length;
    for (const { entry } of share.voids) text += entry.id.length + entry.customer.length + entry.reason.length + 64;
    for (const { event } of share.events) {
      text += event.id.length + event.customer.length + 32;
      for (const key in event.properties) text += key.length + (event.properties[key]?.length ?? 0);
    }
    if (i > 0 && (events > MAX_CHUNK_EVENTS || text > MAX_CHUNK_TEXT)) return i;
  }
  return shares.length;
}

function settle(state: PartitionState, shares: readonly PartitionShare[]): ChunkContent {
  const draft = new ChunkDraft(state);
  const seen = new Set<string>();
  for (const share of shares) {
    if (seen.has(share.batchId)) continue;
    seen.add(share.batchId);
    draft.settle(share);
  }
  return draft.content();
}

type Growing<T> = { -readonly [K in keyof T]: T[K] };

/** What is planned of a chunk so far. */
class ChunkDraft {
  readonly #state: PartitionState;
  readonly #planned = new Map<string, string>();
  readonly #voided = new Set<string>();
  readonly #events: LoggedEvent[] = [];
  readonly #receipts: Receipt[] = [];
  readonly #conflicts: ChunkContent['conflicts'][number][] = [];
  readonly #retimed: ChunkContent['retimed'][number][] = [];
  readonly #voids: LoggedVoid[] = [];

  constructor(state: PartitionState) {
    this.#state = state;
  }

  settle({ batchId, events, voids, rejected }: PartitionShare): void {
    const carried = events.length + voids.length;
    const receipt = { batchId, carried, stored: 0, duplicates: 0, retimed: 0, conflicts: 0, rejected };
    for (const event of events) this.#event(event, receipt);
    const before = this.#voids.length;
    for (const entry of voids) this.#void(entry, receipt);
    const own = this.#voids.length - before;
    this.#receipts.push(own === 0 ? receipt : { ...receipt, voids: own });
  }

  #event({ event, fingerprint, digest }: IdentifiedEvent, receipt: Growing<Receipt>): void {
    const known = this.#state.identities.get(fingerprint) ?? this.#planned.get(fingerprint);
    if (known === undefined) {
      this.#planned.set(fingerprint, digest);
      this.#events.push(event);
      receipt.stored += 1;
      return;
    }
    const resend = compareDigests(known, digest);
    if (resend === 'conflict') {
      this.#conflicts.push({ batchId: receipt.batchId, event });
      receipt.conflicts += 1;
      return;
    }
    receipt.duplicates += 1;
    if (resend !== 'retimed') return;
    receipt.retimed += 1;
    const { index, customer, source, id, occurredAtMicros } = event;
    this.#retimed.push({ batchId: receipt.batchId, index, customer, source, id, occurredAtMicros });
  }

  #void({ entry, fingerprint }: IdentifiedVoid, receipt: Growing<Receipt>): void {
    if (this.#state.voided.has(fingerprint) || this.#voided.has(fingerprint)) {
      receipt.duplicates += 1;
      return;
    }
    this.#voided.add(fingerprint);
    this.#voids.push({ ...entry, isUndoing: this.#state.identities.has(fingerprint) });
    receipt.stored += 1;
  }

  content(): ChunkContent {
    return {
      events: this.#events,
      fingerprints: [...this.#planned.keys()],
      digests: [...this.#planned.values()],
      receipts: this.#receipts,
      conflicts: this.#conflicts,
      retimed: this.#retimed,
      voids: this.#voids,
      voided: [...this.#voided],
      dead: this.#dead(),
    };
  }

  /** The new events that this chunk or an earlier one voids. Looked for only where anything is voided at all. */
  #dead(): Set<number> {
    const dead = new Set<number>();
    if (this.#state.voided.size === 0 && this.#voided.size === 0) return dead;
    let position = 0;
    for (const fingerprint of this.#planned.keys()) {
      if (this.#state.voided.has(fingerprint) || this.#voided.has(fingerprint)) dead.add(position);
      position += 1;
    }
    return dead;
  }
}

function storedChunk(state: PartitionState, content: ChunkContent, nowMillis: number): StoredChunk {
  const latin1 = (parts: readonly string[]) => Buffer.from(parts.join(''), 'latin1');
  let from = Number.POSITIVE_INFINITY;
  let to = Number.NEGATIVE_INFINITY;
  for (const { occurredAtMicros } of content.events) {
    from = Math.min(from, occurredAtMicros);
    to = Math.max(to, occurredAtMicros);
  }
  return {
    sequence: state.head + 1,
    fingerprints: latin1(content.fingerprints),
    digests: latin1(content.digests),
    voided: latin1(content.voided),
    settled: latin1(content.receipts.map((receipt) => batchFingerprint(receipt.batchId))),
    body: encodeChunkBody(content),
    events: content.events.length,
    total: state.total + content.events.length + content.voids.length,
    appendedAtMillis: nowMillis,
    range: content.events.length === 0 ? null : { from, to },
    customers: customerDigest(content.events),
  };
}

/** Four bytes for each distinct customer, sorted: a search skips a chunk whose digest lacks its customer. */
function customerDigest(events: readonly LoggedEvent[]): Uint8Array {
  const hashes = [...new Set(events.map((event) => placementHash(event.customer)))].sort((a, b) => a - b);
  const bytes = Buffer.alloc(hashes.length * 4);
  for (const [i, hash] of hashes.entries()) bytes.writeUInt32BE(hash, i * 4);
  return bytes;
}

function bytesOf(chunk: StoredChunk): number {
  return (
    chunk.fingerprints.length +
    chunk.digests.length +
    chunk.voided.length +
    chunk.settled.length +
    chunk.body.length +
    chunk.customers.length +
    512
  );
}
