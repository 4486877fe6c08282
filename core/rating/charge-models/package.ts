import type { PackagePrice } from '../../catalog/price.ts';
import { Decimal } from '../../money/decimal.ts';
import { packagesFor } from '../../money/rounding.ts';
import { lineStep } from '../line-step.ts';
import type { ChargeModel } from './charge-model.ts';

/**
 * ceil(quantity / size) x price: a package that is begun is due whole, so below zero a correction gives back only whole
 * packages.
 */
export const priceByPackage: ChargeModel<PackagePrice> = ({ quantity }, price) => {
  const packages = Decimal.of(packagesFor(quantity, Decimal.constant(price.packageSize)));
  const amount = packages.times(Decimal.constant(price.packagePrice));
  return {
    amount,
    steps: [
      lineStep({
        key: 'packages',
        label: `Packages of ${price.packageSize} for ${quantity}`,
        quantity: packages.toString(),
        unitPrice: price.packagePrice,
        amount: amount.toString(),
      }),
    ],
  };
};
