import { canonicalJson } from '../canonical-json.ts';
import { BillingError, faulty, invalid } from '../errors.ts';
import type { ProjectId } from '../ids.ts';
import type { Clock } from '../time/clock.ts';
import { type Instant, instantFromMillis, millisOf } from '../time/instant.ts';
import { isQuarterHour } from '../time/quarter-hour.ts';
import { DAY_MILLIS } from '../usage/retention.ts';
import type { Meter, MeterRevision } from './meter.ts';
import type { MeterStore } from './ports.ts';
import { type MeterRequest, readMeter, readMeters } from './read-meters.ts';
import { earliestChange, redefinedMeter } from './redefine-meter.ts';

/** How often a write that met another one starts over before the caller is asked to. */
const TRIES = 5;
/** A revision is one item of the database, which holds 400 KB; characters of JSON. */
const MAX_DOCUMENT_LENGTH = 100_000;
/** A day less than the log of an hour lives. */
const OLDEST_BACKFILL_MILLIS = 79 * DAY_MILLIS;

export interface WrittenMeter {
  readonly meter: Meter;
  readonly revision: number;
  readonly outcome: 'created' | 'changed' | 'unchanged';
}

/**
 * Adds a meter, renames the one with its key, or changes from a chosen instant on how that one counts: a new immutable
 * revision of the project's meters. `input` has camelCase keys. Throws `meter_invalid` with every fault, or `meter_fixed` for
 * a change that cannot be.
 */
export async function writeMeter(
  input: { project: ProjectId; meter: unknown },
  deps: { meters: MeterStore; clock: Clock },
): Promise<WrittenMeter> {
  const request = readMeter(input.meter);
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const newest = await deps.meters.newest(input.project, 'fresh');
    const stored = newest.meters.find(({ key }) => key === request.meter.key);
    if (stored === undefined && request.effectiveAt !== undefined) throw effectiveTooSoon(request.effectiveAt);
    const now = deps.clock.now();
    const meter = stored === undefined ? newMeter(request, now) : redefinedMeter(stored, request, now);
    if (stored !== undefined && canonicalJson(stored) === canonicalJson(meter)) {
      return { meter: stored, revision: newest.revision, outcome: 'unchanged' };
    }
    const next = nextRevision(newest, meter);
    if ((await deps.meters.write(input.project, next)) === 'stored') {
      return { meter, revision: next.revision, outcome: stored === undefined ? 'created' : 'changed' };
    }
  }
  throw new BillingError({
    kind: 'not-ready',
    code: 'write_contended',
    message: 'Other writes to the meters of this project were under way. Send the same request again.',
  });
}

/** A new meter: with what it counts of the events that came before it. */
function newMeter({ meter, backfillFrom }: MeterRequest, now: Instant): Meter {
  if (backfillFrom === undefined) return meter;
  const earliest = instantFromMillis(millisOf(now) - OLDEST_BACKFILL_MILLIS);
  if (!isQuarterHour(backfillFrom) || backfillFrom < earliest || backfillFrom > now) {
    const expected = `a quarter hour from ${earliest} to now`;
    const fault = {
      ...{ field: 'backfill_from', code: 'out_of_range', got: backfillFrom, expected },
      detail: `Got ${backfillFrom}; expected ${expected}, because the log lives for 80 days.`,
    };
    throw faulty('meter_invalid', 'The meter', [fault]);
  }
  return { ...meter, backfill: { from: backfillFrom, until: earliestChange(now) } };
}

function effectiveTooSoon(got: string): BillingError {
  const detail = 'A new meter counts from its first event on; remove the field.';
  const fault = { field: 'effective_at', code: 'not_allowed', detail, got };
  return faulty('meter_invalid', 'The meter', [fault]);
}

function nextRevision(newest: MeterRevision, meter: Meter): MeterRevision {
  const others = newest.meters.filter(({ key }) => key !== meter.key);
  const meters = readMeters([...others, meter].toSorted((a, b) => (a.key < b.key ? -1 : 1)));
  if (JSON.stringify(meters).length > MAX_DOCUMENT_LENGTH) {
    throw invalid(
      'meters_too_large',
      `All meters together are larger than ${MAX_DOCUMENT_LENGTH} characters; shorten filters.`,
    );
  }
  return { revision: newest.revision + 1, meters };
}
