import { type Instant, microsOf } from '../time/instant.ts';
import type { Meter, MeterDefinition } from './meter.ts';

/** How the meter counts events that occurred at that time (microseconds). */
export function definitionAt(meter: Meter, occurredAtMicros: number): MeterDefinition {
  if (meter.earlier === undefined || isFrom(meter.effectiveAt, occurredAtMicros)) return meter;
  return meter.earlier.find(({ effectiveAt }) => isFrom(effectiveAt, occurredAtMicros)) ?? meter;
}

function isFrom(effectiveAt: Instant | undefined, micros: number): boolean {
  return effectiveAt === undefined || microsOf(effectiveAt) <= micros;
}

/** Every event type that the meter counts or has counted. */
export function eventTypesOf(meter: Meter): readonly string[] {
  return [meter.eventType, ...(meter.earlier ?? []).map(({ eventType }) => eventType)];
}
