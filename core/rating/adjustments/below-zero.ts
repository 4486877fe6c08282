import { Rational } from '../../money/rational.ts';
import type { ChargeStage } from '../charge-pipeline.ts';
import { lineStep } from '../line-step.ts';

/**
 * A charge never goes below zero in its own period. What corrections of a sum or transactions meter leave below zero is
 * carried to an adjustment line of a later invoice; a reading, an average, a
 * level over time or a balance below zero is no correction, so nothing is given back.
 */
export const carryBelowZero: ChargeStage = (progress, { aggregation, reset }) => {
  if (!progress.amount.isNegative()) return progress;
  const isCorrection = aggregation === 'transactions' || (aggregation === 'sum' && reset !== 'carry_over');
  return {
    ...progress,
    amount: Rational.ZERO,
    carried: isCorrection ? progress.amount : Rational.ZERO,
    steps: [
      ...progress.steps,
      lineStep({
        key: isCorrection ? 'carried' : 'floor',
        label: isCorrection ? 'Below zero: carried to an adjustment' : 'Below zero: nothing is due',
        amount: progress.amount.negated().toString(),
      }),
    ],
  };
};
