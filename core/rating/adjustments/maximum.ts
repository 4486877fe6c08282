import { Decimal } from '../../money/decimal.ts';
import { Rational } from '../../money/rational.ts';
import type { ChargeStage } from '../charge-pipeline.ts';
import { lineStep } from '../line-step.ts';

/** Cuts the charge to its maximum. A cap on usage is not prorated: usage of half a month may all fall on one day. */
export const applyMaximum: ChargeStage = (progress, { charge }) => {
  if (charge.maximum === undefined) return progress;
  const maximum = Rational.from(Decimal.constant(charge.maximum));
  if (progress.amount.compare(maximum) <= 0) return progress;
  return {
    ...progress,
    amount: maximum,
    steps: [
      ...progress.steps,
      lineStep({
        key: 'maximum',
        label: `Down to the maximum of ${charge.maximum}`,
        amount: maximum.minus(progress.amount).toString(),
      }),
    ],
  };
};
