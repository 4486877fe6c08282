import type { StoredChunk } from './chunk.ts';
import { DIGEST_BYTES, FINGERPRINT_BYTES, fingerprintsIn } from './identity.ts';

/**
 * What a worker knows of one partition: every identity up to a sequence, and every settled message. It is a cache of the
 * log and nothing else: only chunks that were read from the log, or whose put was confirmed, enter it, in unbroken order.
 */
export class PartitionState {
  head = 0;
  /** Events and voids in the partition up to the head. */
  total = 0;
  /** Fingerprint to digest (latin1 strings). */
  readonly identities = new Map<string, string>();
  /** Fingerprints of the events that voids name, whether or not those events have come. */
  readonly voided = new Set<string>();
  /** Fingerprints of settled messages. */
  readonly settled = new Set<string>();

  /** Applies the next chunk of the log. A chunk that is not the next one changes nothing. */
  apply(chunk: StoredChunk): void {
    if (chunk.sequence !== this.head + 1) return;
    const fingerprints = Buffer.from(chunk.fingerprints).toString('latin1');
    const digests = Buffer.from(chunk.digests).toString('latin1');
    for (let i = 0; i < chunk.events; i++) {
      const fingerprint = fingerprints.slice(i * FINGERPRINT_BYTES, (i + 1) * FINGERPRINT_BYTES);
      this.identities.set(fingerprint, digests.slice(i * DIGEST_BYTES, (i + 1) * DIGEST_BYTES));
    }
    for (const fingerprint of fingerprintsIn(chunk.settled)) this.settled.add(fingerprint);
    for (const fingerprint of fingerprintsIn(chunk.voided)) this.voided.add(fingerprint);
    this.head = chunk.sequence;
    this.total = chunk.total;
  }
}

/** The partitions a warm worker remembers, at most `maxIdentities` identities in all; the least recently used goes first. */
export class PartitionCache {
  readonly #states = new Map<string, PartitionState>();
  readonly #maxIdentities: number;

  constructor(maxIdentities = 2_000_000) {
    this.#maxIdentities = maxIdentities;
  }

  /** The remembered state of a partition, or an empty one that knows nothing yet. */
  of(name: string): PartitionState {
    const state = this.#states.get(name) ?? new PartitionState();
    this.#states.delete(name);
    this.#states.set(name, state);
    return state;
  }

  forget(name: string): void {
    this.#states.delete(name);
  }

  trim(): void {
    let total = 0;
    for (const state of this.#states.values()) total += state.identities.size + state.voided.size;
    for (const [name, state] of this.#states) {
      if (total <= this.#maxIdentities || this.#states.size === 1) return;
      total -= state.identities.size + state.voided.size;
      this.#states.delete(name);
    }
  }
}
