import type { MeterRevision } from '../catalog/meter.ts';
import { eventTypesOf } from '../catalog/meter-definitions.ts';
import type { ProjectId } from '../ids.ts';
import type { Clock } from '../time/clock.ts';
import { millisOf } from '../time/instant.ts';
import { bornTimes } from './born-times.ts';
import { checkBirth } from './check-birth.ts';
import { DEFAULT_HEADER, type PartitionHeader, partitionName, shardOf } from './log-partition.ts';
import { type HeaderDeps, pinnedHeader } from './pinned-header.ts';
import type { UsageClaims, UsageQueue } from './ports.ts';
import { isRejection, readUsageEvent } from './read-usage-event.ts';
import { HOUR_MILLIS } from './retention.ts';
import { type PlacedEvent, packedUsageBatches } from './usage-batch.ts';
import type { EventWarning, ReadEvent, ReadingContext, Rejection } from './usage-event.ts';

/**
 * The way in: read every event, find its born hour, place it, and hand the accepted ones to the queue. Nothing is counted
 * here; an event is accepted once the queue has it. Repeating a request is safe whatever happened to the first try.
 */
export interface AcceptInput {
  readonly project: ProjectId;
  readonly events: readonly unknown[];
  /** Unique to this request. */
  readonly batchId: string;
  readonly meters: MeterRevision;
  readonly openBackfills: ReadonlySet<string>;
  /** Added to every event: properties of names that no client can send. */
  readonly addedProperties?: Readonly<Record<string, string>>;
}

export interface AcceptDeps extends HeaderDeps {
  readonly claims: UsageClaims;
  readonly queue: UsageQueue;
  readonly clock: Clock;
}

export interface AcceptResult {
  readonly accepted: number;
  readonly rejected: readonly Rejection[];
  readonly warnings: readonly EventWarning[];
}

/** Meters by the event types they count or have counted. */
export function metersByType(revision: MeterRevision): ReadingContext['metersByType'] {
  const byType = new Map<string, MeterRevision['meters'][number][]>();
  for (const meter of revision.meters) {
    for (const eventType of new Set(eventTypesOf(meter))) {
      const known = byType.get(eventType);
      if (known === undefined) byType.set(eventType, [meter]);
      else known.push(meter);
    }
  }
  return byType;
}

/** Accepts what can be accepted of a request. Throws only when a dependency fails; then the whole request may be sent again. */
export async function acceptEvents(input: AcceptInput, deps: AcceptDeps): Promise<AcceptResult> {
  const nowMillis = millisOf(deps.clock.now());
  const context = { nowMillis, metersByType: metersByType(input.meters), openBackfills: input.openBackfills };
  const rejected: Rejection[] = [];
  const warnings: EventWarning[] = [];
  const read: ReadEvent[] = [];
  for (const [index, raw] of input.events.entries()) {
    const result = readUsageEvent(raw, index, context);
    if (isRejection(result)) {
      rejected.push(result);
      continue;
    }
    read.push(result);
  }
  const born = await bornTimes(input.project, read, nowMillis, deps.claims);
  const accepted: BornEvent[] = [];
  for (const [i, entry] of read.entries()) {
    const bornMillis = born[i] ?? nowMillis;
    const checked = checkBirth(entry, bornMillis, context);
    if ('code' in checked) {
      rejected.push(checked);
      continue;
    }
    warnings.push(...checked);
    accepted.push({ ...entry, bornMillis });
  }
  const placed = (await placeEvents(input.project, accepted, deps)).map(withAdded(input.addedProperties));
  rejected.sort((a, b) => a.index - b.index);
  if (placed.length > 0) {
    const batch = {
      project: input.project,
      batchId: input.batchId,
      rejected: rejected.length,
      meterRevision: input.meters.revision,
      receivedAtMillis: nowMillis,
    };
    await deps.queue.send(packedUsageBatches({ ...batch, events: placed }));
  }
  return { accepted: placed.length, rejected, warnings };
}

function withAdded(added: AcceptInput['addedProperties']): (event: PlacedEvent) => PlacedEvent {
  return (event) => (added === undefined ? event : { ...event, properties: { ...event.properties, ...added } });
}

type BornEvent = ReadEvent & { readonly bornMillis: number };

/** Each event in its partition, under the header of its born hour; hours that are not known yet are pinned together. */
async function placeEvents(project: ProjectId, events: readonly BornEvent[], deps: AcceptDeps): Promise<PlacedEvent[]> {
  const headers = new Map<number, PartitionHeader>();
  const hours = new Set(events.map(({ bornMillis }) => Math.floor(bornMillis / HOUR_MILLIS)));
  await Promise.all(
    [...hours].map(async (hour) => headers.set(hour, await pinnedHeader(project, hour * HOUR_MILLIS, deps))),
  );
  return events.map(({ event, occurredAtMicros, bornMillis }) => {
    const header = headers.get(Math.floor(bornMillis / HOUR_MILLIS)) ?? DEFAULT_HEADER;
    const partition = partitionName(header, shardOf(header, event.customer, event.id), bornMillis);
    return { ...event, occurredAtMicros: occurredAtMicros ?? bornMillis * 1000, partition };
  });
}
