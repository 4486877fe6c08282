import type { Aggregation } from '../catalog/meter.ts';
import { Decimal } from '../money/decimal.ts';
import { type Instant, microsOf } from '../time/instant.ts';
import { dayKey, dayStartMillis } from '../usage/log-partition.ts';
import { DAY_MILLIS } from '../usage/retention.ts';
import { type EntitlementGrant, isGrantValid, type MeteredFeature, type QuotaKey, type QuotaScope } from './feature.ts';

/**
 * What is known of one quota in one window, small enough for one read: totals of the views by groups of UTC days, and what came
 * through `consume`. Derived, except for `consumed`: the views and the log stay the truth.
 */
export interface Quota {
  readonly key: QuotaKey;
  readonly scope: QuotaScope;
  readonly aggregation: Aggregation;
  /** Of the views, by the number of the group of days; exact decimals. */
  readonly totals: Readonly<Record<string, string>>;
  /** The part of `consumed` that the views have seen, by the same groups. */
  readonly folded: Readonly<Record<string, string>>;
  /** Everything ever taken by `consume`; exact. */
  readonly consumed: string;
  /** Rises with every refresh; 0 when nothing is stored yet. */
  readonly version: number;
  /** When the views were read (ms since 1970); 0 when they never were. */
  readonly refreshedAtMillis: number;
}

/** Totals are kept in at most so many groups, so that the item stays under 4 KB whatever the window. */
const MAX_GROUPS = 32;

/** How many UTC days one group of a window holds: one day, where the window has a month. */
function daysInGroup({ window }: QuotaScope): number {
  const days = (dayMillis(window.end) - dayMillis(window.start)) / DAY_MILLIS + 1;
  return Math.ceil(days / MAX_GROUPS);
}

function dayMillis(at: Instant): number {
  return dayStartMillis(dayKey(microsOf(at)));
}

/** The group of a window that a UTC day (`20261121`) falls into; null for one outside of it. */
export function groupOf(scope: QuotaScope, day: string): number | null {
  const first = dayMillis(scope.window.start);
  const millis = dayStartMillis(day);
  if (millis < first || millis * 1000 >= microsOf(scope.window.end)) return null;
  return Math.floor((millis - first) / DAY_MILLIS / daysInGroup(scope));
}

/** All groups of a window, in order. */
export function groupsOf(scope: QuotaScope): readonly number[] {
  const last = groupOf(scope, dayKey(microsOf(scope.window.end) - 1)) ?? 0;
  return Array.from({ length: last + 1 }, (_, group) => group);
}

/** The part of the window that a group stands for, in microseconds, half-open. */
export function groupSpan(scope: QuotaScope, group: number): { readonly from: number; readonly to: number } {
  const length = daysInGroup(scope) * DAY_MILLIS;
  const first = dayMillis(scope.window.start) + group * length;
  return {
    from: Math.max(first * 1000, microsOf(scope.window.start)),
    to: Math.min((first + length) * 1000, microsOf(scope.window.end)),
  };
}

/** Usage in the window: what the views hold, and what was consumed and has not reached them yet. */
export function usedOf({ aggregation, totals, folded, consumed }: Quota): Decimal {
  const seen = Object.values(totals).map((total) => Decimal.ofTotal(total));
  if (aggregation === 'max') return seen.reduce(Decimal.max, Decimal.ZERO);
  return sumOf(seen)
    .plus(Decimal.ofTotal(consumed))
    .minus(sumOf(Object.values(folded).map(Decimal.ofTotal)));
}

function sumOf(values: readonly Decimal[]): Decimal {
  return values.reduce((sum, value) => sum.plus(value), Decimal.ZERO);
}

/** The limit at an instant, grants included; null is unlimited. */
export function limitAt({ limit, grants }: Pick<MeteredFeature, 'limit' | 'grants'>, at: Instant): Decimal | null {
  if (limit === null) return null;
  const valid = grants.filter((grant) => isGrantValid(grant, at));
  return Decimal.ofTotal(limit).plus(sumOf(valid.map(({ quantity }: EntitlementGrant) => Decimal.parse(quantity))));
}
