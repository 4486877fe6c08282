import { isPricedByTransaction, type PercentagePrice } from '../../catalog/price.ts';
import { Decimal } from '../../money/decimal.ts';
import { lineStep } from '../line-step.ts';
import type { ChargeModel } from './charge-model.ts';
import { priceTransactions } from './price-transactions.ts';

/**
 * rate x amount, below zero too. A price that has a fee, free parts or bounds per transaction looks at every single one:
 * price-transactions.ts.
 */
export const priceByPercentage: ChargeModel<PercentagePrice> = (usage, price) => {
  if (isPricedByTransaction(price)) return priceTransactions(usage, price);
  const rate = Decimal.ofPercent(price.rate);
  const amount = usage.quantity.times(rate);
  return {
    amount,
    steps: [
      lineStep({
        key: 'usage',
        label: `${price.rate} % of the amount`,
        quantity: usage.quantity.toString(),
        unitPrice: rate.toString(),
        amount: amount.toString(),
      }),
    ],
  };
};
