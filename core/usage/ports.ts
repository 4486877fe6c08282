import type { Page, PageRequest } from '../accounts/ports.ts';
import type { ProjectId } from '../ids.ts';
import type { StoredChunk } from './chunk.ts';
import type { LogPartition, PartitionHeader } from './log-partition.ts';
import type { UsageView } from './usage-view.ts';

/** What counting needs from the outside. Every write says in its answer whether it took effect; a throw means: unknown. */

/** The append-only log. */
export interface UsageLog {
  /** Chunks above `sequence` in unbroken order, read strongly, page by page. Stops at the first gap. */
  readChunks(partition: LogPartition, sequence: number): AsyncIterable<readonly StoredChunk[]>;
  /** When the first chunk above `sequence` was appended (ms since 1970), read strongly; null when there is none. */
  oldestAbove(partition: LogPartition, sequence: number): Promise<number | null>;
  /** Puts a chunk if its sequence is free. `refused` means: taken, perhaps by an earlier try of the very same call. */
  putChunk(partition: LogPartition, chunk: StoredChunk): Promise<'stored' | 'refused'>;
}

/** Reading the log backwards, for those who look for something in it. */
export interface LogSearch {
  /** Some of the chunks below `sequence`, the last appended first, read strongly; none only when there are none. */
  chunksBelow(partition: LogPartition, sequence: number): Promise<readonly StoredChunk[]>;
  /** The chunks of a partition that hold voids, read strongly: for each MB that was read for them one page, often empty. */
  chunksWithVoids(partition: LogPartition): AsyncIterable<readonly StoredChunk[]>;
}

/** Closed partitions of the log, for good: one object each, written once. */
export interface UsageArchive {
  /** Stores a partition unless it is there; then answers the checksum of the one that is. */
  putOnce(object: ArchiveObject): Promise<'stored' | { readonly sha256: string }>;
}

/** One closed partition as it is archived: see archive-object.ts. */
export interface ArchiveObject {
  readonly place: LogPartition;
  readonly bytes: Uint8Array;
  /** SHA-256 (hex) of what the bytes hold before compression. */
  readonly sha256: string;
  readonly chunks: number;
  readonly events: number;
}

export interface ArchiveReads {
  /** The partitions of a project that are archived, by born hour. */
  list(project: ProjectId): AsyncIterable<readonly string[]>;
  /** How many chunks were archived of a partition that is there. */
  chunksOf(place: LogPartition): Promise<number>;
  /** An archived partition as stored, and the checksum it was stored under; null when it is not there. */
  read(place: LogPartition): Promise<{ readonly bytes: Uint8Array; readonly sha256: string } | null>;
}

/** How far a project's log is archived. */
export interface ArchivePosition {
  /** The first millisecond of the next born hour, and how many of its partitions are done. */
  readonly hourMillis: number;
  readonly partitionsDone: number;
}

export interface ArchiveProgress {
  read(project: ProjectId): Promise<ArchivePosition | undefined>;
  write(project: ProjectId, position: ArchivePosition): Promise<void>;
}

/** First sights of ids that do not carry their time, and the placement of each hour. Both are written once, for ever. */
export interface UsageClaims {
  /** Claims `identity` (hex) at `millis`, or learns when it was first seen. Returns the milliseconds that count. */
  claim(project: ProjectId, identity: string, millis: number): Promise<number>;
  /**
   * Claims up to 100 different identities in one call, all or none. Answers by position like `claim`; undefined where nothing
   * is known yet, because another one kept the call from taking effect.
   */
  claimTogether(
    project: ProjectId,
    identities: readonly string[],
    millis: number,
  ): Promise<readonly (number | undefined)[]>;
  /** When `identity` (hex) was first seen; undefined when it never was, or its claim has expired. */
  findClaim(project: ProjectId, identity: string): Promise<number | undefined>;
  /** Pins the header of the hour that `bornMillis` lies in, or learns the pinned one. */
  pinHeader(project: ProjectId, bornMillis: number, header: PartitionHeader): Promise<PartitionHeader>;
  /** The pinned header of the hour; undefined when no event of the hour was ever accepted. */
  findHeader(project: ProjectId, bornMillis: number): Promise<PartitionHeader | undefined>;
}

/** Which partitions were appended to in which hour. */
export interface UsageRegistry {
  register(partition: LogPartition, appendHour: string, expiresAtSeconds: number): Promise<void>;
  /** The partitions appended to on a UTC day (`20261121`), from an hour (`2026112103`) on if one is given; each once. */
  partitionsOf(project: ProjectId, appendDay: string, fromHour?: string): Promise<readonly string[]>;
}

export interface FoldCursor {
  /** Every chunk up to this sequence is in every view it touches. 0 at first. */
  readonly sequence: number;
  /** Events folded so far, and when. */
  readonly total: number;
  readonly foldedAtMillis: number;
  /** How many customers' days the last fold wrote. */
  readonly days: number;
}

export interface ViewKey {
  readonly project: ProjectId;
  readonly customer: string;
  /** UTC day, `20261121`. */
  readonly day: string;
  /** Empty for the day's first item; a meter, or a meter and a slice, once the day has been split. */
  readonly part: string;
}

export interface StoredView {
  readonly key: ViewKey;
  /** Rises by one with every write; 0 when the item does not exist yet. */
  readonly version: number;
  readonly view: UsageView;
}

/** The views of the log. */
export interface UsageViews {
  readCursor(partition: LogPartition): Promise<FoldCursor>;
  /** Moves the cursor forward; a cursor that is already there or beyond stays. */
  advanceCursor(partition: LogPartition, cursor: FoldCursor): Promise<void>;
  /** Reads one view strongly; version 0 and an empty view when there is none. */
  readView(key: ViewKey): Promise<StoredView>;
  /** All views of a customer from one UTC day to another, both included, read strongly. */
  readViews(project: ProjectId, customer: string, fromDay: string, toDay: string): Promise<readonly StoredView[]>;
  /** The first UTC day that a customer has usage on; undefined when it never had any. */
  firstDay(project: ProjectId, customer: string): Promise<string | undefined>;
  /** Writes `version + 1` if the stored version is still `version`. */
  writeView(view: StoredView): Promise<'stored' | 'refused'>;
  /** Writes the emptied parent and its new parts in one transaction, or nothing. */
  splitView(parent: StoredView, parts: readonly StoredView[]): Promise<'stored' | 'refused'>;
  /** Remembers that a customer has usage. */
  markSeen(project: ProjectId, customer: string): Promise<void>;
  /** Remembers that a day received usage after it had long ended. */
  markLate(project: ProjectId, customer: string, day: string): Promise<void>;
}

/** Days whose views and log did not agree. */
export interface UsageDisputes {
  /** Opens a dispute, or opens it again. */
  open(project: ProjectId, customer: string, day: string, detail: string): Promise<void>;
  /** Settles the dispute if one is open; changes nothing else. */
  settle(project: ProjectId, customer: string, day: string): Promise<void>;
  /** The UTC days of a customer with an open dispute, read strongly. */
  openDays(project: ProjectId, customer: string): Promise<readonly string[]>;
}

/** What could not be appended or folded and must not be lost. */
export interface ParkedMessage {
  /** Unique and derived, so that parking twice is parking once. */
  readonly name: string;
  readonly reason: 'unreadable' | 'undeliverable' | 'append_deadline' | 'unfoldable' | 'view_full';
  readonly detail: string;
  readonly body: string;
  readonly events: number;
  readonly parkedAtMillis: number;
}

export interface ParkingLot {
  park(project: ProjectId | 'system', message: ParkedMessage): Promise<void>;
  /** Everything parked, by name. */
  list(project: ProjectId | 'system'): Promise<readonly ParkedMessage[]>;
  /** Removes a message once it has been replayed or discarded. */
  remove(project: ProjectId | 'system', name: string): Promise<void>;
}

/** What somebody decided about a parked message, kept for good. A later decision about the same name takes its place. */
export interface ParkingDecision extends Omit<ParkedMessage, 'body'> {
  readonly outcome: 'replayed' | 'discarded';
  /** The id of the API key that asked, or `command-line`. */
  readonly by: string;
  readonly decidedAtMillis: number;
  /** What was discarded; null when it was replayed, because then the log holds it. */
  readonly body: string | null;
}

/** Where people look at what is parked and decide about it. */
export interface ParkingDesk {
  find(project: ProjectId | 'system', name: string): Promise<ParkedMessage | undefined>;
  page(project: ProjectId, page: PageRequest): Promise<Page<ParkedMessage>>;
  record(project: ProjectId | 'system', decision: ParkingDecision): Promise<void>;
  decision(project: ProjectId | 'system', name: string): Promise<ParkingDecision | undefined>;
  decisions(project: ProjectId | 'system', page: PageRequest): Promise<Page<ParkingDecision>>;
}

/** The queue between ingest and append. */
export interface UsageQueue {
  /** Sends every message or throws; what was sent before the throw is harmless, because a resend is deduplicated. */
  send(messages: readonly string[]): Promise<void>;
}
