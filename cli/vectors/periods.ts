import { Temporal } from 'temporal-polyfill';
import type { Part } from './requests.ts';

/** A period that has so many days, and its dates. Vectors state lengths; these are the periods of that length. */
interface Dates {
  readonly key: string;
  readonly start: string;
  readonly end: string;
}

const OF_DAYS: Readonly<Record<string, Dates>> = {
  '7': { key: '2026-W47', start: '2026-11-16', end: '2026-11-23' },
  '28': { key: '2026-02', start: '2026-02-01', end: '2026-03-01' },
  '30': { key: '2026-11', start: '2026-11-01', end: '2026-12-01' },
  '31': { key: '2026-10', start: '2026-10-01', end: '2026-11-01' },
  '91': { key: '2026-Q2', start: '2026-04-01', end: '2026-07-01' },
  '366': { key: '2028', start: '2028-01-01', end: '2029-01-01' },
};

/** The members of a request that bill the last `days` days of a period that has `periodDays`; none of them at 0. */
export function lastDays(days: string, periodDays: string): Part {
  const period = OF_DAYS[periodDays];
  if (period === undefined) throw new Error(`no period of ${periodDays} days is known here`);
  if (days === '0') return { period: period.key, share: 'none' };
  const start = Temporal.PlainDate.from(period.end).subtract({ days: Number(days) });
  return { period: period.key, service: { start: midnight(start.toString()) } };
}

export function midnight(date: string): string {
  return `${date}T00:00:00Z`;
}

/** The local date of an instant in UTC. */
export function dateOf(instant: string): string {
  return instant.slice(0, 10);
}

export function dayBefore(date: string): string {
  return Temporal.PlainDate.from(date).subtract({ days: 1 }).toString();
}
