import { brotliDecompressSync, constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { invalid } from '../errors.ts';
import { isProjectId, type ProjectId } from '../ids.ts';
import { isPartitionName } from './log-partition.ts';
import type { UsageEvent } from './usage-event.ts';
import type { UsageVoid } from './usage-void.ts';

/**
 * The message between ingest and append: the accepted events or voids of one request for one shard, with their index, their
 * partition and everything a receipt needs. A message is at most 256 KB, so that one chunk can always settle it whole; a larger request
 * becomes several messages.
 */
export interface UsageBatch {
  readonly project: ProjectId;
  /** Made once by ingest and carried inside the message, so that a message sent twice is still one batch. */
  readonly batchId: string;
  /** Events of the request that were refused; counted in its first message only. */
  readonly rejected: number;
  readonly meterRevision: number;
  readonly receivedAtMillis: number;
  readonly events: readonly PlacedEvent[];
  /** Absent: none. */
  readonly voids?: readonly PlacedVoid[];
}

export interface PlacedEvent extends UsageEvent {
  readonly partition: string;
}

export interface PlacedVoid extends UsageVoid {
  /** The partition of the event it names. */
  readonly partition: string;
}

export const MAX_MESSAGE_BYTES = 256 * 1024;
/** Room for the names of the partitions: at most one for each of 1,000 events. */
const PARTITION_LIST_BYTES = 20 * 1024;
const VERSION = 1;
/** Of a message with voids: an append that knows nothing of them must not take it, and leaves it to its successor. */
const VERSION_WITH_VOIDS = 2;
/** The queue bills messages by this many bytes. */
const BILLED_BYTES = 64 * 1024;
/** What no JSON document begins with: a message packed by zstd, and one packed by brotli as versions before this did. */
const PACKED = 'z';
const PACKED_BY_BROTLI = 'b';
/** The CPU of brotli's fastest level and half its size; far less CPU than the SDK needs to write the larger text. */
const FASTEST = { params: { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_windowLog]: 18 } };
const MAX_UNPACKED_BYTES = 16 * 1024 * 1024;

type EventRow = [number, number, string, string, string, string, number, Record<string, string>];
type VoidRow = [number, number, string, string, string, string, string];
interface Wire {
  v: number;
  p: ProjectId;
  b: string;
  r: number;
  m: number;
  at: number;
  parts: string[];
  e: EventRow[];
  x?: VoidRow[];
}

/** The position of a partition in `parts`, which collects them. */
function partOf(partition: string, parts: string[]): number {
  const known = parts.indexOf(partition);
  return known < 0 ? parts.push(partition) - 1 : known;
}

function eventRow(event: PlacedEvent, parts: string[]): EventRow {
  return [
    event.index,
    partOf(event.partition, parts),
    event.type,
    event.customer,
    event.source,
    event.id,
    event.occurredAtMicros,
    event.properties,
  ];
}

function voidRow({ index, partition, customer, source, id, reason, by }: PlacedVoid, parts: string[]): VoidRow {
  return [index, partOf(partition, parts), customer, source, id, reason, by];
}

/**
 * Where messages are put together: one piece of memory for all of them, because the system takes longer to give out a fresh
 * one than all the writing takes. Nothing is read from it that the same message did not write.
 */
let draft = Buffer.allocUnsafeSlow(MAX_MESSAGE_BYTES);
const EVENTS_BEGIN = '{"e":[';
const VOIDS_BEGIN = '{"e":[],"x":[';

/** Writes text at a position of the draft and answers with the position after it. */
function writeDraft(text: string, at: number): number {
  if (at + text.length * 3 > draft.length) {
    const larger = Buffer.allocUnsafeSlow(2 * (at + text.length * 3));
    draft.copy(larger, 0, 0, at);
    draft = larger;
  }
  return at + draft.write(text, at, 'utf8');
}

/**
 * The messages of one request, its events before its voids: each at most `maxBytes` of UTF-8 (one event alone may be at most
 * about 155 KB by the door's limits). The batch ids of a request's second and later messages end in `.1`, `.2` and so on.
 * `use` gets each message's bytes for as long as it runs.
 */
function eachMessage(batch: UsageBatch, maxBytes: number, use: (bytes: Buffer) => void): void {
  const { project, batchId, meterRevision, receivedAtMillis } = batch;
  const head = { p: project, m: meterRevision, at: receivedAtMillis };
  let messages = 0;
  let parts: string[] = [];
  let end = writeDraft(EVENTS_BEGIN, 0);
  let begin = EVENTS_BEGIN;
  let rows = 0;
  const flush = () => {
    const own = messages === 0 ? { b: batchId, r: batch.rejected } : { b: `${batchId}.${messages}`, r: 0 };
    const v = begin === EVENTS_BEGIN ? VERSION : VERSION_WITH_VOIDS;
    const length = writeDraft(`],${JSON.stringify({ v, ...head, ...own, parts }).slice(1)}`, end);
    use(draft.subarray(0, length));
    messages += 1;
    parts = [];
    end = writeDraft(begin, 0);
    rows = 0;
  };
  const write = (row: EventRow | VoidRow) => writeDraft(`${rows === 0 ? '' : ','}${JSON.stringify(row)}`, end);
  const add = <T>(entry: T, rowOf: (entry: T, parts: string[]) => EventRow | VoidRow) => {
    let next = write(rowOf(entry, parts));
    if (rows > 0 && next > maxBytes - PARTITION_LIST_BYTES) {
      flush();
      next = write(rowOf(entry, parts));
    }
    end = next;
    rows += 1;
  };
  for (const event of batch.events) add(event, eventRow);
  if (batch.voids !== undefined && batch.voids.length > 0) {
    // Never in one message with events, so that only these wait for an append that knows voids.
    if (rows > 0) flush();
    begin = VOIDS_BEGIN;
    end = writeDraft(begin, 0);
    for (const entry of batch.voids) add(entry, voidRow);
  }
  if (rows > 0) flush();
}

/** The messages as text. */
export function encodeUsageBatches(batch: UsageBatch, maxBytes = MAX_MESSAGE_BYTES): string[] {
  const messages: string[] = [];
  eachMessage(batch, maxBytes, (bytes) => messages.push(bytes.toString('utf8')));
  return messages;
}

/** The messages as the queue carries them: one that would be billed more than once is compressed. */
export function packedUsageBatches(batch: UsageBatch): string[] {
  const messages: string[] = [];
  eachMessage(batch, MAX_MESSAGE_BYTES, (bytes) => messages.push(packed(bytes)));
  return messages;
}

function packed(bytes: Buffer): string {
  if (bytes.length <= BILLED_BYTES) return bytes.toString('utf8');
  return PACKED + zstdCompressSync(bytes, FASTEST).toString('base64');
}

/** Reads a message, packed or not. Throws `invalid` (code `message_unreadable`) for anything this version did not write. */
export function decodeUsageBatch(text: string): UsageBatch {
  const wire = wireOf(text);
  return {
    project: wire.p,
    batchId: wire.b,
    rejected: wire.r,
    meterRevision: wire.m,
    receivedAtMillis: wire.at,
    events: wire.e.map(([index, part, type, customer, source, id, occurredAtMicros, properties]) => {
      const partition = wire.parts[part] ?? unlisted(index, part);
      return { index, partition, type, customer, source, id, occurredAtMicros, properties };
    }),
    ...(wire.x === undefined ? {} : { voids: wire.x.map((row) => placedVoid(row, wire.parts)) }),
  };
}

function placedVoid([index, part, customer, source, id, reason, by]: VoidRow, parts: readonly string[]): PlacedVoid {
  return { index, partition: parts[part] ?? unlisted(index, part), customer, source, id, reason, by };
}

function unlisted(index: number, part: number): never {
  throw invalid(
    'message_unreadable',
    `Entry ${index} of a usage message names partition ${part}, which the message does not list.`,
  );
}

function wireOf(text: string): Wire {
  let wire: unknown;
  try {
    wire = JSON.parse(unpacked(text));
  } catch (cause) {
    throw invalid(
      'message_unreadable',
      `A usage message is not JSON (${String(cause)}); it is parked for a person to look at.`,
    );
  }
  if (isWire(wire)) return wire;
  throw invalid(
    'message_unreadable',
    'A usage message lacks its version, project, batch id or events, or one of its events or voids is not whole; it is parked for a person to look at.',
  );
}

function unpacked(text: string): string {
  const limit = { maxOutputLength: MAX_UNPACKED_BYTES };
  const bytes = () => Buffer.from(text.slice(1), 'base64');
  if (text.startsWith(PACKED)) return zstdDecompressSync(bytes(), limit).toString('utf8');
  if (text.startsWith(PACKED_BY_BROTLI)) return brotliDecompressSync(bytes(), limit).toString('utf8');
  return text;
}

function isWire(value: unknown): value is Wire {
  if (typeof value !== 'object' || value === null) return false;
  const wire = value as Partial<Record<keyof Wire, unknown>>;
  return (
    (wire.v === VERSION || wire.v === VERSION_WITH_VOIDS) &&
    typeof wire.p === 'string' &&
    isProjectId(wire.p) &&
    typeof wire.b === 'string' &&
    [wire.r, wire.m, wire.at].every(Number.isSafeInteger) &&
    Array.isArray(wire.parts) &&
    wire.parts.every((part) => typeof part === 'string' && isPartitionName(part)) &&
    Array.isArray(wire.e) &&
    wire.e.every(isRow) &&
    (wire.v === VERSION ? wire.x === undefined : Array.isArray(wire.x) && wire.x.every(isVoidRow))
  );
}

function isVoidRow(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== 7) return false;
  const [index, part, ...texts] = value;
  return [index, part].every(Number.isSafeInteger) && texts.every((text) => typeof text === 'string');
}

function isRow(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  const [index, part, type, customer, source, id, occurredAtMicros, properties] = value;
  return (
    [index, part, occurredAtMicros].every(Number.isSafeInteger) &&
    [type, customer, source, id].every((text) => typeof text === 'string') &&
    typeof properties === 'object' &&
    properties !== null &&
    Object.values(properties).every((text) => typeof text === 'string')
  );
}
