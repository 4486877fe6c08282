import type { Meter } from '../catalog/meter.ts';
import type { Instant } from '../time/instant.ts';
import type { BilledPeriod, LedgerHead } from './account-ledger.ts';

/** An invoice adjusts at most this many periods, which keeps its transaction within DynamoDB's 100 writes. */
export const MAX_ADJUSTED = 20;

/** UTC days (`20261121`) on which usage arrived late; or the first of them, where it changes every period from then on. */
export type LateUsage = readonly string[] | { readonly from: string };

/** What late usage of these days can change: with a meter that carries over, the periods that follow as well. */
export function lateUsage(lateDays: readonly string[], meters: readonly Pick<Meter, 'reset'>[]): LateUsage {
  const [first] = lateDays.toSorted();
  return first !== undefined && meters.some(({ reset }) => reset === 'carry_over') ? { from: first } : lateDays;
}

/**
 * The earlier periods an invoice looks at again: the one billed last, those that end with it (its usage had as little time), those with a credit left, those that late usage
 * changes, and those that a correction of prices reaches. When there are too many for one
 * invoice, the one billed last and those that were not looked at for longest: periods of a day come to more than an invoice can
 * hold, and each has its turn. Periods of which only fees in advance are billed are settled by their own invoice. `ownPeriod` is
 * null on a closing invoice, which has none.
 */
export function periodsToAdjust(
  head: LedgerHead,
  ownPeriod: string | null,
  late: LateUsage,
  corrections: readonly Instant[] = [],
): readonly BilledPeriod[] {
  const candidates = head.periods.filter((period) => period.key !== ownPeriod && period.invoices > 0);
  const last = candidates.at(-1);
  const due = candidates.filter(
    (period) =>
      period.end === last?.end || period.isCreditLeft || isTouched(period, late) || isCorrected(period, corrections),
  );
  if (due.length <= MAX_ADJUSTED) return due;
  const turns = due.filter((period) => period !== last).sort((a, b) => (a.lookedAt ?? 0) - (b.lookedAt ?? 0));
  const chosen = new Set([last, ...turns.slice(0, MAX_ADJUSTED - 1)]);
  return due.filter((period) => chosen.has(period));
}

/** Whether there is a correction of prices that the period may have been billed without. Each is looked at once. */
function isCorrected(period: BilledPeriod, corrections: readonly Instant[]): boolean {
  return corrections.length > (period.corrections ?? 0) && corrections.some((from) => from < period.end);
}

function isTouched(period: BilledPeriod, late: LateUsage): boolean {
  if ('from' in late) return startOfDay(late.from) < period.end;
  return late.some((day) => isDayIn(day, period));
}

function startOfDay(day: string): string {
  return `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6, 8)}T00:00:00.000Z`;
}

/** Whether any instant of a UTC day lies in the period. */
function isDayIn(day: string, period: { readonly start: Instant; readonly end: Instant }): boolean {
  const date = `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6, 8)}`;
  return `${date}T24` > period.start && startOfDay(day) < period.end;
}
