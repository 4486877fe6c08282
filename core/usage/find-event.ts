import { conflict, invalid } from '../errors.ts';
import { decodeChunkBody, type LoggedEvent, type StoredChunk } from './chunk.ts';
import { bornMillisOf } from './event-id.ts';
import { fingerprintOf, fingerprintsIn } from './identity.ts';
import { type EventIdentity, type LocateDeps, locateEvent } from './locate-event.ts';
import { type PartitionVoid, voidsIn } from './partition-events.ts';
import type { LogSearch } from './ports.ts';
import { eventsWithBatches, mayMatch } from './search-chunk.ts';
import type { FoundEvent } from './search-events.ts';

/** A later message with the same identity that was not stored: the same content at another time, or another content. */
export interface Resend {
  readonly kind: 'conflict' | 'retimed';
  readonly batchId: string;
  readonly sequence: number;
  readonly appendedAtMillis: number;
  readonly occurredAtMicros: number;
  /** What it said; of a retimed one only its time differs. */
  readonly event: LoggedEvent | null;
}

export interface EventInLog {
  readonly found: FoundEvent;
  readonly chunk: StoredChunk;
  readonly resends: readonly Resend[];
}

export interface FindEventDeps {
  readonly search: LogSearch;
  readonly headers: LocateDeps;
}

/** Chunks read for one event when its customer is not told and every one must be unpacked; about a third of a full partition. */
const MAX_UNPACKED_BYTES = 32 * 1024 * 1024;
/** When it is told, only the chunk with its identity must be; of others as much is unpacked to find what was sent again. */
const MAX_RESEND_BYTES = 16 * 1024 * 1024;

/**
 * Finds one event in the log; undefined when it is not there. Throws `customer_needed`, `event_ambiguous` when several
 * customers or sources used the id, and `event_search_too_wide`.
 */
export async function findEvent(identity: EventIdentity, deps: FindEventDeps): Promise<EventInLog | undefined> {
  const places = await locateEvent(identity, deps.headers);
  if (places.kind === 'customer_needed')
    throw invalid(
      'customer_needed',
      'Got an id that carries no time; expected its customer too (and its source, if it had one), because such an id is found through what its first sight was recorded under.',
      [{ field: 'customer', code: 'customer_needed', detail: 'Name the customer of the event.' }],
    );
  if (places.kind === 'never_seen') return undefined;
  const found: EventInLog[] = [];
  // An id without a time was found under exactly one source; one with a time may have been used with any.
  const source = identity.source ?? (bornMillisOf('', identity.id) === null ? '' : undefined);
  for (const partition of places.partitions)
    found.push(...(await inPartition(partition, { ...identity, source }, deps)));
  if (found.length > 1) {
    const names = found.map(({ found: { event } }) => `${event.customer}${event.source && ` (${event.source})`}`);
    throw conflict(
      'event_ambiguous',
      `The id ${identity.id.slice(0, 64)} was used by ${names.slice(0, 5).join(', ')}; name customer and source.`,
    );
  }
  return found[0];
}

type Match = Omit<EventInLog, 'resends'>;

async function inPartition(partition: string, identity: EventIdentity, deps: FindEventDeps): Promise<EventInLog[]> {
  const { project, id, customer, source } = identity;
  const place = { project, partition };
  const whole =
    customer === undefined || source === undefined ? null : fingerprintOf(project, { customer, source, id });
  const is = (event: { customer: string; source: string; id: string }) =>
    event.id === id &&
    (customer === undefined || event.customer === customer) &&
    (source === undefined || event.source === source);
  const matches: Match[] = [];
  const resends: (Resend & { readonly of: string })[] = [];
  const voiding: StoredChunk[] = [];
  let unpacked = 0;
  for await (const chunk of chunksFrom(place, deps.search)) {
    if (chunk.voided.length > 0) voiding.push(chunk);
    const isHere = whole === null ? mayMatch(chunk, { customer }) : fingerprintsIn(chunk.fingerprints).includes(whole);
    if (!isHere && unpacked > MAX_RESEND_BYTES) continue;
    if (unpacked > MAX_UNPACKED_BYTES)
      throw invalid(
        'event_search_too_wide',
        `The hour of this id holds too many events to look through all of them; name the customer.`,
      );
    unpacked += chunk.body.length;
    const body = decodeChunkBody(chunk.body);
    const { sequence, appendedAtMillis } = chunk;
    for (const match of eventsWithBatches(body))
      if (is(match.event))
        matches.push({ chunk, found: { ...match, partition, sequence, appendedAtMillis, voidedBy: null } });
    const at = { sequence, appendedAtMillis };
    for (const { batchId, event } of body.conflicts.filter(({ event }) => is(event))) {
      const { occurredAtMicros } = event;
      resends.push({ kind: 'conflict', batchId, occurredAtMicros, event, ...at, of: fingerprintOf(project, event) });
    }
    for (const { batchId, occurredAtMicros, ...other } of body.retimed.filter(is))
      resends.push({
        kind: 'retimed',
        batchId,
        occurredAtMicros,
        event: null,
        ...at,
        of: fingerprintOf(project, other),
      });
  }
  const voids: ReadonlyMap<string, PartitionVoid> = voidsIn(voiding);
  return matches.map(({ chunk, found }) => {
    const identityOf = fingerprintOf(project, found.event);
    const own = resends.filter(({ of }) => of === identityOf).map(({ of: _of, ...resend }) => resend);
    return { chunk, found: { ...found, voidedBy: voids.get(identityOf) ?? null }, resends: own };
  });
}

async function* chunksFrom(
  place: Parameters<LogSearch['chunksBelow']>[0],
  search: LogSearch,
): AsyncGenerator<StoredChunk> {
  let below = Number.MAX_SAFE_INTEGER;
  for (;;) {
    const chunks = await search.chunksBelow(place, below);
    yield* chunks;
    const last = chunks.at(-1);
    if (last === undefined || last.sequence === 1) return;
    below = last.sequence;
  }
}
