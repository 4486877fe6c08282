import type { PerUnitPrice } from '../../catalog/price.ts';
import { Decimal } from '../../money/decimal.ts';
import { lineStep } from '../line-step.ts';
import type { ChargeModel } from './charge-model.ts';

/** quantity x unit price, below zero too. */
export const priceByUnit: ChargeModel<PerUnitPrice> = ({ quantity }, price) => {
  const amount = quantity.times(Decimal.constant(price.unitPrice));
  return {
    amount,
    steps: [
      lineStep({
        key: 'usage',
        label: 'Usage',
        quantity: quantity.toString(),
        unitPrice: price.unitPrice,
        amount: amount.toString(),
      }),
    ],
  };
};
