/** Intervals that the calendar knows: weeks begin on Monday, quarters in January, April, July and October. */
export const CALENDAR_INTERVALS = ['day', 'week', 'month', 'quarter', 'year'] as const;
export type CalendarInterval = (typeof CALENDAR_INTERVALS)[number];

/** How long a plan's billing periods are: an interval of the calendar, or every `days` days (1 to 366) of the customer's zone. */
export type Interval = CalendarInterval | { readonly days: number };

/** What an interval is made of: whole months, or whole days. */
export type IntervalStep = { readonly months: number } | { readonly days: number };

const STEPS: Readonly<Record<CalendarInterval, IntervalStep>> = {
  day: { days: 1 },
  week: { days: 7 },
  month: { months: 1 },
  quarter: { months: 3 },
  year: { months: 12 },
};

export function intervalStep(interval: Interval): IntervalStep {
  return typeof interval === 'string' ? STEPS[interval] : interval;
}

/** Whether two intervals are written alike: a week is not "every 7 days", which has no calendar. */
export function isSameInterval(a: Interval, b: Interval): boolean {
  return intervalText(a) === intervalText(b);
}

/** For sentences: "month", "10 days". */
export function intervalText(interval: Interval): string {
  if (typeof interval === 'string') return interval;
  return interval.days === 1 ? '1 day' : `${interval.days} days`;
}
