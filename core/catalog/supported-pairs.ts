import { AGGREGATIONS, type Aggregation } from './meter.ts';
import type { PriceModel } from './price.ts';

/** Aggregations whose quantity may be money: amounts that add up, which different users, averages and levels over time do not. */
const MONETARY: readonly Aggregation[] = ['sum', 'transactions'];

/**
 * Which aggregations a price model can price. Most models price any quantity, whatever it was made of; a share of money and
 * a price the events bring themselves need amounts that add up, which a count, a maximum, a unique count or an average is not.
 */
export const SUPPORTED_AGGREGATIONS: Readonly<Record<PriceModel, readonly Aggregation[]>> = {
  per_unit: AGGREGATIONS,
  graduated: AGGREGATIONS,
  volume: AGGREGATIONS,
  stairstep: AGGREGATIONS,
  package: AGGREGATIONS,
  percentage: MONETARY,
  graduated_percentage: MONETARY,
  dynamic: MONETARY,
  matrix: AGGREGATIONS,
};
