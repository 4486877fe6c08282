import type { Meter } from '../catalog/meter.ts';
import { isPricedByTransaction, type Price } from '../catalog/price.ts';
import type { LineStep } from '../invoicing/invoice.ts';
import { Decimal } from '../money/decimal.ts';
import { type QuantityRounding, roundQuantity } from '../money/rounding.ts';
import { totalOf } from '../usage/quantity-of.ts';
import type { Transaction, UsageSlice } from '../usage/usage-snapshot.ts';
import { matrixSlices } from './charge-models/matrix-slices.ts';
import { lineStep } from './line-step.ts';

/** A charge's usage on its way through the stages. */
export interface ChargeUsage {
  /** What is still to be priced: the sum of the parts. */
  readonly quantity: Decimal;
  /** What is priced apart, in the order an allowance covers it: the entries of a matrix, its default last; else one part. */
  readonly parts: readonly UsagePart[];
  /** Every single amount behind the quantity by (occurredAt, value), for a price that looks at them; else empty. */
  readonly transactions: readonly Transaction[];
  /** How the quantity came about, where that is not plain counting: its rounding. */
  readonly steps: readonly LineStep[];
}

export interface UsagePart {
  /** What is still to be priced. */
  readonly quantity: Decimal;
  /** What allowances and envelopes have covered already. */
  readonly covered: Decimal;
}

/** What usage needs of its meter. */
export type UsageMeter = Pick<Meter, 'aggregation' | 'rounding'>;

/** The slices of a charge as its price looks at them, rounded as the meter says. */
export function usageOf(slices: readonly UsageSlice[], meter: UsageMeter, price: Price): ChargeUsage {
  const groups = price.model === 'matrix' ? matrixSlices(slices, price) : [slices];
  const quantities = groups.map((group) => totalOf(meter.aggregation, group));
  if (isPricedByTransaction(price)) return { ...usageOfQuantities(quantities), transactions: transactionsOf(slices) };
  return meter.rounding === undefined ? usageOfQuantities(quantities) : rounded(quantities, meter.rounding);
}

/** Usage of one quantity, without single transactions. */
export function usageOfQuantity(quantity: Decimal): ChargeUsage {
  return usageOfQuantities([quantity]);
}

/**
 * Covers `units` (0 to the quantity): they need no pricing any more. Parts are covered in their order, each as far as its
 * quantity reaches; one of zero or below takes nothing.
 */
export function coverUnits(usage: ChargeUsage, units: Decimal): ChargeUsage {
  let left = units;
  const parts = usage.parts.map((part) => {
    if (left.isZero() || part.quantity.compare(Decimal.ZERO) <= 0) return part;
    const taken = Decimal.min(left, part.quantity);
    left = left.minus(taken);
    return { quantity: part.quantity.minus(taken), covered: part.covered.plus(taken) };
  });
  return { ...usage, quantity: usage.quantity.minus(units), parts };
}

function usageOfQuantities(quantities: readonly Decimal[]): ChargeUsage {
  return {
    quantity: quantities.reduce((sum, quantity) => sum.plus(quantity)),
    parts: quantities.map((quantity) => ({ quantity, covered: Decimal.ZERO })),
    transactions: [],
    steps: [],
  };
}

/**
 * Rounded once, before anything counts it; each entry of a matrix has a quantity of its own and is rounded by itself. A row
 * says so where rounding changed something. (A price per transaction sees them as they came: no plan puts it on such a meter.)
 */
function rounded(quantities: readonly Decimal[], rounding: QuantityRounding): ChargeUsage {
  const before = usageOfQuantities(quantities);
  const after = usageOfQuantities(quantities.map((quantity) => roundQuantity(quantity, rounding)));
  if (after.parts.every(({ quantity }, index) => before.parts[index]?.quantity.equals(quantity))) return before;
  const step = lineStep({
    key: 'quantity-rounding',
    label: `${before.quantity} rounded ${roundingText(rounding)}: ${after.quantity}`,
    quantity: after.quantity.toString(),
    unitPrice: '0',
    amount: '0',
  });
  return { ...after, steps: [step] };
}

function roundingText({ mode, places }: QuantityRounding): string {
  const direction = mode === 'nearest' ? 'to the nearest' : mode;
  if (places === 0) return `${direction} to whole units`;
  return places > 0 ? `${direction} to ${places} places` : `${direction} to units of ${10n ** BigInt(-places)}`;
}

function transactionsOf(slices: readonly UsageSlice[]): readonly Transaction[] {
  const [first, ...others] = slices.flatMap(({ transactions }) => (transactions === undefined ? [] : [transactions]));
  if (first === undefined) return [];
  // every slice's are in order already; only several slices have to be merged
  return others.length === 0 ? first : [first, ...others].flat().sort(byTimeThenValue);
}

/** The order in which transactions count: (occurredAt, value). */
export function byTimeThenValue(a: Transaction, b: Transaction): number {
  return a.occurredAtMicros - b.occurredAtMicros || Decimal.ofTotal(a.value).compare(Decimal.ofTotal(b.value));
}
