import type { Meter } from '../catalog/meter.ts';
import { Decimal } from '../money/decimal.ts';
import { roundQuantity } from '../money/rounding.ts';
import { quantityOf } from './quantity-of.ts';
import type { UsageSlice } from './usage-snapshot.ts';

/** The quantity of a meter's slices taken together, rounded once as the meter says: what is shown, and what is rated. */
export function meterQuantity(meter: Pick<Meter, 'aggregation' | 'rounding'>, slices: readonly UsageSlice[]): string {
  const quantity = quantityOf(meter.aggregation, slices);
  return meter.rounding === undefined ? quantity : roundQuantity(Decimal.ofTotal(quantity), meter.rounding).toString();
}
