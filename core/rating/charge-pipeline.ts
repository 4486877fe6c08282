import type { UsageCharge } from '../catalog/charge.ts';
import type { Aggregation, Meter } from '../catalog/meter.ts';
import type { LineStep } from '../invoicing/invoice.ts';
import { Decimal } from '../money/decimal.ts';
import { Rational } from '../money/rational.ts';
import type { Proration } from '../time/proration.ts';
import { applyAllowance } from './adjustments/allowance.ts';
import { carryBelowZero } from './adjustments/below-zero.ts';
import { applyDiscount } from './adjustments/discount.ts';
import { applyEnvelope } from './adjustments/envelope.ts';
import { applyMaximum } from './adjustments/maximum.ts';
import { applyMinimum } from './adjustments/minimum.ts';
import { priceUsage } from './charge-models/price-usage.ts';
import type { ChargeUsage } from './charge-usage.ts';
import { applyLevelPart, type LevelPart } from './level-part.ts';
import type { EnvelopeShare } from './share-envelopes.ts';

/** What a stage may look at, and never changes. */
export interface ChargeTerms {
  readonly charge: UsageCharge;
  readonly aggregation: Aggregation;
  readonly reset?: Meter['reset'];
  readonly proration: Proration;
  /** Where the service is one of several parts of the period: what a level is billed for. */
  readonly level?: LevelPart | undefined;
  /** What an envelope gives this charge, if it draws on one. */
  readonly share?: EnvelopeShare | undefined;
}

/** A charge on its way through the stages. The sum of the rows' amounts is `amount`, after every stage. */
export interface ChargeProgress {
  /** What is still to be priced. */
  readonly usage: ChargeUsage;
  readonly allowanceUsed: Decimal;
  /** Major units, exact. */
  readonly amount: Rational;
  /** Major units, exact, at most 0: what a later invoice gives back. */
  readonly carried: Rational;
  readonly steps: readonly LineStep[];
}

export type ChargeStage = (progress: ChargeProgress, terms: ChargeTerms) => ChargeProgress;

/**
 * The order inside a charge, written once. The allowance, the charge's own before a shared one, comes before the model because
 * it is made of units; a level's part is taken of what the whole level costs; what lies below zero is set aside before the
 * minimum, or the minimum would swallow a correction; the maximum comes after it, so that a prorated minimum can never lift a
 * charge above its cap; the discount comes last, or a minimum would take it back.
 */
const STAGES: readonly ChargeStage[] = [
  applyAllowance,
  applyEnvelope,
  applyModel,
  applyLevelPart,
  carryBelowZero,
  applyMinimum,
  applyMaximum,
  applyDiscount,
];

/** Takes a charge's whole usage through all stages. */
export function priceCharge(usage: ChargeUsage, terms: ChargeTerms): ChargeProgress {
  const start: ChargeProgress = {
    usage,
    allowanceUsed: Decimal.ZERO,
    amount: Rational.ZERO,
    carried: Rational.ZERO,
    steps: usage.steps,
  };
  return STAGES.reduce((progress, stage) => stage(progress, terms), start);
}

function applyModel(progress: ChargeProgress, { charge }: ChargeTerms): ChargeProgress {
  const priced = priceUsage(progress.usage, charge.price);
  return {
    ...progress,
    amount: progress.amount.plus(Rational.from(priced.amount)),
    steps: progress.steps.length === 0 ? priced.steps : [...progress.steps, ...priced.steps],
  };
}
