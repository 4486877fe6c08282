import { checkMeters } from './check-meters.ts';
import { Refusal, refuse } from './event-refusal.ts';
import { DEDUP_HORIZON_MILLIS, FUTURE_TOLERANCE_MILLIS, ingestDeadline } from './retention.ts';
import type { EventWarning, ReadEvent, ReadingContext, Rejection } from './usage-event.ts';

/** Refuses ids whose own time is outside the dedup window: older than the horizon, or ahead of the clock. */
export function checkBorn(id: string, index: number, bornMillis: number, nowMillis: number): void {
  if (nowMillis > ingestDeadline(bornMillis)) {
    refuse(index, id, {
      code: 'id_too_old',
      field: 'id',
      got: id,
      expected: `an id born within the last ${DEDUP_HORIZON_MILLIS / 86_400_000} days`,
      todo: 'Older ids can no longer be told from duplicates; open a backfill with POST /v1/backfills and send the event with its source.',
    });
  }
  if (bornMillis > nowMillis + FUTURE_TOLERANCE_MILLIS) {
    refuse(index, id, {
      code: 'id_in_future',
      field: 'id',
      got: id,
      expected: 'an id whose time is at most 5 minutes ahead',
      todo: 'Correct the clock that makes the ids, or use ids that are neither UUIDv7 nor ULID.',
    });
  }
}

/**
 * What is still to be asked of an event once its birth is known, which for a foreign id is when its claim has been read: the
 * dedup window, and, where the birth is also its time and a meter has counted in another way before, the meters again.
 */
export function checkBirth(
  { event, occurredAtMicros, bornMillis: bornById, warnings }: ReadEvent,
  bornMillis: number,
  context: ReadingContext,
): readonly EventWarning[] | Rejection {
  try {
    checkBorn(event.id, event.index, bornMillis, context.nowMillis);
    const meters = context.metersByType.get(event.type) ?? [];
    const isTimeNew = occurredAtMicros === null && bornById === null && bornMillis !== context.nowMillis;
    if (!isTimeNew || meters.every(({ earlier }) => earlier === undefined)) return warnings;
    const again = checkMeters(meters, { ...event, occurredAtMicros: bornMillis * 1000 });
    return [...again, ...warnings.filter(({ code }) => code !== 'meter_cannot_count')];
  } catch (error) {
    if (error instanceof Refusal) return error.rejection;
    throw error;
  }
}
