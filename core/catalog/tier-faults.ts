import * as z from 'zod';
import type { Fault } from '../errors.ts';
import { Decimal } from '../money/decimal.ts';
import { shown, wirePath } from '../schema-faults.ts';
import { upToSchema } from './price.ts';

/** Looks only at the bounds, so that a bad price in a tier does not hide a bad bound beside it. */
const boundsSchema = z.array(z.looseObject({ upTo: upToSchema })).min(1);

/**
 * Faults of a price's tiers: bounds above 0 and strictly ascending, open end in the last tier and nowhere else. Tiers name
 * only their upper bound, so gaps and overlaps show as bounds that do not ascend. `at` is the path of the price.
 */
export function tierFaults(price: unknown, at: readonly PropertyKey[]): Fault[] {
  const tiers = z.looseObject({ tiers: boundsSchema }).safeParse(price).data?.tiers ?? [];
  const faults: Fault[] = [];
  let previous = Decimal.ZERO;
  tiers.forEach(({ upTo }, index) => {
    const isLast = index === tiers.length - 1;
    const fault = (code: string, expected: string): Fault => ({
      field: wirePath([...at, 'tiers', index, 'upTo']),
      code,
      detail: `Got ${shown(upTo)}; expected ${expected}.`,
      got: shown(upTo),
      expected,
    });
    if (upTo === null) {
      if (!isLast) faults.push(fault('tier_open_end_early', 'a bound: only the last tier has no end'));
      return;
    }
    const bound = Decimal.parse(upTo);
    if (bound.compare(previous) <= 0) {
      faults.push(fault('tier_bounds_not_ascending', `a bound above ${previous}`));
    } else {
      previous = bound;
    }
    if (isLast) faults.push(fault('tier_open_end_missing', 'null: the last tier has no end'));
  });
  return faults;
}
