import type { Price } from '../../catalog/price.ts';
import type { ChargeUsage } from '../charge-usage.ts';
import type { PricedQuantity } from './charge-model.ts';
import { priceDynamically } from './dynamic.ts';
import { priceByGraduatedTiers } from './graduated.ts';
import { priceByGraduatedRates } from './graduated-percentage.ts';
import { priceByMatrix } from './matrix.ts';
import { priceByPackage } from './package.ts';
import { priceByUnit } from './per-unit.ts';
import { priceByPercentage } from './percentage.ts';
import { priceByStairstep } from './stairstep.ts';
import { priceByVolume } from './volume.ts';

/** Prices usage by the model its price names. A new model is a file beside this one and a case here. */
export function priceUsage(usage: ChargeUsage, price: Price): PricedQuantity {
  switch (price.model) {
    case 'per_unit':
      return priceByUnit(usage, price);
    case 'graduated':
      return priceByGraduatedTiers(usage, price);
    case 'volume':
      return priceByVolume(usage, price);
    case 'stairstep':
      return priceByStairstep(usage, price);
    case 'package':
      return priceByPackage(usage, price);
    case 'percentage':
      return priceByPercentage(usage, price);
    case 'graduated_percentage':
      return priceByGraduatedRates(usage, price);
    case 'dynamic':
      return priceDynamically(usage, price);
    case 'matrix':
      return priceByMatrix(usage, price);
  }
}
