import type { Meter, MeterRevision } from '../catalog/meter.ts';
import { definitionAt } from '../catalog/meter-definitions.ts';
import type { ProjectId } from '../ids.ts';
import { millisOf } from '../time/instant.ts';
import type { LoggedEvent } from './chunk.ts';
import { consumedOf } from './consumed-meter.ts';
import { countEvent, matchesMeter } from './count-event.ts';
import { fingerprintHex, fingerprintOf } from './identity.ts';
import { dayKey } from './log-partition.ts';
import { memberOf } from './unique-members.ts';
import type { Reading } from './usage-view.ts';

/**
 * From events to readings: a pure function of the chunk, of the meter revision each of its events was accepted under, and of
 * the meters that look back to before they were made.
 * Nothing else may decide what an event counts, or re-folding would not give the same views.
 */
export interface DayReadings {
  readonly customer: string;
  readonly day: string;
  readonly readings: Reading[];
}

/** An event that no meter of its revision could count: impossible by the door's rules, therefore kept and shown. */
export interface Unfoldable {
  readonly event: LoggedEvent;
  readonly detail: string;
}

const QUARTER_MICROS = 15 * 60 * 1_000_000;
const QUARTERS_A_DAY = 96;

/** The UTC quarter hour of its day that an instant lies in, 0 to 95. */
export function quarterOf(micros: number): number {
  return Math.floor(micros / QUARTER_MICROS) % QUARTERS_A_DAY;
}

/** The readings of a chunk's events by customer and UTC day. */
export function foldEvents(
  project: ProjectId,
  events: readonly LoggedEvent[],
  revisions: ReadonlyMap<number, MeterRevision> & { readonly backfilled?: readonly Meter[] },
): { days: DayReadings[]; unfoldable: Unfoldable[] } {
  const days = new Map<string, DayReadings>();
  const unfoldable: Unfoldable[] = [];
  for (const event of events) {
    const meters = revisions.get(event.meterRevision)?.meters;
    if (meters === undefined) {
      unfoldable.push({ event, detail: `Meter revision ${event.meterRevision} does not exist.` });
      continue;
    }
    const readings = readingsOf(project, event, meters);
    if (readings.length === 0) {
      unfoldable.push({
        event,
        detail: `No meter of revision ${event.meterRevision} counts events of type ${event.type} with these properties.`,
      });
      continue;
    }
    const day = dayKey(event.occurredAtMicros);
    const key = `${day}\0${event.customer}`;
    const entry = days.get(key) ?? { customer: event.customer, day, readings: [] };
    entry.readings.push(...readings, ...backfilledReadings(project, event, meters, revisions.backfilled ?? []));
    days.set(key, entry);
  }
  return { days: [...days.values()], unfoldable };
}

/** What the event counts for meters that its own revision does not have. Each view says whether it takes them. */
function backfilledReadings(
  project: ProjectId,
  event: LoggedEvent,
  own: readonly Meter[],
  backfilled: readonly Meter[],
): Reading[] {
  if (backfilled.length === 0) return [];
  const millis = event.occurredAtMicros / 1000;
  const others = backfilled.filter(
    ({ key, backfill }) =>
      backfill !== undefined &&
      millis >= millisOf(backfill.from) &&
      millis < millisOf(backfill.until) &&
      !own.some((meter) => meter.key === key),
  );
  return readingsOf(project, event, others).map((reading) => ({ ...reading, isBackfilled: true as const }));
}

function readingsOf(project: ProjectId, event: LoggedEvent, meters: readonly Meter[]): Reading[] {
  const readings: Reading[] = [];
  for (const meter of meters) {
    const definition = definitionAt(meter, event.occurredAtMicros);
    if (definition.eventType !== event.type || !matchesMeter(definition, event.properties)) continue;
    const counted = countEvent(meter, definition, event.properties);
    if (!('value' in counted)) continue;
    readings.push({
      meter: meter.key,
      aggregation: meter.aggregation,
      names: definition.dimensions,
      dimensionKey: counted.dimensionKey,
      quarter: quarterOf(event.occurredAtMicros),
      value: meter.aggregation === 'unique_count' ? memberOf(counted.value) : counted.value,
      occurredAtMicros: event.occurredAtMicros,
      fingerprint: fingerprintHex(fingerprintOf(project, event)),
    });
  }
  return readings.length === 0 ? readings : [...readings, ...consumedReading(project, event)];
}

/** Of events that do not count, what their quotas have to know all the same: that their quantities have arrived. */
export function foldConsumed(project: ProjectId, events: readonly LoggedEvent[]): DayReadings[] {
  return events.flatMap((event) => {
    const readings = consumedReading(project, event);
    return readings.length === 0 ? [] : [{ customer: event.customer, day: dayKey(event.occurredAtMicros), readings }];
  });
}

/** What came through a quota, for the quota alone. */
function consumedReading(project: ProjectId, event: LoggedEvent): Reading[] {
  const consumed = consumedOf(event.properties);
  if (consumed === null) return [];
  return [
    {
      meter: consumed.meter,
      aggregation: 'sum',
      names: [],
      dimensionKey: '[]',
      quarter: quarterOf(event.occurredAtMicros),
      value: consumed.quantity,
      occurredAtMicros: event.occurredAtMicros,
      fingerprint: fingerprintHex(fingerprintOf(project, event)),
    },
  ];
}
