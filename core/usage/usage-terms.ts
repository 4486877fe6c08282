import type { Meter } from '../catalog/meter.ts';
import type { Instant } from '../time/instant.ts';
import type { UsageTerms } from './read-usage.ts';
import { goesOn } from './slice-usage.ts';

/**
 * How usage of these meters is looked at within a billing period: a level that carries over goes on from all that was before,
 * one that does not begins at zero with the period, and a time-weighted sum is a share of the whole period, so that the parts
 * of a period add up. Nothing where no meter has a level that goes on.
 */
export function usageTerms(
  meters: readonly Meter[],
  period: { readonly start: Instant; readonly end: Instant },
): UsageTerms {
  const carried = meters.filter(goesOn).map(({ key, aggregation, reset }) => ({
    meter: key,
    aggregation,
    since: reset === 'carry_over' ? null : period.start,
  }));
  return carried.length === 0 ? {} : { carried, over: { start: period.start, end: period.end } };
}
