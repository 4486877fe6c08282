import type { GraduatedPrice } from '../../catalog/price.ts';
import type { ChargeModel } from './charge-model.ts';
import { tierRanges } from './tier-ranges.ts';
import { walkTiers } from './tier-steps.ts';

/**
 * Each tier prices its own slice `(previous upTo, upTo]`; its flat amount is due once its slice is entered, the first
 * tier's at zero too when the price says `flatAtZero`. A negative quantity lies whole in the first tier.
 */
export const priceByGraduatedTiers: ChargeModel<GraduatedPrice> = ({ quantity }, { tiers, flatAtZero }) =>
  walkTiers(quantity, tierRanges(tiers), flatAtZero === true);
