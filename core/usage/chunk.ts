import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { invariantBroken } from '../errors.ts';
import type { UsageEvent } from './usage-event.ts';
import { type LoggedVoid, loggedVoidOf, type VoidRow, voidRow } from './usage-void.ts';

/**
 * One item of the usage log: many events, their identities and the receipts of the messages they came in, committed by a
 * single conditional write. Identities lie uncompressed in two byte strings, so that a cold worker reads them without
 * touching the events; events, receipts, voids and the resends worth showing are one deflated document in columns. What was
 * written before there were voids lacks their parts, and has none.
 */
export interface LoggedEvent extends UsageEvent {
  /** The meter revision the event was accepted under; folding uses exactly this one, for ever. */
  readonly meterRevision: number;
}

/**
 * What one message got from one partition, its events and its voids together: `carried = stored + duplicates + conflicts`;
 * retimed ones are among the duplicates.
 */
export interface Receipt {
  readonly batchId: string;
  readonly carried: number;
  readonly stored: number;
  readonly duplicates: number;
  readonly retimed: number;
  readonly conflicts: number;
  /** Events of the request that were refused at the door; carried by its first message, settled by its first partition. */
  readonly rejected: number;
  /** How many of `stored` are voids; absent: none. */
  readonly voids?: number;
}

/** A resend that says something else than the event stored under its identity: never counted, kept to be shown. */
export interface Conflict {
  readonly batchId: string;
  readonly event: LoggedEvent;
}

/** A resend of the same content at another time: counted once, at the time that came first; this is the other one. */
export interface Retimed {
  readonly batchId: string;
  readonly index: number;
  readonly customer: string;
  readonly source: string;
  readonly id: string;
  readonly occurredAtMicros: number;
}

/** What a chunk says besides its identities. */
export interface ChunkBody {
  readonly events: readonly LoggedEvent[];
  readonly receipts: readonly Receipt[];
  readonly conflicts: readonly Conflict[];
  readonly retimed: readonly Retimed[];
  readonly voids: readonly LoggedVoid[];
  /** Positions in `events` of those that were voided before they came, or with them: stored, shown, never counted. */
  readonly dead: ReadonlySet<number>;
}

export interface ChunkContent extends ChunkBody {
  /** Fingerprints and digests of `events`, in the same order (latin1 strings). */
  readonly fingerprints: readonly string[];
  readonly digests: readonly string[];
  /** Fingerprints of the events that `voids` name, in the same order. */
  readonly voided: readonly string[];
}

/** A chunk as it is stored. */
export interface StoredChunk {
  readonly sequence: number;
  readonly fingerprints: Uint8Array;
  readonly digests: Uint8Array;
  /** Fingerprints of the events its voids name. */
  readonly voided: Uint8Array;
  /** Fingerprints of the batch ids of its receipts: what a worker needs to know a settled message again. */
  readonly settled: Uint8Array;
  readonly body: Uint8Array;
  /** Events in this chunk. */
  readonly events: number;
  /** Events and voids in this partition, up to and including this chunk. */
  readonly total: number;
  readonly appendedAtMillis: number;
  /** Range of occurredAt in microseconds, and 4 bytes per distinct customer: what a search may skip. Null without events. */
  readonly range: { readonly from: number; readonly to: number } | null;
  readonly customers: Uint8Array;
}

type ReceiptRow = [string, number, number, number, number, number, number, number?];

interface Body {
  v: number;
  type: string[];
  customer: string[];
  source: string[];
  revision: number[];
  shape: string[][];
  /** One row per column, one entry per event: positions in the dictionaries above. */
  t: number[];
  c: number[];
  s: number[];
  r: number[];
  p: number[];
  index: number[];
  id: string[];
  /** First time as it is, each further one as the difference to the one before. */
  at: number[];
  values: Record<string, string[]>;
}

interface Document {
  events: Body;
  receipts: ReceiptRow[];
  conflicts: { batch: string[]; events: Body } | null;
  retimed?: [string, number, string, string, string, number][];
  voids?: VoidRow[];
  dead?: number[];
}

const VERSION = 1;
/** A chunk's uncompressed document is bounded by its messages; anything larger than this was not written by us. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;

/** A dictionary that hands out positions. */
class Positions<T> {
  readonly entries: T[] = [];
  readonly #known = new Map<string, number>();

  of(key: string, entry: T): number {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const position = this.entries.push(entry) - 1;
    this.#known.set(key, position);
    return position;
  }
}

function columnsOf(events: readonly LoggedEvent[]): Body {
  const types = new Positions<string>();
  const customers = new Positions<string>();
  const sources = new Positions<string>();
  const revisions = new Positions<number>();
  const shapes = new Positions<string[]>();
  const body: Body = {
    v: VERSION,
    type: types.entries,
    customer: customers.entries,
    source: sources.entries,
    revision: revisions.entries,
    shape: shapes.entries,
    t: [],
    c: [],
    s: [],
    r: [],
    p: [],
    index: [],
    id: [],
    at: [],
    values: {},
  };
  let before = 0;
  for (const event of events) {
    const keys = Object.keys(event.properties).sort();
    body.t.push(types.of(event.type, event.type));
    body.c.push(customers.of(event.customer, event.customer));
    body.s.push(sources.of(event.source, event.source));
    body.r.push(revisions.of(String(event.meterRevision), event.meterRevision));
    body.p.push(shapes.of(JSON.stringify(keys), keys));
    body.index.push(event.index);
    body.id.push(event.id);
    body.at.push(event.occurredAtMicros - before);
    before = event.occurredAtMicros;
    for (const key of keys) {
      // The prefix keeps property names such as `__proto__` out of the prototype.
      let column = body.values[`.${key}`];
      if (column === undefined) {
        column = [];
        body.values[`.${key}`] = column;
      }
      column.push(event.properties[key] ?? '');
    }
  }
  return body;
}

function eventsOf(body: Body): LoggedEvent[] {
  const cursors = new Map<string, number>();
  let before = 0;
  return body.id.map((id, i) => {
    const properties = at(body.shape, at(body.p, i)).map((key) => {
      const position = cursors.get(key) ?? 0;
      cursors.set(key, position + 1);
      return [key, at(body.values[`.${key}`] ?? [], position)] as const;
    });
    before += at(body.at, i);
    return {
      index: at(body.index, i),
      id,
      type: at(body.type, at(body.t, i)),
      customer: at(body.customer, at(body.c, i)),
      source: at(body.source, at(body.s, i)),
      occurredAtMicros: before,
      // From entries and not by assignment: a property called __proto__ is a property like any other.
      properties: Object.fromEntries(properties),
      meterRevision: at(body.revision, at(body.r, i)),
    };
  });
}

function at<T>(list: readonly T[], position: number): T {
  const entry = list[position];
  if (entry === undefined) throw invariantBroken('chunk_damaged', `A chunk's columns end before position ${position}.`);
  return entry;
}

/** The compressed document of a chunk. */
export function encodeChunkBody(content: ChunkBody): Uint8Array {
  const document: Document = {
    events: columnsOf(content.events),
    receipts: content.receipts.map((r) => [
      r.batchId,
      r.carried,
      r.stored,
      r.duplicates,
      r.retimed,
      r.conflicts,
      r.rejected,
      ...(r.voids === undefined ? [] : [r.voids]),
    ]) as ReceiptRow[],
    conflicts:
      content.conflicts.length === 0
        ? null
        : { batch: content.conflicts.map((c) => c.batchId), events: columnsOf(content.conflicts.map((c) => c.event)) },
  };
  if (content.retimed.length > 0)
    document.retimed = content.retimed.map((r) => [r.batchId, r.index, r.customer, r.source, r.id, r.occurredAtMicros]);
  if (content.voids.length > 0) document.voids = content.voids.map(voidRow);
  if (content.dead.size > 0) document.dead = [...content.dead];
  return deflateRawSync(JSON.stringify(document));
}

/** The inverse of `encodeChunkBody`. Throws `invariant-broken` (code `chunk_damaged`) on bytes we did not write. */
export function decodeChunkBody(body: Uint8Array): ChunkBody {
  const document = documentOf(body);
  if (document.events.v !== VERSION)
    throw invariantBroken(
      'chunk_damaged',
      `A chunk has version ${document.events.v}; this code reads version ${VERSION}.`,
    );
  const { conflicts, retimed = [], voids = [], dead = [] } = document;
  return {
    events: eventsOf(document.events),
    receipts: document.receipts.map(([batchId, carried, stored, duplicates, retimed, conflicts, rejected, voids]) => ({
      batchId,
      carried,
      stored,
      duplicates,
      retimed,
      conflicts,
      rejected,
      ...(voids === undefined ? {} : { voids }),
    })),
    conflicts:
      conflicts === null
        ? []
        : eventsOf(conflicts.events).map((event, i) => ({ batchId: at(conflicts.batch, i), event })),
    retimed: retimed.map(([batchId, index, customer, source, id, occurredAtMicros]) => ({
      batchId,
      index,
      customer,
      source,
      id,
      occurredAtMicros,
    })),
    voids: voids.map(loggedVoidOf),
    dead: new Set(dead),
  };
}

function documentOf(body: Uint8Array): Document {
  try {
    return JSON.parse(inflateRawSync(body, { maxOutputLength: MAX_BODY_BYTES }).toString('utf8'));
  } catch (cause) {
    throw invariantBroken('chunk_damaged', `The body of a chunk cannot be read: ${String(cause)}.`);
  }
}

/** The events of a chunk that were voided before they came. */
export function deadEvents({ events, dead }: ChunkBody): readonly LoggedEvent[] {
  return dead.size === 0 ? [] : events.filter((_event, position) => dead.has(position));
}

/** The events of a chunk that count unless something later voids them. */
export function liveEvents({ events, dead }: ChunkBody): readonly LoggedEvent[] {
  return dead.size === 0 ? events : events.filter((_event, position) => !dead.has(position));
}
