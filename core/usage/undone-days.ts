import type { LoggedEvent, StoredChunk } from './chunk.ts';
import { decodeChunkBody } from './chunk.ts';
import type { foldEvents } from './fold.ts';
import type { UndoneReading } from './fold-view.ts';
import { fingerprintHex, fingerprintsIn } from './identity.ts';
import { dayKey, dayStartMillis, type LogPartition } from './log-partition.ts';
import { chunksUpTo, eventsIn, type PartitionVoid, voidsIn } from './partition-events.ts';
import type { UsageLog } from './ports.ts';
import { DAY_MILLIS } from './retention.ts';
import type { Reading } from './usage-view.ts';
import { keepsContributions } from './view-cell.ts';

/** What the voids of some chunks take out of one customer's UTC day. */
export interface UndoneDay {
  readonly customer: string;
  readonly day: string;
  readonly undone: UndoneReading[];
  /** See `PartitionFold`; absent where nothing that is undone keeps contributions. */
  readonly left?: readonly Reading[];
}

export interface UndoneDays {
  readonly days: readonly UndoneDay[];
  /** The voided events, by fingerprint (hex). */
  readonly events: ReadonlyMap<string, LoggedEvent>;
}

export interface UndoneDeps {
  readonly log: Pick<UsageLog, 'readChunks'>;
  /** The readings of events, under the meter revisions they were accepted under. */
  readingsOf(events: readonly LoggedEvent[]): Promise<ReturnType<typeof foldEvents>['days']>;
}

interface Target {
  readonly event: LoggedEvent;
  readonly fingerprint: string;
  readonly countedAt: number;
  readonly undoneAt: number;
}

const NOTHING: UndoneDays = { days: [], events: new Map() };

/**
 * What the voids of freshly read chunks undo. Their events lie in earlier chunks, so the partition is read from its first, once
 * for all of them; nothing is read where no void undoes anything. Where a maximum or the like is undone, the day's other
 * readings of the partition come along, as they stand at the last of the chunks.
 */
export async function undoneDays(
  place: LogPartition,
  fresh: readonly StoredChunk[],
  deps: UndoneDeps,
): Promise<UndoneDays> {
  const undoing = new Map([...voidsIn(fresh)].filter(([, entry]) => entry.isUndoing));
  const upTo = fresh.at(-1)?.sequence ?? 0;
  if (undoing.size === 0) return NOTHING;
  const chunks = await chunksUpTo(place, upTo, deps.log);
  const targets = targetsIn(chunks, undoing);
  const days = await daysOf(targets, deps);
  const left = await leftOf(chunks, days.filter(isKept), deps);
  return {
    days: days.map((day) => (isKept(day) ? { ...day, left: left.get(nameOf(day)) ?? [] } : day)),
    events: new Map(targets.map(({ fingerprint, event }) => [fingerprintHex(fingerprint), event])),
  };
}

/** The events that the voids name. Only the chunks that hold one are unpacked. */
function targetsIn(chunks: readonly StoredChunk[], undoing: ReadonlyMap<string, PartitionVoid>): Target[] {
  const targets: Target[] = [];
  for (const chunk of chunks) {
    const found = [...fingerprintsIn(chunk.fingerprints).entries()].filter(([, fingerprint]) =>
      undoing.has(fingerprint),
    );
    if (found.length === 0) continue;
    const { events } = decodeChunkBody(chunk.body);
    for (const [position, fingerprint] of found) {
      const event = events[position];
      const undoneAt = undoing.get(fingerprint)?.sequence ?? 0;
      if (event !== undefined) targets.push({ event, fingerprint, countedAt: chunk.sequence, undoneAt });
    }
  }
  return targets;
}

async function daysOf(targets: readonly Target[], deps: UndoneDeps): Promise<UndoneDay[]> {
  const byFingerprint = new Map(targets.map((target) => [fingerprintHex(target.fingerprint), target]));
  const days = await deps.readingsOf(targets.map(({ event }) => event));
  return days.map(({ customer, day, readings }) => ({
    customer,
    day,
    undone: readings.flatMap((reading) => {
      const target = byFingerprint.get(reading.fingerprint);
      return target === undefined ? [] : [{ ...reading, countedAt: target.countedAt, undoneAt: target.undoneAt }];
    }),
  }));
}

function isKept({ undone }: UndoneDay): boolean {
  return undone.some(({ aggregation }) => keepsContributions(aggregation));
}

function nameOf({ customer, day }: { readonly customer: string; readonly day: string }): string {
  return `${day}\0${customer}`;
}

/** The readings of some customers' days that are not voided and belong to meters that keep contributions, by day and customer. */
async function leftOf(
  chunks: readonly StoredChunk[],
  days: readonly UndoneDay[],
  deps: UndoneDeps,
): Promise<Map<string, Reading[]>> {
  const left = new Map<string, Reading[]>(days.map((day) => [nameOf(day), []]));
  if (days.length === 0) return left;
  const starts = days.map(({ day }) => dayStartMillis(day) * 1000);
  const occurred = { from: Math.min(...starts), to: Math.max(...starts) + DAY_MILLIS * 1000 - 1 };
  let events: LoggedEvent[] = [];
  const add = async () => {
    for (const { customer, day, readings } of await deps.readingsOf(events)) {
      left
        .get(nameOf({ customer, day }))
        ?.push(...readings.filter(({ aggregation }) => keepsContributions(aggregation)));
    }
    events = [];
  };
  const customers = new Set(days.map(({ customer }) => customer));
  for (const { event, voidedBy } of eventsIn(chunks, { occurred, customers })) {
    if (voidedBy !== null || !left.has(nameOf({ customer: event.customer, day: dayKey(event.occurredAtMicros) })))
      continue;
    events.push(event);
    if (events.length >= EVENTS_AT_ONCE) await add();
  }
  await add();
  return left;
}

/** Events whose readings are made together: bounds what is held besides the readings that stay. */
const EVENTS_AT_ONCE = 5_000;
