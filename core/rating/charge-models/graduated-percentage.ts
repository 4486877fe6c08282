import type { GraduatedPercentagePrice } from '../../catalog/price.ts';
import type { ChargeModel } from './charge-model.ts';
import { tierRanges } from './tier-ranges.ts';
import { walkTiers } from './tier-steps.ts';

/**
 * Graduated over a monetary quantity: each tier takes its rate of its own slice, its flat amount as in graduated.ts. A
 * negative quantity lies whole in the first tier and gives back that tier's rate of it.
 */
export const priceByGraduatedRates: ChargeModel<GraduatedPercentagePrice> = ({ quantity }, { tiers, flatAtZero }) =>
  walkTiers(quantity, tierRanges(tiers), flatAtZero === true);
