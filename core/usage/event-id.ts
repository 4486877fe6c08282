/**
 * The born hour an id carries: a pure function of source and id, frozen for ever, because a changed answer would send the
 * same event to another partition and count it again. UUIDv7 (RFC 9562, section 5.7) and ULID ids hold their own
 * milliseconds. Any other id, and every id of a backfill, has none and gets one through a claim.
 */
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;
const ULID = /^[0-7][0-9a-hjkmnp-tv-z]{25}$/i;
const CROCKFORD = '0123456789abcdefghjkmnpqrstvwxyz';

/** Sources of backfills start with this; their ids always take the claim lane. */
export const BACKFILL_SOURCE_PREFIX = 'backfill:';

/**
 * Milliseconds since the epoch carried by the id, or null when the id carries none and needs a claim. Never looks at the
 * clock: an id with an absurd time is refused by its time, it does not fall back to a claim.
 */
export function bornMillisOf(source: string, id: string): number | null {
  if (source.startsWith(BACKFILL_SOURCE_PREFIX)) return null;
  if (id.length === 36 && UUID_V7.test(id)) return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
  if (id.length === 26 && ULID.test(id)) {
    let millis = 0;
    const time = id.slice(0, 10).toLowerCase();
    for (const sign of time) millis = millis * 32 + CROCKFORD.indexOf(sign);
    return millis;
  }
  return null;
}
