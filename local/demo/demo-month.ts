/**
 * The month that the demo lives through: the last calendar month that every time zone has left behind for two days. The
 * clock is moved through it, and back to the real time in the end.
 */
export interface DemoMonth {
  /** `2026-10`. */
  readonly key: string;
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly days: number;
}

const TWO_DAYS = 2 * 86_400_000;

export function demoMonthBefore(nowMillis: number): DemoMonth {
  const now = new Date(nowMillis - TWO_DAYS);
  const first = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1, 1));
  const year = first.getUTCFullYear();
  const month = first.getUTCMonth() + 1;
  return {
    key: `${year}-${String(month).padStart(2, '0')}`,
    year,
    month,
    days: new Date(Date.UTC(year, month, 0)).getUTCDate(),
  };
}

/** Milliseconds of a UTC day of the month (1 is the first), at an hour. */
export function demoDayMillis({ year, month }: DemoMonth, day: number, hour = 0): number {
  return Date.UTC(year, month - 1, day, hour);
}

/** The instant at which a day (1 to 28) of a month (1 to 13) begins in a time zone: Intl is asked which UTC hour shows local midnight. */
export function localMidnight(asked: { year: number; month: number; day: number }, timeZone: string): number {
  const { year, month, day } = asked.month === 13 ? { year: asked.year + 1, month: 1, day: asked.day } : asked;
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  const quarter = 15 * 60_000;
  const noon = Date.UTC(year, month - 1, day, 12);
  for (let at = noon - 27 * 3_600_000; at <= noon + 12 * 3_600_000; at += quarter) {
    const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    if (parts.month === month && parts.day === day && parts.hour === 0 && parts.minute === 0) return at;
  }
  throw new Error(`${timeZone} has no midnight on ${year}-${month}-${day}.`);
}
