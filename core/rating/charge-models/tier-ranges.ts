import { invariantBroken } from '../../errors.ts';
import type { LineStep } from '../../invoicing/invoice.ts';
import { Decimal } from '../../money/decimal.ts';
import type { PricedQuantity } from './charge-model.ts';
import { partOfTier } from './tier-steps.ts';

/** A tier with its range read: the quantities `(from, upTo]`; `upTo` null where it has no end. `number` counts from 1. */
export interface TierRange {
  readonly number: number;
  readonly from: Decimal;
  readonly upTo: Decimal | null;
  /** Major units for one unit; 0 where the tier has only a flat amount. */
  readonly unitPrice: Decimal;
  readonly flatAmount: Decimal | null;
  /** What a row says: "Tier 2: above 100 up to 1000", and the figures as text. */
  readonly label: string;
  readonly fromText: string;
  readonly upToText: string | null;
  readonly unitPriceText: string;
  readonly flatAmountText: string | null;
  /** What all tiers before it come to, filled: the same for every quantity that reaches it. */
  readonly amountBefore: Decimal;
  readonly stepsBefore: readonly LineStep[];
}

/** What the tiers of all models have in common; a rate is in percent. */
interface AnyTier {
  readonly upTo: string | null;
  readonly unitPrice?: string;
  readonly rate?: string;
  readonly flatAmount?: string | undefined;
}

/**
 * A price never changes, so its tiers are read once: for as long as the plan is held, and by what they say, because a plan that
 * many customers have comes out of the evidence of each as an object of its own.
 */
const knownTiers = new WeakMap<readonly AnyTier[], readonly TierRange[]>();
const knownTexts = new Map<string, readonly TierRange[]>();
const MOST_TEXTS = 200;

/** The tiers with their ranges. Throws `invariant-broken` (code `tiers_damaged`) on tiers that validation would have refused. */
export function tierRanges(tiers: readonly AnyTier[]): readonly TierRange[] {
  const known = knownTiers.get(tiers);
  if (known !== undefined) return known;
  const text = JSON.stringify(tiers);
  const ranges = knownTexts.get(text) ?? readRanges(tiers);
  if (knownTexts.size >= MOST_TEXTS) knownTexts.clear();
  knownTexts.set(text, ranges);
  knownTiers.set(tiers, ranges);
  return ranges;
}

function readRanges(tiers: readonly AnyTier[]): TierRange[] {
  if (tiers.length === 0) throw invariantBroken('tiers_damaged', 'Got no tiers; expected at least one.');
  const ranges: TierRange[] = [];
  let before: PricedQuantity = { amount: Decimal.ZERO, steps: [] };
  for (const tier of tiers) {
    const from = ranges.at(-1)?.upTo ?? Decimal.ZERO;
    const upTo = tier.upTo === null ? null : Decimal.parse(tier.upTo);
    const isLast = ranges.length === tiers.length - 1;
    if ((upTo === null) !== isLast || (upTo && upTo.compare(from) <= 0)) {
      throw invariantBroken(
        'tiers_damaged',
        `Got tier ${ranges.length + 1} up to ${tier.upTo} after ${from}; expected ascending bounds and one open end.`,
      );
    }
    const range = readRange(tier, ranges.length + 1, { from, upTo }, before);
    ranges.push(range);
    if (upTo === null) continue;
    const filled = partOfTier(upTo, range, true);
    before = { amount: before.amount.plus(filled.amount), steps: [...before.steps, ...filled.steps] };
  }
  return ranges;
}

function readRange(
  tier: AnyTier,
  number: number,
  bounds: Pick<TierRange, 'from' | 'upTo'>,
  before: PricedQuantity,
): TierRange {
  const unitPrice = tier.rate === undefined ? Decimal.parse(tier.unitPrice ?? '0') : Decimal.ofPercent(tier.rate);
  return {
    ...bounds,
    number,
    unitPrice,
    flatAmount: tier.flatAmount === undefined ? null : Decimal.parse(tier.flatAmount),
    label: `Tier ${number}: ${rangeText(bounds)}${tier.rate === undefined ? '' : ` at ${tier.rate} %`}`,
    fromText: bounds.from.toString(),
    upToText: bounds.upTo?.toString() ?? null,
    unitPriceText: tier.unitPrice ?? unitPrice.toString(),
    flatAmountText: tier.flatAmount ?? null,
    amountBefore: before.amount,
    stepsBefore: before.steps,
  };
}

function rangeText({ from, upTo }: Pick<TierRange, 'from' | 'upTo'>): string {
  if (upTo === null) return from.isZero() ? 'any quantity' : `above ${from}`;
  return from.isZero() ? `up to ${upTo}` : `above ${from} up to ${upTo}`;
}
