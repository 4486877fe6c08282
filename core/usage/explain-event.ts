import type { MeterStore } from '../catalog/ports.ts';
import { decodeChunkBody, liveEvents } from './chunk.ts';
import { isConsumedMeter } from './consumed-meter.ts';
import { type EventInLog, type FindEventDeps, findEvent } from './find-event.ts';
import { foldEvents } from './fold.ts';
import { metersLeftIn } from './fold-quarantine.ts';
import { fingerprintHex, fingerprintOf } from './identity.ts';
import type { EventIdentity } from './locate-event.ts';
import { dayStartMillis } from './log-partition.ts';
import { Revisions, readRevisions } from './meter-revisions.ts';
import { parkedEvents } from './parked-events.ts';
import type { ParkedMessage, ParkingDesk, UsageViews } from './ports.ts';

/** What became of one event: where it lies, and which meters count it, in which buckets, or why they do not. */
export interface ExplainDeps extends FindEventDeps {
  readonly meters: Pick<MeterStore, 'revision' | 'newest'>;
  readonly views: Pick<UsageViews, 'readCursor'>;
  readonly desk: Pick<ParkingDesk, 'find' | 'page'>;
}

export interface CountedBy {
  readonly meter: string;
  readonly aggregation: string;
  /** What the event adds, before any rounding. */
  readonly value: string;
  readonly dimensions: Readonly<Record<string, string>>;
  /** The quarter hour it counts in. */
  readonly startMillis: number;
  readonly state: 'counted' | 'not_folded_yet' | 'voided' | 'parked';
}

export interface EventExplained {
  /** Null: it is not in the log. */
  readonly inLog: EventInLog | null;
  readonly countedBy: readonly CountedBy[];
  /** Where the event, or a part of what it counts, was set aside. */
  readonly parked: readonly Pick<ParkedMessage, 'name' | 'reason' | 'detail'>[];
  /** Whether the whole parking lot was looked through. */
  readonly isParkingWhole: boolean;
}

const QUARTER_MILLIS = 900_000;
const PARKING_PAGES = 10;

/** Explains an event; undefined when it is neither in the log nor parked. Throws what `findEvent` throws. */
export async function explainEvent(identity: EventIdentity, deps: ExplainDeps): Promise<EventExplained | undefined> {
  const inLog = await findEvent(identity, deps);
  if (inLog !== undefined) return explained(identity, inLog, deps);
  const { parked, isWhole } = await parkedBeforeLog(identity, deps);
  if (parked.length === 0) return undefined;
  return { inLog: null, countedBy: [], parked, isParkingWhole: isWhole };
}

async function explained({ project }: EventIdentity, inLog: EventInLog, deps: ExplainDeps): Promise<EventExplained> {
  const { found, chunk } = inLog;
  const { event, partition, sequence } = found;
  const live = liveEvents(decodeChunkBody(chunk.body));
  const revisions = await Revisions.asOfNow(project, deps);
  await readRevisions(project, live.length === 0 ? [event] : [...live, event], revisions, deps);
  const hex = fingerprintHex(fingerprintOf(project, event));
  const { unfoldable } = foldEvents(project, live, revisions);
  const position = unfoldable.findIndex(({ event: { id, customer, source } }) => {
    return id === event.id && customer === event.customer && source === event.source;
  });
  const names = [`full:${partition}:${sequence}:${hex}`];
  if (position >= 0) names.push(`fold:${partition}:${sequence}:${position}`);
  if (found.voidedBy !== null) names.push(`full:${partition}:${found.voidedBy.sequence}:void:${hex}`);
  const parked = (await Promise.all(names.map((name) => deps.desk.find(project, name)))).filter(
    (entry) => entry !== undefined,
  );
  const cursor = await deps.views.readCursor({ project, partition });
  const readings = foldEvents(project, [event], revisions).days.flatMap(({ day, readings: all }) =>
    all.filter(({ meter }) => !isConsumedMeter(meter)).map((reading) => ({ day, reading })),
  );
  const left = parked.filter(({ reason }) => reason === 'view_full').map(({ detail }) => detail);
  const countedBy = readings.map(({ day, reading }): CountedBy => {
    const values: string[] = JSON.parse(reading.dimensionKey);
    const isLeft = left.some((detail) => metersLeftIn(detail).includes(reading.meter));
    const state = cursor.sequence < sequence ? 'not_folded_yet' : isLeft ? 'parked' : 'counted';
    return {
      meter: reading.meter,
      aggregation: reading.aggregation,
      value: reading.value,
      dimensions: Object.fromEntries(reading.names.map((name, i) => [name, values[i] ?? ''])),
      startMillis: dayStartMillis(day) + reading.quarter * QUARTER_MILLIS,
      state: found.voidedBy === null ? state : 'voided',
    };
  });
  return { inLog, countedBy, parked: parked.map(named), isParkingWhole: true };
}

function named({ name, reason, detail }: ParkedMessage) {
  return { name, reason, detail };
}

/** Messages with the event that never reached the log, among the first thousand that are parked. */
async function parkedBeforeLog({ project, id, customer, source }: EventIdentity, { desk }: ExplainDeps) {
  const parked: Pick<ParkedMessage, 'name' | 'reason' | 'detail'>[] = [];
  let cursor: string | undefined;
  for (let pages = 0; pages < PARKING_PAGES; pages++) {
    const page = await desk.page(project, { limit: 100, cursor });
    for (const message of page.items) {
      const isHere = (parkedEvents(message) ?? []).some(
        (event) =>
          event.id === id &&
          (customer === undefined || event.customer === customer) &&
          (source === undefined || event.source === source),
      );
      if (isHere) parked.push(named(message));
    }
    if (page.cursor === null) return { parked, isWhole: true };
    cursor = page.cursor;
  }
  return { parked, isWhole: false };
}
