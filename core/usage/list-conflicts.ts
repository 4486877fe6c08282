import { createHash } from 'node:crypto';
import { invalid } from '../errors.ts';
import type { ProjectId } from '../ids.ts';
import type { Clock } from '../time/clock.ts';
import { type Instant, millisOf } from '../time/instant.ts';
import { decodeChunkBody, type LoggedEvent, type StoredChunk } from './chunk.ts';
import { fingerprintOf, fingerprintsIn } from './identity.ts';
import { dayKey } from './log-partition.ts';
import { chunksUpTo } from './partition-events.ts';
import type { UsageLog, UsageRegistry } from './ports.ts';
import { LOG_LIFE_MILLIS } from './retention.ts';
import { daysFrom } from './void-job.ts';

/** A resend that says something else than the event that was stored first, or says it of another time. */
export interface Resend {
  readonly kind: 'conflict' | 'retimed';
  /** The event that counts. */
  readonly stored: LoggedEvent;
  /** What came later and was not counted. Of a retimed resend only the time differs. */
  readonly refused: LoggedEvent;
  /** The batch of the request that brought it. */
  readonly batchId: string;
  readonly partition: string;
  readonly sequence: number;
  readonly appendedAtMillis: number;
}

export interface ResendPage {
  readonly items: readonly Resend[];
  /** Where the next page begins; null when everything was looked at. A page may be empty and still have one. */
  readonly cursor: string | null;
}

export interface ListResendsInput {
  readonly project: ProjectId;
  /** When the resends were appended, half-open. */
  readonly from: Instant;
  readonly to: Instant;
  /** 1 to 100. A chunk is given whole, so a page may hold more. */
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export interface ListResendsDeps {
  readonly log: Pick<UsageLog, 'readChunks'>;
  readonly registry: Pick<UsageRegistry, 'partitionsOf'>;
  readonly clock: Clock;
}

/** What one page may cost, however little it finds. */
const PARTITIONS_A_PAGE = 60;
const BYTES_A_PAGE = 16 * 1024 * 1024;

interface Position {
  readonly day: string;
  readonly partition: string;
  /** The chunk after which the page goes on. */
  readonly sequence: number;
}

/**
 * Conflicts and retimed resends by the time they reached the log: the days of appending in order, their log partitions by
 * name, their chunks. Throws `span_invalid` and `cursor_invalid`.
 */
export async function listResends(input: ListResendsInput, deps: ListResendsDeps): Promise<ResendPage> {
  const { project, from, to, limit, cursor } = input;
  if (to <= from) throw invalid('span_invalid', `Got a span from ${from} to ${to}; expected "from" before "to".`);
  const now = millisOf(deps.clock.now());
  const first = dayKey(Math.max(millisOf(from), now - LOG_LIFE_MILLIS) * 1000);
  const last = dayKey(Math.min(millisOf(to) - 1, now) * 1000);
  const start = cursor === undefined ? { day: first, partition: '', sequence: 0 } : readCursor(cursor, input);
  const items: Resend[] = [];
  let [partitions, bytes] = [0, 0];
  for (const day of daysFrom(start.day, last)) {
    const isResumed = day === start.day;
    for (const partition of [...(await deps.registry.partitionsOf(project, day))].sort()) {
      if (isResumed && partition < start.partition) continue;
      const after = isResumed && partition === start.partition ? start.sequence : 0;
      const isOver = items.length >= limit || partitions >= PARTITIONS_A_PAGE || bytes >= BYTES_A_PAGE;
      if (isOver) return { items, cursor: writeCursor({ day, partition, sequence: after }, input) };
      const chunks = await chunksUpTo({ project, partition }, Number.POSITIVE_INFINITY, deps.log);
      partitions += 1;
      bytes += chunks.reduce((sum, chunk) => sum + chunk.body.length + chunk.fingerprints.length, 0);
      for (const chunk of chunks) {
        if (chunk.sequence <= after || !isWithin(chunk, day, input)) continue;
        items.push(...resendsOf(project, partition, chunk, chunks));
        if (items.length >= limit)
          return { items, cursor: writeCursor({ day, partition, sequence: chunk.sequence }, input) };
      }
    }
  }
  return { items, cursor: null };
}

function isWithin({ appendedAtMillis }: StoredChunk, day: string, { from, to }: ListResendsInput): boolean {
  return (
    dayKey(appendedAtMillis * 1000) === day && appendedAtMillis >= millisOf(from) && appendedAtMillis < millisOf(to)
  );
}

/** A chunk's resends, each beside the event that was stored in this chunk or an earlier one. */
function resendsOf(
  project: ProjectId,
  partition: string,
  { sequence, appendedAtMillis, body }: StoredChunk,
  chunks: readonly StoredChunk[],
): Resend[] {
  const { conflicts, retimed } = decodeChunkBody(body);
  if (conflicts.length + retimed.length === 0) return [];
  const storedOf = storedEvents(
    chunks,
    new Set([...conflicts.map(({ event }) => event), ...retimed].map((entry) => fingerprintOf(project, entry))),
  );
  const place = { partition, sequence, appendedAtMillis };
  const resends: Resend[] = [];
  for (const { batchId, event } of conflicts) {
    const stored = storedOf.get(fingerprintOf(project, event));
    if (stored !== undefined) resends.push({ kind: 'conflict', stored, refused: event, batchId, ...place });
  }
  for (const { batchId, index, occurredAtMicros, ...identity } of retimed) {
    const stored = storedOf.get(fingerprintOf(project, identity));
    if (stored === undefined) continue;
    resends.push({ kind: 'retimed', stored, refused: { ...stored, index, occurredAtMicros }, batchId, ...place });
  }
  return resends;
}

/** The stored events of some identities; only the chunks that hold one are unpacked. */
function storedEvents(chunks: readonly StoredChunk[], wanted: ReadonlySet<string>): Map<string, LoggedEvent> {
  const stored = new Map<string, LoggedEvent>();
  for (const chunk of chunks) {
    const fingerprints = fingerprintsIn(chunk.fingerprints);
    if (!fingerprints.some((fingerprint) => wanted.has(fingerprint))) continue;
    const { events } = decodeChunkBody(chunk.body);
    for (const [position, fingerprint] of fingerprints.entries()) {
      const event = events[position];
      if (event !== undefined && wanted.has(fingerprint)) stored.set(fingerprint, event);
    }
  }
  return stored;
}

/** A cursor belongs to its project and span. */
function questionOf({ project, from, to }: ListResendsInput): string {
  return createHash('sha256')
    .update(JSON.stringify([project, from, to]))
    .digest('hex')
    .slice(0, 16);
}

function writeCursor({ day, partition, sequence }: Position, input: ListResendsInput): string {
  return Buffer.from(JSON.stringify([questionOf(input), day, partition, sequence])).toString('base64url');
}

function readCursor(cursor: string, input: ListResendsInput): Position {
  try {
    const [question, day, partition, sequence] = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    const isWhole = typeof partition === 'string' && Number.isSafeInteger(sequence) && /^\d{8}$/.test(String(day));
    if (question === questionOf(input) && isWhole) return { day: String(day), partition, sequence };
  } catch {
    // Told below, like every other cursor that is not ours.
  }
  throw invalid('cursor_invalid', 'Got a cursor that is not one of this list with this span.');
}
