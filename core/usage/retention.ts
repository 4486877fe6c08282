/**
 * How long things live, in one place (usage-log.md, "Retention"). H is the dedup horizon and b the end of an id's born hour:
 * ingest refuses ids older than b + H, append stops at b + H + 29 days (a queue message lives 14 days and a redrive starts
 * its clock again), claims and log items expire at b + H + 45 days. All values are milliseconds.
 */
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

export const HOUR_MILLIS = HOUR;
export const DAY_MILLIS = DAY;
export const DEDUP_HORIZON_MILLIS = 35 * DAY;
/** A clock may run ahead by this much before its times are refused. */
export const FUTURE_TOLERANCE_MILLIS = 5 * 60_000;
const APPEND_GRACE_MILLIS = 29 * DAY;
const LOG_GRACE_MILLIS = 45 * DAY;
/** Claims, headers and chunks live so long after the end of their born hour. */
export const LOG_LIFE_MILLIS = DEDUP_HORIZON_MILLIS + LOG_GRACE_MILLIS;
/** The registry outlives every period whose usage may still be settled. */
export const REGISTRY_LIFE_MILLIS = 130 * DAY;

/** The end of the born hour that `bornMillis` lies in. */
export function bornHourEnd(bornMillis: number): number {
  return Math.floor(bornMillis / HOUR) * HOUR + HOUR;
}

/** The last instant at which ingest accepts an id born at `bornMillis`. */
export function ingestDeadline(bornMillis: number): number {
  return bornHourEnd(bornMillis) + DEDUP_HORIZON_MILLIS;
}

/** The last instant at which a chunk may be appended to a partition whose born bucket ends at `bornEnd`. */
export function appendDeadline(bornEnd: number): number {
  return bornEnd + DEDUP_HORIZON_MILLIS + APPEND_GRACE_MILLIS;
}

/** When claims, headers and chunks of a partition whose born bucket ends at `bornEnd` expire, in epoch seconds (a TTL). */
export function logExpirySeconds(bornEnd: number): number {
  return Math.ceil((bornEnd + LOG_LIFE_MILLIS) / 1000);
}
