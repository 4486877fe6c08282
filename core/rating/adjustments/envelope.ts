import { fractionText } from '../../time/proration.ts';
import type { ChargeStage } from '../charge-pipeline.ts';
import { coverUnits } from '../charge-usage.ts';
import { lineStep } from '../line-step.ts';

/**
 * Takes the charge's share of an envelope off the quantity before it is priced. `from` and `to` of the row are units of the
 * envelope, so that the rows of all its charges put together show how it was used up.
 */
export const applyEnvelope: ChargeStage = (progress, { share, proration }) => {
  if (share === undefined) return progress;
  const { envelope, covered, usedBefore, usedAfter, held, weight } = share;
  return {
    ...progress,
    usage: coverUnits(progress.usage, covered),
    allowanceUsed: progress.allowanceUsed.plus(covered),
    steps: [
      ...progress.steps,
      lineStep({
        key: `envelope/${envelope.key}`,
        label: `${envelope.name}: ${covered} covered, at ${weight} of its ${held} units each`,
        from: usedBefore.toString(),
        to: usedAfter.toString(),
        quantity: covered.toString(),
        unitPrice: '0',
        fraction: fractionText(proration),
        amount: '0',
      }),
    ],
  };
};
