import type { InvoiceLine, LineStep } from '../invoicing/invoice.ts';
import type { Currency } from '../money/currency.ts';
import { Decimal } from '../money/decimal.ts';
import { roundedMoney } from '../money/money.ts';
import { Rational } from '../money/rational.ts';
import { lineStep } from './line-step.ts';
import type { RatingInput } from './rate.ts';

/** A line before its rounding, in major units of the plan's currency; the rows add up to `amount`. */
export interface PricedLine {
  readonly amount: Rational;
  /** At most 0: what a later invoice gives back. */
  readonly carried: Rational;
  readonly steps: readonly LineStep[];
}

type BillingTerms = Pick<RatingInput, 'plan' | 'conversion'>;

/** The currency a service is billed in: the plan's, unless it is converted. */
export function billedCurrencyOf({ plan, conversion }: BillingTerms): Currency {
  return conversion?.currency ?? plan.currency;
}

/**
 * The one rounding of a line, in the currency it is billed in: a conversion comes before it, so nothing is rounded in the
 * plan's currency. What is carried is the difference it makes to the rounded line, so the two always add up.
 */
export function lineAmounts(
  priced: PricedLine,
  terms: BillingTerms,
): Pick<InvoiceLine, 'steps' | 'exactAmount' | 'rounding' | 'amountMinor' | 'carriedMinor'> {
  const { amount, carried, steps } = converted(priced, terms);
  const currency = billedCurrencyOf(terms);
  const rounding = terms.plan.rounding ?? 'half_away_from_zero';
  const amountMinor = roundedMoney(amount, currency, rounding).minor;
  const carriedMinor = carried.isZero()
    ? 0n
    : roundedMoney(amount.plus(carried), currency, rounding).minor - amountMinor;
  return { steps, exactAmount: amount.toString(), rounding, amountMinor, carriedMinor };
}

/**
 * The line in the currency it is billed in. Its rows stay in the plan's currency and one more row makes the difference, so that
 * they still add up; only what is carried is converted in its own row, because re-rating leaves that row out.
 */
function converted(priced: PricedLine, { plan, conversion }: BillingTerms): PricedLine {
  if (conversion === undefined) return priced;
  const rate = Rational.from(Decimal.parse(conversion.rate));
  const setAside = priced.carried.negated();
  const before = priced.amount.minus(setAside);
  const row = lineStep({
    key: 'conversion',
    label: `Converted: ${before} ${plan.currency} at ${conversion.rate} ${conversion.currency}`,
    amount: before.times(rate).minus(before).toString(),
  });
  const steps = priced.steps.map((step) =>
    step.key === 'carried' ? { ...step, amount: setAside.times(rate).toString() } : step,
  );
  return { amount: priced.amount.times(rate), carried: priced.carried.times(rate), steps: [...steps, row] };
}
