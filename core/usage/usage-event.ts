import type { Meter } from '../catalog/meter.ts';

/** One fact of usage as it was accepted: what everything downstream counts. */
export interface UsageEvent {
  /** Position in the request, from 0. */
  readonly index: number;
  readonly id: string;
  readonly type: string;
  readonly customer: string;
  /** Where the id is unique; may be empty. */
  readonly source: string;
  readonly occurredAtMicros: number;
  /** Every value as text; numbers in plain decimal notation with all their digits. */
  readonly properties: Readonly<Record<string, string>>;
}

/** Why one event was refused, in words that help. `status` is what a request with only this event answers. */
export interface Rejection {
  readonly index: number;
  readonly id?: string;
  readonly code: RejectionCode;
  readonly status: 400 | 404 | 422;
  readonly field: string;
  readonly got: string;
  readonly expected: string;
  readonly detail: string;
}

/** Something worth fixing about an event that was accepted. */
export interface EventWarning {
  readonly index: number;
  readonly code: 'meter_cannot_count' | 'time_derived';
  readonly detail: string;
}

export type RejectionCode =
  | 'event_not_an_object'
  | 'id_missing'
  | 'id_invalid'
  | 'customer_missing'
  | 'customer_invalid'
  | 'type_missing'
  | 'type_invalid'
  | 'event_type_unknown'
  | 'source_invalid'
  | 'backfill_not_open'
  | 'time_invalid'
  | 'time_in_future'
  | 'event_too_old'
  | 'id_too_old'
  | 'id_in_future'
  | 'properties_invalid'
  | 'property_invalid'
  | 'field_unknown'
  | 'value_missing'
  | 'value_not_a_number'
  | 'value_not_computable'
  | 'no_meter_matches';

/** What `readUsageEvent` knows besides the event. */
export interface ReadingContext {
  readonly nowMillis: number;
  /** Meters of the project by event type. */
  readonly metersByType: ReadonlyMap<string, readonly Meter[]>;
  /** Sources (`backfill:<name>`) that are open now. */
  readonly openBackfills: ReadonlySet<string>;
}

/** An accepted event before its place in the log is known: a foreign id may still lack its born time, and with it its time. */
export interface ReadEvent {
  readonly event: Omit<UsageEvent, 'occurredAtMicros'>;
  /** Null when the client sent none: then the id's or the claim's milliseconds count. */
  readonly occurredAtMicros: number | null;
  /** Null when the id needs a claim. */
  readonly bornMillis: number | null;
  readonly warnings: readonly EventWarning[];
}
