import type { Discount } from '../../catalog/discount.ts';
import { Decimal } from '../../money/decimal.ts';
import { Rational } from '../../money/rational.ts';
import { fractionOf, fractionText, isWhole, type Proration, prorationText } from '../../time/proration.ts';
import type { ChargeProgress, ChargeStage } from '../charge-pipeline.ts';
import { lineStep } from '../line-step.ts';

type Discounted = Pick<ChargeProgress, 'amount' | 'carried' | 'steps'>;

/** Takes the charge's own discount off, after minimum and maximum and before the line's one rounding. */
export const applyDiscount: ChargeStage = (progress, { charge, proration }) =>
  charge.discount === undefined ? progress : { ...progress, ...discounted(progress, charge.discount, proration) };

/**
 * The amount less the discount, never below zero. A percentage is taken of what is carried below zero as well: a correction
 * gives back what was paid and not the list price. An amount is prorated in a partial period and leaves the carried alone.
 */
export function discounted(line: Discounted, discount: Discount, proration: Proration): Discounted {
  if (discount.percent !== undefined) return lessPercent(line, discount.percent);
  if (discount.amount !== undefined) return lessAmount(line, discount.amount, proration);
  return line;
}

function lessPercent({ amount, carried, steps }: Discounted, percent: string): Discounted {
  const base = amount.plus(carried);
  if (amount.isZero() && carried.isZero()) return { amount, carried, steps };
  const kept = Rational.ONE.minus(Rational.from(Decimal.ofPercent(percent)));
  const left = { amount: amount.times(kept), carried: carried.times(kept) };
  const off = left.amount.plus(left.carried).minus(base);
  return {
    ...left,
    steps: [
      ...steps.map((step) => (step.key === 'carried' ? { ...step, amount: left.carried.negated().toString() } : step)),
      lineStep({ key: 'discount', label: `Discount of ${percent} % on ${base}`, amount: off.toString() }),
    ],
  };
}

function lessAmount({ amount, carried, steps }: Discounted, text: string, proration: Proration): Discounted {
  const most = Rational.from(Decimal.constant(text)).times(fractionOf(proration));
  const isLimited = amount.compare(most) < 0;
  const off = isLimited ? amount : most;
  if (off.isZero()) return { amount, carried, steps };
  const due = isWhole(proration) ? text : `${text} x ${prorationText(proration)}`;
  const row = isLimited
    ? { label: `Discount of ${due}, as far as the amount reaches` }
    : { label: `Discount of ${due}`, flatAmount: `-${text}`, fraction: fractionText(proration) };
  return {
    amount: amount.minus(off),
    carried,
    steps: [...steps, lineStep({ key: 'discount', ...row, amount: off.negated().toString() })],
  };
}
