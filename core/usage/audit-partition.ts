import { decodeChunkBody, type LoggedEvent, type StoredChunk } from './chunk.ts';
import { fingerprintsIn } from './identity.ts';
import type { LogPartition } from './log-partition.ts';
import type { UsageLog } from './ports.ts';

/** What became of accepted events: `accepted` is the sum of all others but `rejected`. */
export interface AuditCounts {
  readonly accepted: number;
  readonly stored: number;
  /** Resends of the same content at the same time. */
  readonly duplicates: number;
  /** Resends of the same content at another time. */
  readonly retimed: number;
  readonly conflicts: number;
  readonly parked: number;
  readonly discarded: number;
  /** Refused at the door, in the same requests; not among the accepted. */
  readonly rejected: number;
}

export interface AuditedConflict {
  readonly partition: string;
  readonly batchId: string;
  readonly event: LoggedEvent;
}

export interface PartitionAudit {
  readonly partition: string;
  readonly chunks: number;
  /** From the receipts alone: nothing in it is parked or discarded. */
  readonly counts: AuditCounts;
  /** The messages that have a receipt here. */
  readonly batches: ReadonlySet<string>;
  readonly conflicts: readonly AuditedConflict[];
  /** What does not agree, in sentences; empty when the partition balances. */
  readonly differences: readonly string[];
}

export const NO_COUNTS: AuditCounts = {
  ...{ accepted: 0, stored: 0, duplicates: 0, retimed: 0 },
  ...{ conflicts: 0, parked: 0, discarded: 0, rejected: 0 },
};

export function addCounts(a: AuditCounts, b: AuditCounts): AuditCounts {
  return {
    accepted: a.accepted + b.accepted,
    stored: a.stored + b.stored,
    duplicates: a.duplicates + b.duplicates,
    retimed: a.retimed + b.retimed,
    conflicts: a.conflicts + b.conflicts,
    parked: a.parked + b.parked,
    discarded: a.discarded + b.discarded,
    rejected: a.rejected + b.rejected,
  };
}

interface Books {
  counts: AuditCounts;
  readonly batches: Set<string>;
  readonly identities: Set<string>;
  readonly voided: Set<string>;
  readonly conflicts: AuditedConflict[];
  readonly differences: string[];
}

/**
 * Reads a whole partition, at most `maxConflicts` of its conflicts, and holds its receipts against what lies beside them: the
 * stored identities and events, the running total, the conflicts, the unbroken sequence, each message and identity once.
 */
export async function auditPartition(
  place: LogPartition,
  maxConflicts: number,
  { log }: { readonly log: Pick<UsageLog, 'readChunks' | 'oldestAbove'> },
): Promise<PartitionAudit> {
  const books: Books = {
    counts: NO_COUNTS,
    batches: new Set(),
    identities: new Set(),
    voided: new Set(),
    conflicts: [],
    differences: [],
  };
  let head = 0;
  for await (const page of log.readChunks(place, 0)) {
    for (const chunk of page) {
      enter(books, place.partition, chunk, maxConflicts);
      head = chunk.sequence;
    }
  }
  if ((await log.oldestAbove(place, head)) !== null)
    books.differences.push(`Chunk ${head + 1} is missing, or was appended during this audit.`);
  const { counts, batches, conflicts, differences } = books;
  return { partition: place.partition, chunks: head, counts, batches, conflicts, differences };
}

function enter(books: Books, partition: string, chunk: StoredChunk, maxConflicts: number): void {
  const { sequence } = chunk;
  const body = decodeChunkBody(chunk.body);
  const said = { stored: 0, conflicts: 0 };
  const expect = (what: string, found: number, expected: number) => {
    if (found !== expected)
      books.differences.push(`Chunk ${sequence}: ${what} are ${found}, and ${expected} by its receipts.`);
  };
  for (const { batchId, carried, stored, duplicates, retimed, conflicts, rejected } of body.receipts) {
    if (books.batches.has(batchId)) books.differences.push(`Chunk ${sequence}: message ${batchId} has two receipts.`);
    books.batches.add(batchId);
    expect(`events of message ${batchId}`, carried, stored + duplicates + conflicts);
    said.stored += stored;
    said.conflicts += conflicts;
    const one = { ...NO_COUNTS, accepted: carried, stored, duplicates: duplicates - retimed, retimed };
    books.counts = addCounts(books.counts, { ...one, conflicts, rejected });
  }
  expect('stored events and voids', body.events.length + body.voids.length, said.stored);
  expect('counted events', chunk.events, said.stored - body.voids.length);
  expect('stored conflicts', body.conflicts.length, said.conflicts);
  expect('events and voids up to here', chunk.total, books.counts.stored);
  for (const fingerprint of fingerprintsIn(chunk.fingerprints)) books.identities.add(fingerprint);
  for (const fingerprint of fingerprintsIn(chunk.voided)) books.voided.add(fingerprint);
  expect('different identities up to here', books.identities.size + books.voided.size, books.counts.stored);
  for (const { batchId, event } of body.conflicts)
    if (books.conflicts.length < maxConflicts) books.conflicts.push({ partition, batchId, event });
}
