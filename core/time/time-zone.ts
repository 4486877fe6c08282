import * as z from 'zod';

const EXPECTED = 'expected an IANA time zone such as "Europe/Berlin" or "UTC"';

/**
 * Whether `text` names an IANA time zone. Fixed offsets such as "+05:30" are refused although the runtime knows them:
 * they have no names on maps, and odd ones ("+05:17") would put midnight off the quarter hours usage is kept in.
 */
export function isTimeZone(text: string): boolean {
  if (!/^[A-Za-z]/.test(text)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: text });
    return true;
  } catch {
    return false;
  }
}

export const timeZoneSchema = z.string().max(64).refine(isTimeZone, { error: EXPECTED });
