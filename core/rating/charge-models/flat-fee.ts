import type { LineStep } from '../../invoicing/invoice.ts';
import { Decimal } from '../../money/decimal.ts';
import { Rational } from '../../money/rational.ts';
import { fractionOf, fractionText, isWhole, type Proration } from '../../time/proration.ts';
import { lineStep } from '../line-step.ts';

/** A fixed fee of the full period, times the part of the period that is billed. */
export function priceFlatFee(amount: string, proration: Proration): { amount: Rational; steps: LineStep[] } {
  const whole = Rational.from(Decimal.parse(amount));
  const due = isWhole(proration) ? whole : whole.times(fractionOf(proration));
  return {
    amount: due,
    steps: [
      lineStep({
        key: 'fee',
        label: isWhole(proration) ? 'Full period' : `${proration.part} of ${proration.whole} ${proration.unit}s`,
        quantity: '1',
        flatAmount: amount,
        fraction: fractionText(proration),
        amount: due.toString(),
      }),
    ],
  };
}
