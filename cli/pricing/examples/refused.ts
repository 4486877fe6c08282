import type { EstimateRequest } from '../../estimate-api.ts';
import { CALLS, oneCharge, used } from '../example.ts';

/** Requests that are refused, each with what is wrong about it; the page lists the faults the API answers. */
export interface RefusedExample {
  readonly what: string;
  readonly request: EstimateRequest;
}

const REGIONAL = { ...CALLS, dimensions: ['region'] };
const withPrice = (price: object, more: object = {}) =>
  oneCharge(REGIONAL, { key: 'calls', name: 'API calls', price, ...more }, { usage: [used('api_calls', '1')] });
const withTiers = (...tiers: readonly object[]) => withPrice({ model: 'graduated', tiers });

export const REFUSED: readonly RefusedExample[] = [
  {
    what: 'Tiers that descend and have no open end',
    request: withTiers({ up_to: '100', unit_price: '1' }, { up_to: '50', unit_price: '1' }),
  },
  { what: 'A price with 13 decimal places', request: withPrice({ model: 'per_unit', unit_price: '0.0000000000001' }) },
  { what: 'A number where a decimal string is due', request: withPrice({ model: 'per_unit', unit_price: 0.1 }) },
  {
    what: 'An unknown dimension',
    request: withPrice({ model: 'per_unit', unit_price: '1' }, { filter: { colour: 'red' } }),
  },
  { what: 'A percentage of a count', request: withPrice({ model: 'percentage', rate: '2.9' }) },
  {
    what: 'A percentage of a unique count',
    request: oneCharge(
      { key: 'users', aggregation: 'unique_count' },
      { key: 'users', name: 'Users', price: { model: 'percentage', rate: '2.9' } },
      { usage: [used('users', '1')] },
    ),
  },
  {
    what: 'A maximum that carries over',
    request: oneCharge(
      { key: 'seats', aggregation: 'max', reset: 'carry_over' },
      { key: 'seats', name: 'Seats', price: { model: 'per_unit', unit_price: '1' } },
      { usage: [used('seats', '1')] },
    ),
  },
  {
    what: 'A commitment without a term',
    request: { ...withPrice({ model: 'per_unit', unit_price: '1' }), commitment: { amount: '100', true_up: true } },
  },
  {
    what: 'A matrix without a default',
    request: withPrice({
      model: 'matrix',
      dimensions: ['region'],
      prices: [{ match: { region: 'eu' }, unit_price: '1' }],
    }),
  },
  {
    what: 'A minimum above the maximum',
    request: withPrice({ model: 'per_unit', unit_price: '1' }, { minimum: '10', maximum: '5' }),
  },
];
