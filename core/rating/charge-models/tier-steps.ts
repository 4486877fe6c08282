import { invariantBroken } from '../../errors.ts';
import type { LineStep } from '../../invoicing/invoice.ts';
import type { Decimal } from '../../money/decimal.ts';
import type { PricedQuantity } from './charge-model.ts';
import type { TierRange } from './tier-ranges.ts';

/**
 * Walks a quantity through its tiers: each prices its own slice `(previous upTo, upTo]`, its flat amount due once its slice is
 * entered, the first tier's at zero or below only with `isFlatAtZero`. A negative quantity lies whole in the first tier.
 */
export function walkTiers(quantity: Decimal, ranges: readonly TierRange[], isFlatAtZero: boolean): PricedQuantity {
  const range = tierHolding(quantity, ranges);
  const last = partOfTier(quantity, range, quantity.isPositive() || isFlatAtZero);
  return { amount: range.amountBefore.plus(last.amount), steps: [...range.stepsBefore, ...last.steps] };
}

/** A tier priced up to `quantity`, which it holds, with its flat amount where that is due. */
export function partOfTier(quantity: Decimal, range: TierRange, isFlatDue: boolean): PricedQuantity {
  const slice = quantity.minus(range.from);
  const usage = slice.times(range.unitPrice);
  const usageStep = tierUsageStep(range, slice, usage);
  if (range.flatAmount === null || !isFlatDue) return { amount: usage, steps: [usageStep] };
  return { amount: usage.plus(range.flatAmount), steps: [usageStep, tierFlatStep(range)] };
}

/** The tier that holds the whole quantity; zero and negative quantities lie in the first one. */
export function tierHolding(quantity: Decimal, ranges: readonly TierRange[]): TierRange {
  for (const range of ranges) if (range.upTo === null || quantity.compare(range.upTo) <= 0) return range;
  throw invariantBroken('tiers_damaged', `Got no tier for the quantity ${quantity}; expected an open end.`);
}

/** The row of a quantity priced in a tier. */
export function tierUsageStep(range: TierRange, quantity: Decimal, amount: Decimal): LineStep {
  return {
    key: `tier-${range.number}/usage`,
    label: range.label,
    from: range.fromText,
    to: range.upToText,
    quantity: quantity.toString(),
    unitPrice: range.unitPriceText,
    flatAmount: null,
    fraction: null,
    amount: amount.toString(),
  };
}

/** The row of a tier's flat amount, which must have one. */
export function tierFlatStep(range: TierRange): LineStep {
  return {
    key: `tier-${range.number}/flat`,
    label: `Tier ${range.number}: flat amount`,
    from: range.fromText,
    to: range.upToText,
    quantity: null,
    unitPrice: null,
    flatAmount: range.flatAmountText,
    fraction: null,
    amount: range.flatAmountText ?? '0',
  };
}
