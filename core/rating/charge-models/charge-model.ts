import type { LineStep } from '../../invoicing/invoice.ts';
import type { Decimal } from '../../money/decimal.ts';
import type { ChargeUsage } from '../charge-usage.ts';

/**
 * What every price model is: usage and a price to rows that explain it. The amount of the charge is the sum of the rows, and
 * each row can be computed by hand: quantity x unit price, or the flat amount. Pure; the quantity comes after rounding and
 * allowance and may be zero, a fraction or negative (corrections): each model says what it does below zero, and what comes
 * out below zero is carried to a later invoice (adjustments/below-zero.ts).
 */
export type ChargeModel<P> = (usage: ChargeUsage, price: P) => PricedQuantity;

export interface PricedQuantity {
  /** Major units, exact. */
  readonly amount: Decimal;
  readonly steps: readonly LineStep[];
}
