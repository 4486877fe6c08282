import { canonicalJson } from '../canonical-json.ts';
import { type BillingError, conflict, type Fault, invalid } from '../errors.ts';
import { type Instant, instantFromMillis, millisOf } from '../time/instant.ts';
import { isQuarterHour, QUARTER_HOUR_MILLIS } from '../time/quarter-hour.ts';
import { DAY_MILLIS, FUTURE_TOLERANCE_MILLIS } from '../usage/retention.ts';
import type { EarlierDefinition, Meter, MeterDefinition } from './meter.ts';
import type { MeterRequest } from './read-meters.ts';

/**
 * A meter that exists, as a request wants it. What it is called may change at any time. How it looks at an event may change
 * at an instant that no accepted event has reached: events may be 5 minutes ahead, and ingest works with meters up to 30 s
 * old. Hence everything from that instant on is counted anew and nothing is counted again. How quantities add up, and what is
 * done to them afterwards, never changes: a period over the change would have no quantity. Another key serves for that.
 */
const LEAD_MILLIS = FUTURE_TOLERANCE_MILLIS + 60_000;
const FIXED = ['aggregation', 'rounding', 'reset'] as const;
const DEFINED = ['eventType', 'value', 'dimensions', 'dimensionExpressions', 'filter'] as const;

/** Throws `meter_fixed`, or `meter_invalid` for an instant at which it cannot change. */
export function redefinedMeter(stored: Meter, request: MeterRequest, now: Instant): Meter {
  const { effectiveAt } = request;
  const meter = withBackfill(stored, request);
  const fixed = changedFields(withReset(stored), withReset(meter), FIXED);
  if (fixed.length > 0) {
    const all = [...fixed, ...changedFields(stored, meter, DEFINED)];
    const advice = `${fixed.join(', ')} can never change. Create a meter with another key.`;
    throw meterFixed(stored, all, `The meter ${stored.key} exists with another ${all.join(', ')}; ${advice}`);
  }
  const earliest = earliestChange(now);
  const isPending = stored.effectiveAt !== undefined && stored.effectiveAt >= earliest;
  const changed = changedFields(stored, meter, DEFINED);
  const isMoved = isPending && effectiveAt !== undefined && effectiveAt !== 'now' && effectiveAt !== stored.effectiveAt;
  if (changed.length === 0 && !isMoved) return withHistory(meter, stored.effectiveAt, stored.earlier);
  if (effectiveAt === undefined) {
    const advice = 'say with effective_at from when it counts so, or create a meter with another key.';
    throw meterFixed(stored, changed, `The meter ${stored.key} exists with another ${changed.join(', ')}; ${advice}`);
  }
  const at = effectiveAt === 'now' ? earliest : effectiveAt;
  const before = definitionsOf(stored).slice(changed.length === 0 ? 1 : 0);
  // What would have begun at or after the new instant has not counted anything yet.
  const earlier = before.filter((definition) => definition.effectiveAt === undefined || definition.effectiveAt < at);
  refuseDimensions(stored, earlier[0], meter);
  refuseInstant(at, earliest, earlier[0]?.dimensions.length !== meter.dimensions.length);
  return withHistory(meter, at, earlier);
}

/** The first quarter hour that no event accepted under today's meters can have reached. */
export function earliestChange(now: Instant): Instant {
  return instantFromMillis(Math.ceil((millisOf(now) + LEAD_MILLIS) / QUARTER_HOUR_MILLIS) * QUARTER_HOUR_MILLIS);
}

/** How far back a meter counts is said when it is made, and may be said again. */
function withBackfill(stored: Meter, { meter, backfillFrom }: MeterRequest): Meter {
  const { backfill } = stored;
  if (backfillFrom !== undefined && backfillFrom !== backfill?.from) {
    const detail = `The meter ${stored.key} exists and counts ${backfill === undefined ? 'nothing that came before it' : `from ${backfill.from} on`}; that cannot change. Create a meter with another key.`;
    throw meterFixed(stored, ['backfill_from'], detail);
  }
  return backfill === undefined ? meter : { ...meter, backfill };
}

function withReset(meter: Meter): Meter {
  return { ...meter, reset: meter.reset ?? 'each_period' };
}

function withHistory(meter: Meter, effectiveAt: Instant | undefined, earlier: Meter['earlier']): Meter {
  return effectiveAt === undefined ? meter : { ...meter, effectiveAt, earlier };
}

/** Every definition of the meter, the latest first. */
function definitionsOf(meter: Meter): EarlierDefinition[] {
  const { eventType, value, dimensions, dimensionExpressions, filter, effectiveAt, earlier = [] } = meter;
  const newest = {
    eventType,
    ...(value === undefined ? {} : { value }),
    dimensions,
    ...(dimensionExpressions === undefined ? {} : { dimensionExpressions }),
    ...(filter === undefined ? {} : { filter }),
    ...(effectiveAt === undefined ? {} : { effectiveAt }),
  };
  return [newest, ...earlier];
}

function changedFields<T>(before: T, after: T, fields: readonly (keyof T & string)[]): string[] {
  return fields
    .filter((field) => canonicalJson([before[field]]) !== canonicalJson([after[field]]))
    .map((field) => field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
}

/** Charges and views name the dimensions there are, so dimensions are only ever added behind them. */
function refuseDimensions(stored: Meter, before: MeterDefinition | undefined, meter: Meter): void {
  const kept = before?.dimensions ?? [];
  if (kept.every((name, position) => meter.dimensions[position] === name)) return;
  const detail = `The meter ${stored.key} is kept apart by ${kept.join(', ')}; dimensions can only be added after these. Create a meter with another key.`;
  throw meterFixed(stored, ['dimensions'], detail);
}

function refuseInstant(at: Instant, earliest: Instant, isWider: boolean): void {
  const isMidnight = millisOf(at) % DAY_MILLIS === 0;
  if (at >= earliest && isQuarterHour(at) && (isMidnight || !isWider)) return;
  const [code, what] = !isQuarterHour(at)
    ? ['off_quarter_hour', 'a quarter hour']
    : at < earliest
      ? ['too_early', 'a time that no accepted event can have reached']
      : ['off_midnight', '00:00 UTC, because dimensions are added between two UTC days'];
  const expected = `${what}, at the earliest ${isWider ? nextMidnight(earliest) : earliest}`;
  const fault: Fault = {
    field: 'effective_at',
    code,
    detail: `Got ${at}; expected ${expected}.`,
    got: at,
    expected,
  };
  throw invalid('meter_invalid', 'The meter cannot change at that time; correct it and send it again.', [fault]);
}

function nextMidnight(instant: Instant): Instant {
  return instantFromMillis(Math.ceil(millisOf(instant) / DAY_MILLIS) * DAY_MILLIS);
}

function meterFixed(stored: Meter, changed: readonly string[], message: string): BillingError {
  return conflict('meter_fixed', message, { meter: stored.key, changed: changed.join(', ') });
}
