import { Decimal } from '../../money/decimal.ts';
import { Rational } from '../../money/rational.ts';
import { fractionOf, fractionText, isWhole, prorationText } from '../../time/proration.ts';
import type { ChargeStage } from '../charge-pipeline.ts';
import { lineStep } from '../line-step.ts';

/** Lifts the charge to its minimum, which is prorated in a partial period. */
export const applyMinimum: ChargeStage = (progress, { charge, proration }) => {
  if (charge.minimum === undefined) return progress;
  const minimum = Rational.from(Decimal.constant(charge.minimum)).times(fractionOf(proration));
  if (progress.amount.compare(minimum) >= 0) return progress;
  return {
    ...progress,
    amount: minimum,
    steps: [
      ...progress.steps,
      lineStep({
        key: 'minimum',
        label: isWhole(proration)
          ? `Up to the minimum of ${charge.minimum}`
          : `Up to the minimum of ${charge.minimum} x ${prorationText(proration)}`,
        fraction: fractionText(proration),
        amount: minimum.minus(progress.amount).toString(),
      }),
    ],
  };
};
