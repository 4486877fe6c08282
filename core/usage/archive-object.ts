import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { MeterRevision } from '../catalog/meter.ts';
import { invariantBroken } from '../errors.ts';
import type { StoredChunk } from './chunk.ts';
import type { LogPartition } from './log-partition.ts';
import type { ArchiveObject } from './ports.ts';

/**
 * An archived partition: gzip over lines of JSON. The first line names the partition, then comes a line for each chunk, its
 * fields as they lie in the log (bytes in base64), and a last line with the counts and every meter revision that its events
 * were accepted under. So the object can be counted again with nothing beside it, and one that was cut short is known.
 */
export interface ArchivedPartition {
  readonly place: LogPartition;
  readonly chunks: readonly StoredChunk[];
  readonly revisions: readonly MeterRevision[];
}

const FORMAT = 1;
/** A partition is at most about a million ids; what unpacks to more was not written by us. */
const MAX_UNPACKED_BYTES = 2 * 1024 * 1024 * 1024;

interface Head extends LogPartition {
  readonly format: number;
}

interface Tail {
  readonly chunks: number;
  readonly events: number;
  readonly meterRevisions: readonly MeterRevision[];
}

/** Writes one object chunk by chunk, each compressed by itself, so that only the compressed bytes are held. */
export class ArchiveWriter {
  readonly #place: LogPartition;
  readonly #members: Buffer[] = [];
  readonly #hash = createHash('sha256');
  #chunks = 0;
  #events = 0;

  constructor(place: LogPartition) {
    this.#place = place;
    const head: Head = { format: FORMAT, ...place };
    this.#line(head);
  }

  /** Adds the next chunk. Throws `invariant-broken` (`archive_gap`) for any other. */
  add(chunk: StoredChunk): void {
    if (chunk.sequence !== this.#chunks + 1)
      throw invariantBroken('archive_gap', `Got chunk ${chunk.sequence}; expected chunk ${this.#chunks + 1}.`);
    this.#line(Object.fromEntries(Object.entries(chunk).map(([name, value]) => [name, packed(value)])));
    this.#chunks = chunk.sequence;
    this.#events += chunk.events;
  }

  finish(meterRevisions: readonly MeterRevision[]): ArchiveObject {
    const tail: Tail = { chunks: this.#chunks, events: this.#events, meterRevisions };
    this.#line(tail);
    const bytes = Buffer.concat(this.#members);
    return { place: this.#place, bytes, sha256: this.#hash.digest('hex'), chunks: tail.chunks, events: tail.events };
  }

  #line(value: unknown): void {
    const line = `${JSON.stringify(value)}\n`;
    this.#hash.update(line);
    this.#members.push(gzipSync(line));
  }
}

/**
 * Reads an archived object. Throws `invariant-broken` (`archive_damaged`) unless it is whole, of this partition, and what the
 * checksum says.
 */
export function readArchiveObject(place: LogPartition, bytes: Uint8Array, sha256: string): ArchivedPartition {
  const lines = linesOf(place, bytes, sha256);
  const [head, tail] = [lines.shift() as Head | undefined, lines.pop() as Tail | undefined];
  if (head?.format !== FORMAT || head.project !== place.project || head.partition !== place.partition)
    throw damaged(place, `it says that it is format ${head?.format} of ${head?.project}/${head?.partition}`);
  const chunks = lines.map((line) => {
    const fields = Object.entries(line as object).map(([name, value]) => [name, unpacked(value)]);
    return Object.fromEntries(fields) as StoredChunk;
  });
  const events = chunks.reduce((sum, chunk) => sum + chunk.events, 0);
  if (tail?.chunks !== chunks.length || tail.events !== events)
    throw damaged(place, `it holds ${chunks.length} chunks and says ${tail?.chunks}`);
  return { place, chunks, revisions: tail.meterRevisions };
}

function linesOf(place: LogPartition, bytes: Uint8Array, sha256: string): unknown[] {
  let content: Buffer;
  try {
    content = gunzipSync(bytes, { maxOutputLength: MAX_UNPACKED_BYTES });
  } catch (cause) {
    throw damaged(place, `it cannot be decompressed (${String(cause)})`);
  }
  const found = createHash('sha256').update(content).digest('hex');
  if (found !== sha256) throw damaged(place, `its SHA-256 is ${found} and was ${sha256} when it was stored`);
  const lines: unknown[] = [];
  for (let from = 0; from < content.length; ) {
    const to = content.indexOf(0x0a, from);
    const end = to < 0 ? content.length : to;
    lines.push(JSON.parse(content.toString('utf8', from, end)));
    from = end + 1;
  }
  return lines;
}

function packed(value: unknown): unknown {
  return value instanceof Uint8Array ? { base64: Buffer.from(value).toString('base64') } : value;
}

function unpacked(value: unknown): unknown {
  const { base64 } = (value ?? {}) as { base64?: unknown };
  return typeof base64 === 'string' ? new Uint8Array(Buffer.from(base64, 'base64')) : value;
}

function damaged({ project, partition }: LogPartition, what: string): Error {
  return invariantBroken('archive_damaged', `The archive of partition ${partition} of ${project} is damaged: ${what}.`);
}
