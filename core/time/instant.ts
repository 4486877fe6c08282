import { invalid } from '../errors.ts';

/**
 * An instant: RFC 3339 in UTC with exactly three fraction digits, such as `2026-11-21T03:00:00.000Z`, from 1970 up to but not
 * including 2200. One instant has one spelling, so instants compare and sort as text, and their microseconds are safe integers.
 */
export type Instant = string & { readonly __instant: true };

const RFC3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,18}))?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))$/;
const DAY_MILLIS = 86_400_000;
/** 2200-01-01T00:00:00Z; microseconds stay safe integers up to the year 2255. */
const END_MILLIS = 7_258_118_400_000;

/**
 * Reads an RFC 3339 time with any offset; digits finer than a millisecond are cut.
 * Throws `invalid` (code `instant_invalid`) on anything else, dates that do not exist and leap seconds included.
 */
export function parseInstant(text: string): Instant {
  const millis = millisOfText(text);
  if (millis === null) {
    throw invalid(
      'instant_invalid',
      `Got time ${JSON.stringify(text.slice(0, 64))}; expected RFC 3339 such as "2026-11-21T03:00:00Z", from 1970 to 2199.`,
    );
  }
  return instantFromMillis(millis);
}

/** Whether `text` is a time that `parseInstant` takes. */
export function isInstantText(text: string): boolean {
  return millisOfText(text) !== null;
}

/** The instant `millis` milliseconds after 1970-01-01T00:00:00Z. Throws `invalid` when not a whole number or outside 1970 to 2199. */
export function instantFromMillis(millis: number): Instant {
  if (!Number.isInteger(millis) || millis < 0 || millis >= END_MILLIS) {
    throw invalid('instant_invalid', `Got ${millis} ms since 1970; expected a whole number from 1970 to 2199.`);
  }
  const { year, month, day } = civilDate(Math.floor(millis / DAY_MILLIS));
  const rest = millis % DAY_MILLIS;
  const time = `${two(Math.floor(rest / 3_600_000))}:${two(Math.floor(rest / 60_000) % 60)}:${two(Math.floor(rest / 1000) % 60)}`;
  return `${year}-${two(month)}-${two(day)}T${time}.${String(rest % 1000).padStart(3, '0')}Z` as Instant;
}

/** Milliseconds since 1970-01-01T00:00:00Z. An instant is the one form of a time that every JavaScript reads alike. */
export function millisOf(instant: Instant): number {
  return Date.parse(instant);
}

/** Microseconds since 1970-01-01T00:00:00Z, a safe integer: the unit of usage's `occurredAtMicros`. */
export function microsOf(instant: Instant): number {
  return millisOf(instant) * 1000;
}

export function earlierOf(a: Instant, b: Instant): Instant {
  return a <= b ? a : b;
}

export function laterOf(a: Instant, b: Instant): Instant {
  return a >= b ? a : b;
}

function millisOfText(text: string): number | null {
  const match = RFC3339.exec(text);
  if (!match) return null;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return null;
  if (hour > 23 || minute > 59 || second > 59) return null;
  const fraction = Number((match[7] ?? '').slice(0, 3).padEnd(3, '0'));
  const offsetMinutes = Number(match[9] ?? 0) * 60 + Number(match[10] ?? 0);
  const offset = (match[8] === '-' ? -offsetMinutes : offsetMinutes) * 60_000;
  const millis = Date.UTC(year, month - 1, day, hour, minute, second, fraction) - offset;
  // Date.UTC reads the years 0 to 99 as 1900 to 1999
  return year >= 100 && millis >= 0 && millis < END_MILLIS ? millis : null;
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Proleptic Gregorian date of a day number since 1970-01-01: eras of 400 years that begin on 1 March. */
function civilDate(dayNumber: number): { year: number; month: number; day: number } {
  const shifted = dayNumber + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1,
  };
}

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}
