import type { VolumePrice } from '../../catalog/price.ts';
import type { ChargeModel } from './charge-model.ts';
import { tierRanges } from './tier-ranges.ts';
import { tierFlatStep, tierHolding, tierUsageStep } from './tier-steps.ts';

/**
 * The tier that holds the whole quantity prices all of it, plus its flat amount; the first tier's flat amount is due at zero
 * only when the price says `flatAtZero`. Zero and negative quantities lie in the first tier.
 */
export const priceByVolume: ChargeModel<VolumePrice> = ({ quantity }, price) => {
  const range = tierHolding(quantity, tierRanges(price.tiers));
  const usage = quantity.times(range.unitPrice);
  const usageStep = tierUsageStep(range, quantity, usage);
  const isUsed = !quantity.isZero() && !quantity.isNegative();
  if (range.flatAmount === null || !(isUsed || price.flatAtZero === true)) return { amount: usage, steps: [usageStep] };
  return { amount: usage.plus(range.flatAmount), steps: [usageStep, tierFlatStep(range)] };
};
