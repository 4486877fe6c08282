import { isLevel } from '../catalog/meter.ts';
import { fractionOf, fractionText, isWhole, type Proration, prorationOf, prorationText } from '../time/proration.ts';
import type { ChargeStage } from './charge-pipeline.ts';
import { lineStep } from './line-step.ts';
import type { RatingInput } from './rate.ts';

/** How a level is billed in one of several parts of a period. */
export interface LevelPart {
  /** The service, of all the time in the period in which the subscription bills. */
  readonly part: Proration;
  /** What of the full period its allowance is: all that time, or none where the plan before keeps it. */
  readonly allowance: Proration;
}

/**
 * A maximum, a latest reading, a number of different users or an average is a level of the whole period and not of its parts: added up over the parts it would
 * be billed twice. Where a subscription bills a period in several parts, each prices the level of all of them and takes its
 * own part of that amount, so that a change to the very same prices changes nothing. Undefined where the service is all there is.
 */
export function levelPartOf(input: RatingInput, proration: Proration): LevelPart | undefined {
  const { running, service, period, plan } = input;
  if (running === undefined) return undefined;
  const total = (unit: Proration['unit']) =>
    running.reduce((sum, span) => sum + prorationOf(span, period, unit).part, 0);
  const unit = plan.proration ?? 'day';
  const whole = total(unit);
  // a few hours within one day are no days at all
  const by = whole === 0 ? 'second' : unit;
  const part = { part: prorationOf(service, period, by).part, whole: whole === 0 ? total(by) : whole, unit: by };
  const isPaidBefore = input.share !== undefined && input.share.start === input.share.end;
  return { part, allowance: isPaidBefore ? proration : { ...proration, part: whole } };
}

/** The usage a service prices: its own, and of levels that of the whole period. */
export function pricedSlices({ slices, levels, meters }: Pick<RatingInput, 'slices' | 'levels' | 'meters'>) {
  if (levels === undefined) return slices;
  const levelMeters = new Set(meters.filter(isLevel).map(({ key }) => key));
  return [...slices.filter(({ meter }) => !levelMeters.has(meter)), ...levels];
}

/** Takes the part of a level's amount that belongs to this service. */
export const applyLevelPart: ChargeStage = (progress, { level }) => {
  if (level === undefined || isWhole(level.part)) return progress;
  const amount = progress.amount.times(fractionOf(level.part));
  return {
    ...progress,
    amount,
    steps: [
      ...progress.steps,
      lineStep({
        key: 'level-part',
        label: `A level of the whole period, priced here for ${prorationText(level.part)}`,
        fraction: fractionText(level.part),
        amount: amount.minus(progress.amount).toString(),
      }),
    ],
  };
};
