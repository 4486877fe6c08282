import { expect, test } from 'vitest';
import type { UsageCharge } from '../../../core/catalog/charge.ts';
import { assignSlices } from '../../../core/rating/assign-slices.ts';
import { slice } from '../../support/pricing-fixtures.ts';

const calls = (key: string, filter?: Record<string, string>): UsageCharge => ({
  kind: 'usage',
  key,
  name: key,
  meter: 'api_calls',
  filter,
  price: { model: 'per_unit', unitPrice: '1' },
});

const CHARGES = [calls('rest'), calls('eu', { region: 'eu' }), calls('eu-gold', { region: 'eu', tier: 'gold' })];

function winners(charges: readonly UsageCharge[], dimensions: Record<string, string>) {
  const { byCharge, unmatched } = assignSlices(charges, [slice('api_calls', '1', dimensions)]);
  return [...byCharge]
    .flatMap(([key, slices]) => (slices.length > 0 ? [key] : []))
    .concat(unmatched.map(() => 'nobody'));
}

test.each([
  [{ region: 'eu', tier: 'gold' }, 'eu-gold'],
  [{ region: 'eu', tier: 'free' }, 'eu'],
  [{ region: 'eu' }, 'eu'],
  [{ region: 'us', tier: 'gold' }, 'rest'],
  [{}, 'rest'],
])('usage of %j goes to the most specific charge, %s, in whatever order they are written', (dimensions, key) => {
  expect(winners(CHARGES, dimensions)).toEqual([key]);
  expect(winners([...CHARGES].reverse(), dimensions)).toEqual([key]);
});

test('usage that no filter matches is reported where no charge takes the rest', () => {
  expect(winners(CHARGES.slice(1), { region: 'us' })).toEqual(['nobody']);
});

test('usage of a meter without charge is reported', () => {
  const tokens = slice('tokens', '5');
  expect(assignSlices(CHARGES, [tokens]).unmatched).toEqual([tokens]);
});

test('every slice goes to exactly one place', () => {
  const slices = ['eu', 'us', 'ap'].flatMap((region) =>
    ['gold', 'free'].map((tier) => slice('api_calls', '1', { region, tier })),
  );
  const { byCharge, unmatched } = assignSlices(CHARGES.slice(1), slices);
  expect([byCharge.get('eu')?.length, byCharge.get('eu-gold')?.length, unmatched.length]).toEqual([1, 1, 4]);
});

test('two charges that match alike are a defect, not a coin toss', () => {
  expect(() =>
    winners([calls('a', { region: 'eu' }), calls('b', { tier: 'gold' })], { region: 'eu', tier: 'gold' }),
  ).toThrow(expect.objectContaining({ code: 'filter_ambiguous' }));
});
