import type { DynamicPrice } from '../../catalog/price.ts';
import { Decimal } from '../../money/decimal.ts';
import { lineStep } from '../line-step.ts';
import type { ChargeModel } from './charge-model.ts';

/** The events bring their own price, so the quantity is money: quantity x multiplier (1 when absent), below zero too. */
export const priceDynamically: ChargeModel<DynamicPrice> = ({ quantity }, price) => {
  const multiplier = price.multiplier ?? '1';
  const amount = quantity.times(Decimal.constant(multiplier));
  return {
    amount,
    steps: [
      lineStep({
        key: 'usage',
        label: price.multiplier === undefined ? 'Amounts of the events' : `Amounts of the events x ${multiplier}`,
        quantity: quantity.toString(),
        unitPrice: multiplier,
        amount: amount.toString(),
      }),
    ],
  };
};
