import { invalid } from '../errors.ts';
import type { ProjectId } from '../ids.ts';
import type { Clock } from '../time/clock.ts';
import { millisOf } from '../time/instant.ts';
import type { StoredChunk } from './chunk.ts';
import { fingerprintOf } from './identity.ts';
import { type LocateDeps, locateEvent } from './locate-event.ts';
import { dayKey, dayStartMillis } from './log-partition.ts';
import { type PartitionVoid, voidsIn } from './partition-events.ts';
import type { LogSearch, UsageRegistry } from './ports.ts';
import { DAY_MILLIS, HOUR_MILLIS, LOG_LIFE_MILLIS } from './retention.ts';
import { type ChunkEvent, type EventFilter, matchesIn, mayMatch } from './search-chunk.ts';
import { decodeSearchCursor, encodeSearchCursor, type SearchPosition } from './search-cursor.ts';

/**
 * Searches the log itself: the day appended to last first, in it the youngest log partition (born hour) first, in it the
 * chunk appended last first. The registry says which partitions each day has; a chunk's customers and range of times say
 * whether it must be decompressed. An event whose place follows from its id is looked for only there.
 */
export interface EventSearch extends EventFilter {
  readonly project: ProjectId;
  /** Events of a page, 1 to 100. */
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export interface SearchDeps {
  readonly search: LogSearch;
  readonly registry: Pick<UsageRegistry, 'partitionsOf'>;
  readonly headers: LocateDeps;
  readonly clock: Clock;
}

export interface FoundEvent extends ChunkEvent {
  readonly partition: string;
  readonly sequence: number;
  readonly appendedAtMillis: number;
  /** What voided it, before or after it came; null when it counts. */
  readonly voidedBy: PartitionVoid | null;
}

export interface EventPage {
  readonly events: readonly FoundEvent[];
  /** Where the next page begins; null when everything was looked at. A page may be empty and still have one. */
  readonly cursor: string | null;
  readonly chunksLooked: number;
  readonly chunksDecoded: number;
}

/** What one page may cost, however little it finds: bytes of chunks read, and queries for days and partitions. */
const BYTES_A_PAGE = 8 * 1024 * 1024;
const STEPS_A_PAGE = 200;
/** A query of DynamoDB reads so much at most. */
const BYTES_A_QUERY = 1024 * 1024;

interface Step {
  readonly day: string;
  readonly partition: string;
}

/** One page of the search. Throws `span_invalid` for spans that end before they begin, and `cursor_invalid`. */
export async function searchEvents(input: EventSearch, deps: SearchDeps): Promise<EventPage> {
  refuseEmptySpans(input);
  const { limit, cursor, ...question } = input;
  const from = cursor === undefined ? null : decodeSearchCursor(cursor, question);
  const page = new Page(input);
  for await (const step of stepsOf(input, from, deps)) {
    if (page.isOver) return page.endingAt(startOf(step), question);
    page.steps += 1;
    if (step.partition === '') continue;
    const isSame = from?.day === step.day && from.partition === step.partition;
    const found = page.found.length;
    const stoppedAt = await searchPartition(step, isSame ? from : startOf(step), page, deps);
    if (page.found.length > found) await markVoided(step, found, page, deps);
    if (stoppedAt !== null) return page.endingAt(stoppedAt, question);
  }
  return page.endingAt(null, question);
}

/** What a page has found and what that has cost. */
class Page {
  readonly found: FoundEvent[] = [];
  readonly input: EventSearch;
  steps = 0;
  bytes = 0;
  chunksLooked = 0;
  chunksDecoded = 0;

  constructor(input: EventSearch) {
    this.input = input;
  }

  get isFull(): boolean {
    return this.found.length >= this.input.limit;
  }

  /** Whether no further chunk may be looked at. */
  get isSpent(): boolean {
    return this.isFull || this.bytes >= BYTES_A_PAGE;
  }

  /** Whether no further day or partition may be. */
  get isOver(): boolean {
    return this.isSpent || this.steps >= STEPS_A_PAGE;
  }

  /** Takes what matches in a chunk, from the last event down; answers the index to go on below, 0 when it is through. */
  take(partition: string, chunk: StoredChunk, below: number): number {
    this.chunksLooked += 1;
    if (!mayMatch(chunk, this.input)) return 0;
    this.chunksDecoded += 1;
    for (const match of matchesIn(chunk, this.input).toReversed()) {
      if (match.position >= below) continue;
      if (this.isFull) return match.position + 1;
      const { sequence, appendedAtMillis } = chunk;
      this.found.push({ ...match, partition, sequence, appendedAtMillis, voidedBy: null });
    }
    return 0;
  }

  endingAt(position: SearchPosition | null, question: unknown): EventPage {
    const { found: events, chunksLooked, chunksDecoded } = this;
    const cursor = position && encodeSearchCursor(position, question);
    return { events, cursor, chunksLooked, chunksDecoded };
  }
}

function startOf({ day, partition }: Step): SearchPosition {
  return { day, partition, sequence: Number.MAX_SAFE_INTEGER, index: 0 };
}

/** Looks through a partition from a position down. Answers where it stopped, null when it is through. */
async function searchPartition(
  { day, partition }: Step,
  from: SearchPosition,
  page: Page,
  { search }: SearchDeps,
): Promise<SearchPosition | null> {
  const place = { project: page.input.project, partition };
  // Clocks of writers differ a little, so a chunk may bear an earlier time than the one before it.
  const oldest = day === '' ? 0 : dayStartMillis(day) - HOUR_MILLIS;
  let below = from.index > 0 ? from.sequence + 1 : from.sequence;
  for (;;) {
    const chunks = await search.chunksBelow(place, below);
    for (const chunk of chunks) {
      if (chunk.appendedAtMillis < oldest) return null;
      if (page.isSpent) return { day, partition, sequence: chunk.sequence + 1, index: 0 };
      page.bytes += chunk.body.length + chunk.fingerprints.length;
      if (day !== '' && dayKey(chunk.appendedAtMillis * 1000) !== day) continue;
      const index = chunk.sequence === from.sequence ? from.index : Number.MAX_SAFE_INTEGER;
      const left = page.take(partition, chunk, index);
      if (left > 0) return { day, partition, sequence: chunk.sequence, index: left };
    }
    const last = chunks.at(-1);
    if (last === undefined || last.sequence === 1) return null;
    below = last.sequence;
  }
}

/** Looks up what voided the matches of a partition, from the one at `first` on: any chunk of it may. */
async function markVoided({ partition }: Step, first: number, page: Page, { search }: SearchDeps): Promise<void> {
  const { project } = page.input;
  const chunks: StoredChunk[] = [];
  for await (const some of search.chunksWithVoids({ project, partition })) {
    chunks.push(...some);
    page.bytes += BYTES_A_QUERY;
  }
  const voids = voidsIn(chunks);
  for (const match of page.found.splice(first))
    page.found.push({ ...match, voidedBy: voids.get(fingerprintOf(project, match.event)) ?? null });
}

/** Days and their partitions from a position on, newest first. A day comes once by itself, before its partitions. */
async function* stepsOf(input: EventSearch, from: SearchPosition | null, deps: SearchDeps): AsyncGenerator<Step> {
  const located = input.id === undefined ? null : await locateEvent({ ...input, id: input.id }, deps.headers);
  if (located !== null && located.kind !== 'customer_needed') {
    const partitions = located.kind === 'located' ? located.partitions : [];
    for (const partition of partitions.slice(Math.max(0, partitions.indexOf(from?.partition ?? ''))))
      yield { day: '', partition };
    return;
  }
  const { first, last } = daysOf(input, millisOf(deps.clock.now()));
  const newest = from === null ? last : Math.min(last, dayStartMillis(from.day));
  for (let millis = newest; millis >= first; millis -= DAY_MILLIS) {
    const day = dayKey(millis * 1000);
    yield { day, partition: '' };
    const listed = await deps.registry.partitionsOf(input.project, day);
    for (const partition of [...listed].sort(youngestFirst)) {
      const isBehind = from?.day === day && from.partition !== '' && youngestFirst(partition, from.partition) < 0;
      if (!isBehind) yield { day, partition };
    }
  }
}

/** By born bucket, the latest first; the shards of a bucket in any, but always the same, order. */
function youngestFirst(a: string, b: string): number {
  const [bucketA, bucketB] = [a, b].map((name) => name.slice(name.indexOf('.') + 1)) as [string, string];
  if (bucketA !== bucketB) return bucketA < bucketB ? 1 : -1;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** The first milliseconds of the append days that can hold a match: nothing is appended before it happened, but for a clock's error. */
function daysOf(input: EventSearch, now: number): { first: number; last: number } {
  const earliest = Math.max(
    now - LOG_LIFE_MILLIS,
    (input.occurredFromMicros ?? 0) / 1000 - HOUR_MILLIS,
    input.appendedFromMillis ?? 0,
  );
  const latest = Math.min(now, (input.appendedToMillis ?? Number.POSITIVE_INFINITY) - 1);
  const dayOf = (millis: number) => Math.floor(millis / DAY_MILLIS) * DAY_MILLIS;
  return { first: dayOf(earliest), last: dayOf(latest) };
}

function refuseEmptySpans(filter: EventFilter): void {
  const spans = [
    ['occurred_to', filter.occurredFromMicros, filter.occurredToMicros],
    ['appended_to', filter.appendedFromMillis, filter.appendedToMillis],
  ] as const;
  for (const [field, from, to] of spans) {
    if (from === undefined || to === undefined || from < to) continue;
    const detail = `Got ${field} at or before ${field.replace('_to', '_from')}; expected a later time.`;
    throw invalid('span_invalid', detail, [{ field, code: 'span_invalid', detail }]);
  }
}
