import type { ProjectId } from '../ids.ts';
import type { Clock } from '../time/clock.ts';
import { millisOf } from '../time/instant.ts';
import { decodeChunkBody, type LoggedEvent, type StoredChunk } from './chunk.ts';
import type { Unfoldable } from './fold.ts';
import type { UndoneReading } from './fold-view.ts';
import { fingerprintHex, fingerprintOf, fingerprintsIn } from './identity.ts';
import type { LogPartition } from './log-partition.ts';
import type { ParkingLot } from './ports.ts';
import type { Reading } from './usage-view.ts';

/**
 * Events that folding cannot count: kept by derived names, so that keeping them twice is keeping them once, while everything
 * else goes on. A view that is full or an event nobody can read must never block its shard.
 */
export interface QuarantineDeps {
  readonly parking: ParkingLot;
  readonly clock: Clock;
}

interface SetAside {
  readonly name: string;
  readonly reason: 'unfoldable' | 'view_full';
  readonly detail: string;
  readonly event: LoggedEvent;
}

async function setAside(project: ProjectId, { event, ...entry }: SetAside, deps: QuarantineDeps): Promise<void> {
  const parkedAtMillis = millisOf(deps.clock.now());
  await deps.parking.park(project, { ...entry, body: JSON.stringify(event), events: 1, parkedAtMillis });
}

/** Keeps the events of a chunk that no meter of their revision counts. */
export async function quarantineUnfoldable(
  place: LogPartition,
  sequence: number,
  unfoldable: readonly Unfoldable[],
  deps: QuarantineDeps,
): Promise<void> {
  for (const [i, { event, detail }] of unfoldable.entries()) {
    const name = `fold:${place.partition}:${sequence}:${i}`;
    await setAside(place.project, { name, reason: 'unfoldable', detail, event }, deps);
  }
}

/**
 * Keeps the events behind the readings that a view had no room for, and of those that it does not take out, `undone` by
 * identity. Answers how many.
 */
export async function quarantineLeft(
  left: readonly (Reading | UndoneReading)[],
  read: readonly { readonly place: LogPartition; readonly chunks: readonly StoredChunk[] }[],
  undone: ReadonlyMap<string, LoggedEvent>,
  deps: QuarantineDeps,
): Promise<number> {
  let kept = 0;
  const metersOf = metersByEvent(left.filter((reading) => !isUndone(reading)));
  const undoneMetersOf = metersByEvent(left.filter(isUndone));
  for (const { place, chunks } of read) {
    for (const chunk of chunks) {
      for (const event of decodeChunkBody(chunk.body).events) {
        const identity = fingerprintHex(fingerprintOf(place.project, event));
        const meters = metersOf.get(identity);
        if (meters === undefined) continue;
        const name = `full:${place.partition}:${chunk.sequence}:${identity}`;
        const detail = `The day's usage of customer ${event.customer} has more combinations of dimension values than its views take (docs/limits.md): look for a dimension that differs from event to event. This event is not counted by ${meters.join(', ')}.`;
        await setAside(place.project, { name, reason: 'view_full', detail, event }, deps);
        kept += 1;
      }
      for (const fingerprint of fingerprintsIn(chunk.voided)) {
        const identity = fingerprintHex(fingerprint);
        const [meters, event] = [undoneMetersOf.get(identity), undone.get(identity)];
        if (meters === undefined || event === undefined) continue;
        const name = `full:${place.partition}:${chunk.sequence}:void:${identity}`;
        const detail = `The day's usage of customer ${event.customer} takes nothing more in from this log partition; this event was voided and is still counted by ${meters.join(', ')}.`;
        await setAside(place.project, { name, reason: 'view_full', detail, event }, deps);
        kept += 1;
      }
    }
  }
  return kept;
}

function isUndone(reading: Reading | UndoneReading): reading is UndoneReading {
  return 'undoneAt' in reading;
}

function metersByEvent(left: readonly Reading[]): Map<string, string[]> {
  const metersOf = new Map<string, string[]>();
  for (const { fingerprint, meter } of left) {
    const meters = metersOf.get(fingerprint);
    if (meters === undefined) metersOf.set(fingerprint, [meter]);
    else meters.push(meter);
  }
  return metersOf;
}

/** The meters that the `detail` of a `view_full` entry says do not count its event. */
export function metersLeftIn(detail: string): readonly string[] {
  return (/ is not counted by ([a-z0-9_, -]+)\.$/.exec(detail)?.[1] ?? '').split(', ');
}
