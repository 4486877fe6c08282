import type { MatrixPrice } from '../../catalog/price.ts';
import type { LineStep } from '../../invoicing/invoice.ts';
import { Decimal } from '../../money/decimal.ts';
import type { UsagePart } from '../charge-usage.ts';
import { lineStep } from '../line-step.ts';
import type { ChargeModel } from './charge-model.ts';

/**
 * Each entry prices its own usage, the default price all the rest (matrix-slices.ts says which usage is whose). An allowance
 * covers the entries in written order, the default last. A part below zero is priced at its entry's price and lowers the
 * whole. Parts without usage have no row; the default has one when there is no other.
 */
export const priceByMatrix: ChargeModel<MatrixPrice> = ({ parts }, price) => {
  const steps: LineStep[] = [];
  let amount = Decimal.ZERO;
  parts.forEach((part, index) => {
    const entry = price.prices[index];
    const isShown = !part.quantity.isZero() || !part.covered.isZero() || (entry === undefined && steps.length === 0);
    if (!isShown) return;
    const unitPrice = entry?.unitPrice ?? price.defaultUnitPrice;
    const due = part.quantity.times(Decimal.constant(unitPrice));
    amount = amount.plus(due);
    steps.push(
      lineStep({
        key: entry ? `price-${index + 1}/usage` : 'default/usage',
        label: `${entry ? matchText(entry.match) : 'All other usage'}${coveredText(part)}`,
        quantity: part.quantity.toString(),
        unitPrice,
        amount: due.toString(),
      }),
    );
  });
  return { amount, steps };
};

function matchText(match: Readonly<Record<string, string>>): string {
  return Object.entries(match)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}

function coveredText({ quantity, covered }: UsagePart): string {
  return covered.isZero() ? '' : ` (${covered} of ${quantity.plus(covered)} included)`;
}
