import type { Commitment } from '../catalog/commitment.ts';
import { priceVersionOf } from '../catalog/plan.ts';
import type { InvoiceLine, LineStep } from '../invoicing/invoice.ts';
import { Decimal } from '../money/decimal.ts';
import { majorOf } from '../money/money.ts';
import { Rational } from '../money/rational.ts';
import { fractionOf, fractionText, isWhole, type Proration, prorationText } from '../time/proration.ts';
import { billedCurrencyOf, lineAmounts } from './line-amounts.ts';
import { lineKeyPrefix } from './line-key.ts';
import { lineStep } from './line-step.ts';
import type { RatingInput } from './rate.ts';

/**
 * The line that a commitment adds to the plan's lines of one service, if any: what is missing to it, or what the overage costs
 * more. `lines` are all lines of the plan for the service, fees billed in advance included, as they are billed: rounded. So lines
 * and true-up together are the commitment to the one rounding of the true-up. A plan whose days are another's (an empty share)
 * commits to nothing.
 */
export function commitmentLines(
  input: RatingInput,
  lines: readonly InvoiceLine[],
  proration: Proration,
): readonly InvoiceLine[] {
  const { commitment } = input.plan;
  if (commitment === undefined || proration.part === 0) return [];
  const billedMinor = lines.reduce((sum, line) => sum + line.amountMinor, 0n);
  const billed = majorOf(billedMinor, billedCurrencyOf(input));
  const committed = committedStep(commitment, input, proration);
  const missing = Rational.parse(committed.amount).minus(Rational.from(billed));
  if (missing.isNegative()) return overage(input, commitment, billed, committed);
  if (missing.isZero() || !commitment.trueUp) return [];
  const steps = [
    committed,
    lineStep({ key: 'billed', label: 'Billed by the other lines', amount: billed.negated().toString() }),
  ];
  return [lineOf(input, 'true-up', 'Minimum commitment: what is missing', steps)];
}

/** The commitment of the service, in the currency that is billed. */
function committedStep(commitment: Commitment, { plan, conversion }: RatingInput, proration: Proration): LineStep {
  const rate = conversion?.rate ?? '1';
  const amount = Rational.from(Decimal.parse(commitment.amount).times(Decimal.parse(rate))).times(
    fractionOf(proration),
  );
  const at = conversion === undefined ? '' : ` ${plan.currency} at ${rate} ${conversion.currency}`;
  const days = isWhole(proration) ? '' : ` x ${prorationText(proration)}`;
  return lineStep({
    key: 'commitment',
    label: `Commitment of ${commitment.amount}${at}${days}`,
    quantity: commitment.amount,
    unitPrice: rate,
    fraction: fractionText(proration),
    amount: amount.toString(),
  });
}

/** What the part of the bill above the commitment costs more: that part x (factor - 1). */
function overage(
  input: RatingInput,
  { overageFactor }: Commitment,
  billed: Decimal,
  committed: LineStep,
): readonly InvoiceLine[] {
  if (overageFactor === undefined) return [];
  const extra = Decimal.parse(overageFactor).minus(Decimal.ONE);
  if (extra.isZero()) return [];
  const steps = [
    lineStep({
      key: 'billed',
      label: 'Billed by the other lines',
      quantity: billed.toString(),
      unitPrice: extra.toString(),
      amount: billed.times(extra).toString(),
    }),
    {
      ...committed,
      label: `Not above: ${committed.label}`,
      quantity: Decimal.ofTotal(committed.quantity ?? '0')
        .negated()
        .times(Decimal.parse(committed.unitPrice ?? '1'))
        .toString(),
      unitPrice: extra.toString(),
      amount: Rational.parse(committed.amount).times(Rational.from(extra)).negated().toString(),
    },
  ];
  return [lineOf(input, 'overage', `Overage above the commitment, at ${overageFactor} times the price`, steps)];
}

function lineOf(
  input: RatingInput,
  part: 'true-up' | 'overage',
  description: string,
  steps: readonly LineStep[],
): InvoiceLine {
  const { plan, period, service } = input;
  const amount = steps.reduce((sum, step) => sum.plus(Rational.parse(step.amount)), Rational.ZERO);
  return {
    key: `${lineKeyPrefix(input)}/commitment/${part}`,
    kind: 'commitment',
    description,
    subscription: input.subscription,
    charge: 'commitment',
    meter: null,
    servicePeriod: { period: period.key, start: service.start, end: service.end },
    quantity: '1',
    allowanceUsed: '0',
    unit: null,
    // converted already, where the lines it is measured against are
    ...lineAmounts({ amount, carried: Rational.ZERO, steps }, { plan: { ...plan, currency: billedCurrencyOf(input) } }),
    priceVersion: input.sources?.commitment ?? priceVersionOf(plan),
  };
}
