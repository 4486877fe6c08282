import { EXTERNAL_ID_PATTERN } from '../ids.ts';
import { checkBorn } from './check-birth.ts';
import { checkMeters } from './check-meters.ts';
import { BACKFILL_SOURCE_PREFIX, bornMillisOf } from './event-id.ts';
import { readProperties } from './event-properties.ts';
import { Refusal, refuse } from './event-refusal.ts';
import { microsOfTimestamp } from './event-time.ts';
import { DEDUP_HORIZON_MILLIS, FUTURE_TOLERANCE_MILLIS } from './retention.ts';
import type { ReadEvent, ReadingContext, Rejection } from './usage-event.ts';

/**
 * The door of the product, written by hand because it is the hot path: it accepts exactly what the documented schema accepts
 * (a property test holds the two together) and says for everything else what was got, what was expected and what to do.
 */
const KNOWN_FIELDS = new Set(['id', 'type', 'customer', 'source', 'time', 'properties']);

/** Reads one event of a request. Never throws for bad input: the answer is either the event or its rejection. */
export function readUsageEvent(raw: unknown, index: number, context: ReadingContext): ReadEvent | Rejection {
  try {
    return read(raw, index, context);
  } catch (error) {
    if (error instanceof Refusal) return error.rejection;
    throw error;
  }
}

export function isRejection(result: ReadEvent | Rejection): result is Rejection {
  return 'code' in result;
}

function read(raw: unknown, index: number, context: ReadingContext): ReadEvent {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    refuse(index, undefined, {
      code: 'event_not_an_object',
      status: 400,
      field: 'event',
      got: raw,
      expected: 'a JSON object with id, type, customer, time and properties',
      todo: 'Send one object per event.',
    });
  }
  const input = raw as Record<string, unknown>;
  for (const field in input) {
    if (!KNOWN_FIELDS.has(field)) {
      refuse(index, input.id, {
        code: 'field_unknown',
        status: 400,
        field,
        got: input[field],
        expected: 'only id, type, customer, source, time and properties',
        todo:
          field === 'events'
            ? 'Send the list itself as the body, or one event, without an object around it.'
            : 'Move values of your own into properties.',
      });
    }
  }
  const id = readText(
    input,
    'id',
    index,
    'Give every event an id of its own and send the same id again when you retry; UUIDv7 is best.',
  );
  const customer = readText(input, 'customer', index, 'Name the customer by your own id for it.');
  const type = readText(input, 'type', index, 'Name what happened, such as "api_call".');
  const source = readSource(input, index, context);
  const meters = context.metersByType.get(type);
  if (meters === undefined) {
    refuse(index, id, {
      code: 'event_type_unknown',
      field: 'type',
      got: type,
      expected: 'an event type that at least one meter of this project counts',
      todo: 'Create a meter for it with POST /v1/meters, or correct the type.',
    });
  }
  const bornMillis = bornMillisOf(source, id);
  if (bornMillis !== null) checkBorn(id, index, bornMillis, context.nowMillis);
  const occurredAtMicros = readTime(input, index, source, context);
  const properties = readProperties(input, index);
  // A foreign id without a time may have been seen before; `checkBirth` then asks again.
  const countsAt = occurredAtMicros ?? (bornMillis ?? context.nowMillis) * 1000;
  const warnings = checkMeters(meters, { index, id, type, properties, occurredAtMicros: countsAt });
  if (occurredAtMicros === null) {
    warnings.push({
      index,
      code: 'time_derived',
      detail: `Event ${index} has no time; the time of its id, or of its first arrival, counts.`,
    });
  }
  return { event: { index, id, type, customer, source, properties }, occurredAtMicros, bornMillis, warnings };
}

function readText(
  input: Record<string, unknown>,
  field: 'id' | 'customer' | 'type',
  index: number,
  todo: string,
): string {
  const value = input[field];
  if (value === undefined || value === null || value === '') {
    refuse(index, input.id, {
      code: `${field}_missing`,
      field,
      got: value,
      expected: 'a text of 1 to 255 characters',
      todo,
    });
  }
  if (typeof value !== 'string' || !EXTERNAL_ID_PATTERN.test(value)) {
    refuse(index, input.id, {
      code: `${field}_invalid`,
      field,
      got: value,
      expected: 'a text of 1 to 255 characters without control characters',
      todo,
    });
  }
  return value;
}

function readSource(input: Record<string, unknown>, index: number, context: ReadingContext): string {
  const value = input.source;
  if (value === undefined || value === null || value === '') return '';
  if (typeof value !== 'string' || !EXTERNAL_ID_PATTERN.test(value)) {
    refuse(index, input.id, {
      code: 'source_invalid',
      field: 'source',
      got: value,
      expected: 'a text of at most 255 characters without control characters, or no source',
      todo: 'A source says where the id is unique; leave it out if ids are unique everywhere.',
    });
  }
  if (value.startsWith(BACKFILL_SOURCE_PREFIX) && !context.openBackfills.has(value)) {
    refuse(index, input.id, {
      code: 'backfill_not_open',
      field: 'source',
      got: value,
      expected: 'the source of a backfill that is open in this project',
      todo: 'Open it first with POST /v1/backfills.',
    });
  }
  return value;
}

function readTime(
  input: Record<string, unknown>,
  index: number,
  source: string,
  context: ReadingContext,
): number | null {
  const value = input.time;
  if (value === undefined || value === null) return null;
  const micros = typeof value === 'string' ? microsOfTimestamp(value) : null;
  if (micros === null) {
    refuse(index, input.id, {
      code: 'time_invalid',
      field: 'time',
      got: value,
      expected: 'an RFC 3339 time from 1970 on, such as "2026-11-21T03:00:00.000Z"',
      todo: 'Send the time with Z or an offset, or leave it out to use the time in the id.',
    });
  }
  if (micros > (context.nowMillis + FUTURE_TOLERANCE_MILLIS) * 1000) {
    refuse(index, input.id, {
      code: 'time_in_future',
      field: 'time',
      got: value,
      expected: 'a time at most 5 minutes ahead',
      todo: 'Correct the clock of the sender.',
    });
  }
  if (micros < (context.nowMillis - DEDUP_HORIZON_MILLIS) * 1000 && !context.openBackfills.has(source)) {
    refuse(index, input.id, {
      code: 'event_too_old',
      field: 'time',
      got: value,
      expected: `a time within the last ${DEDUP_HORIZON_MILLIS / 86_400_000} days`,
      todo: 'Open a backfill with POST /v1/backfills and send the event with its source.',
    });
  }
  return micros;
}
