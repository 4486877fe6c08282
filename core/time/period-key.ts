import { Temporal } from 'temporal-polyfill';
import { invalid } from '../errors.ts';

/** The local dates a period runs between: from the start of `first` to the start of `next`. */
export interface PeriodDates {
  readonly first: Temporal.PlainDate;
  readonly next: Temporal.PlainDate;
}

/** No cycle has a longer period. */
const MAX_DAYS = 366;
const KEY =
  /^(?<year>\d{4})(?:-W(?<week>\d{2})|-Q(?<quarter>[1-4])|-(?<month>\d{2})(?:-(?<day>\d{2})(?:_(?<next>\d{4}-\d{2}-\d{2}))?)?)?$/;

/**
 * The one key of the period between two dates: `2026-11-21` for a day, `2026-W47` for an ISO week from Monday, `2026-11` for
 * a calendar month, `2026-Q4` and `2026` for a calendar quarter and year, else both dates, `2026-01-31_2026-02-28`. It tells
 * nothing of the cycle, so that periods of the same dates are one period, whoever's cycle they come from.
 */
export function periodKey({ first, next }: PeriodDates): string {
  const days = first.until(next, { largestUnit: 'days' }).days;
  if (days === 1) return first.toString();
  if (days === 7 && first.dayOfWeek === 1) return weekKey(first);
  if (first.day === 1) {
    const month = first.toString().slice(0, 7);
    const year = month.slice(0, 4);
    if (first.add({ months: 1 }).equals(next)) return month;
    if (first.month % 3 === 1 && first.add({ months: 3 }).equals(next)) return `${year}-Q${(first.month + 2) / 3}`;
    if (first.month === 1 && first.add({ years: 1 }).equals(next)) return year;
  }
  return `${first}_${next}`;
}

/** The dates a key names; the inverse of `periodKey`. Throws `invalid` (code `period_invalid`). */
export function parsePeriodKey(key: string): PeriodDates {
  const dates = datesOf(key);
  if (dates === null || periodKey(dates) !== key) throw periodInvalid(key);
  const days = dates.first.until(dates.next, { largestUnit: 'days' }).days;
  if (days < 1 || days > MAX_DAYS) throw periodInvalid(key);
  return dates;
}

export function periodInvalid(key: string) {
  return invalid(
    'period_invalid',
    `Got period ${JSON.stringify(key.slice(0, 64))}; expected a month such as "2026-11", a day "2026-11-21", a week "2026-W47", a quarter "2026-Q4", a year "2026", or two dates at most ${MAX_DAYS} days apart such as "2026-01-31_2026-02-28".`,
  );
}

function datesOf(key: string): PeriodDates | null {
  const { year = '', week, quarter, month, day, next } = KEY.exec(key)?.groups ?? {};
  if (year === '') return null;
  if (week !== undefined) {
    // ISO week 1 holds 4 January
    const fourth = Temporal.PlainDate.from(`${year}-01-04`);
    const first = fourth.add({ days: 1 - fourth.dayOfWeek + (Number(week) - 1) * 7 });
    return { first, next: first.add({ days: 7 }) };
  }
  if (quarter !== undefined)
    return from(`${year}-${String(Number(quarter) * 3 - 2).padStart(2, '0')}-01`, { months: 3 });
  if (month === undefined) return from(`${year}-01-01`, { years: 1 });
  if (day === undefined) return from(`${year}-${month}-01`, { months: 1 });
  if (next === undefined) return from(`${year}-${month}-${day}`, { days: 1 });
  const [first, end] = [plainDate(`${year}-${month}-${day}`), plainDate(next)];
  return first && end ? { first, next: end } : null;
}

function from(text: string, duration: Temporal.DurationLike): PeriodDates | null {
  const first = plainDate(text);
  return first && { first, next: first.add(duration) };
}

function plainDate(text: string): Temporal.PlainDate | null {
  try {
    return Temporal.PlainDate.from(text, { overflow: 'reject' });
  } catch {
    return null;
  }
}

function weekKey(monday: Temporal.PlainDate): string {
  return `${String(monday.yearOfWeek).padStart(4, '0')}-W${String(monday.weekOfYear).padStart(2, '0')}`;
}
