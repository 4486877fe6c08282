import type { UsageCharge } from '../../catalog/charge.ts';
import { Decimal } from '../../money/decimal.ts';
import { Rational } from '../../money/rational.ts';
import { roundTo } from '../../money/rounding.ts';
import { fractionOf, fractionText, isWhole, type Proration, prorationText } from '../../time/proration.ts';
import type { ChargeStage } from '../charge-pipeline.ts';
import { coverUnits } from '../charge-usage.ts';
import { lineStep } from '../line-step.ts';

/** Places a quantity may have. */
const QUANTITY_PLACES = 12;

/** Takes the free units off the quantity before it is priced. A quantity of zero or below uses none. */
export const applyAllowance: ChargeStage = (progress, terms) => {
  const { charge, level } = terms;
  if (charge.allowance === undefined) return progress;
  const proration = level?.allowance ?? terms.proration;
  const included = proratedAllowance(charge.allowance, proration);
  const used = allowanceUsed(progress.usage.quantity, included);
  return {
    ...progress,
    usage: coverUnits(progress.usage, used),
    allowanceUsed: used,
    steps: [
      ...progress.steps,
      lineStep({
        key: 'allowance',
        label: `Included: ${used} of ${included}${isWhole(proration) ? '' : ` (${charge.allowance} x ${prorationText(proration)})`}`,
        from: '0',
        to: included.toString(),
        quantity: used.toString(),
        unitPrice: '0',
        fraction: fractionText(proration),
        amount: '0',
      }),
    ],
  };
};

/** What is left of a charge's quantity once its own allowance is used: what it may draw on an envelope for. */
export function quantityAfterAllowance(quantity: Decimal, charge: UsageCharge, proration: Proration): Decimal {
  if (charge.allowance === undefined) return quantity;
  return quantity.minus(allowanceUsed(quantity, proratedAllowance(charge.allowance, proration)));
}

function allowanceUsed(quantity: Decimal, included: Decimal): Decimal {
  return Decimal.max(Decimal.ZERO, Decimal.min(quantity, included));
}

/** The allowance of a partial period, to the 12 places a quantity may have: it is a quantity, and lines show it as one. */
export function proratedAllowance(allowance: string, proration: Proration): Decimal {
  const whole = Decimal.constant(allowance);
  if (isWhole(proration)) return whole;
  const part = Rational.from(whole).times(fractionOf(proration));
  return Decimal.of(roundTo(part, QUANTITY_PLACES, 'half_away_from_zero'), QUANTITY_PLACES);
}
