import type { StairstepPrice } from '../../catalog/price.ts';
import { Decimal } from '../../money/decimal.ts';
import { lineStep } from '../line-step.ts';
import type { ChargeModel } from './charge-model.ts';
import { tierRanges } from './tier-ranges.ts';
import { tierFlatStep, tierHolding } from './tier-steps.ts';

/**
 * The flat amount of the tier that holds the whole quantity, whatever of the tier is used. At zero nothing is due unless the
 * price says `flatAtZero`, and below zero it is the same: a flat amount was never a price of units that could come back.
 */
export const priceByStairstep: ChargeModel<StairstepPrice> = ({ quantity }, price) => {
  const range = tierHolding(quantity, tierRanges(price.tiers));
  const isUsed = !quantity.isZero() && !quantity.isNegative();
  if (range.flatAmount !== null && (isUsed || price.flatAtZero === true)) {
    return { amount: range.flatAmount, steps: [{ ...tierFlatStep(range), label: range.label }] };
  }
  const unused = { from: range.fromText, to: range.upToText, amount: '0' };
  return {
    amount: Decimal.ZERO,
    steps: [lineStep({ key: `tier-${range.number}/flat`, label: `${range.label}, nothing used`, ...unused })],
  };
};
