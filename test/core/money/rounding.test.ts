import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Decimal } from '../../../core/money/decimal.ts';
import { Rational } from '../../../core/money/rational.ts';
import { packagesFor, roundQuantity, roundTo } from '../../../core/money/rounding.ts';

const d = Decimal.parse;

// amount, places, half away from zero, half to even
test.each([
  ['0', 2, 0n, 0n],
  ['1.004', 2, 100n, 100n],
  ['1.005', 2, 101n, 100n],
  ['1.015', 2, 102n, 102n],
  ['1.0050000001', 2, 101n, 101n],
  ['1.0049999999', 2, 100n, 100n],
  ['-1.004', 2, -100n, -100n],
  ['-1.005', 2, -101n, -100n],
  ['-1.015', 2, -102n, -102n],
  ['-1.006', 2, -101n, -101n],
  ['0.005', 2, 1n, 0n],
  ['-0.005', 2, -1n, 0n],
  ['0.5', 0, 1n, 0n],
  ['1.5', 0, 2n, 2n],
  ['2.5', 0, 3n, 2n],
  ['0.0005', 3, 1n, 0n],
  ['12', 2, 1200n, 1200n],
  ['99999999999999999999999999.995', 2, 10000000000000000000000000000n, 10000000000000000000000000000n],
] as const)('%s at %i places is %i half away from zero and %i half to even', (amount, places, away, even) => {
  expect(roundTo(d(amount), places, 'half_away_from_zero')).toBe(away);
  expect(roundTo(d(amount), places, 'half_even')).toBe(even);
});

test('a fraction rounds like the value it stands for', () => {
  // 49 x 17/30 = 27.7666...
  expect(roundTo(Rational.of(833n, 30n), 2, 'half_away_from_zero')).toBe(2777n);
  // 1/3 = 0.333..., 2/3 = 0.666...
  expect(roundTo(Rational.of(1n, 3n), 2, 'half_even')).toBe(33n);
  expect(roundTo(Rational.of(-2n, 3n), 2, 'half_even')).toBe(-67n);
});

test('rounding moves an amount by at most half a unit, and mirrors for the opposite amount', () => {
  const amounts = fc
    .tuple(fc.bigInt(-(10n ** 20n), 10n ** 20n), fc.integer({ min: 0, max: 12 }))
    .map(([coefficient, scale]) => Decimal.of(coefficient, scale));
  fc.assert(
    fc.property(amounts, fc.constantFrom('half_away_from_zero' as const, 'half_even' as const), (amount, mode) => {
      const rounded = roundTo(amount, 2, mode);
      const distance = amount.minus(Decimal.of(rounded, 2)).abs();
      return distance.compare(d('0.005')) <= 0 && roundTo(amount.negated(), 2, mode) === -rounded;
    }),
  );
});

test.each([
  ['0', '10', 0n],
  ['0.1', '10', 1n],
  ['10', '10', 1n],
  ['10.000000000001', '10', 2n],
  ['11', '10', 2n],
  ['5', '2.5', 2n],
  ['5.1', '2.5', 3n],
  ['-5', '10', 0n],
  ['-10', '10', -1n],
  ['-15', '10', -1n],
] as const)('%s needs packages of %s: %i', (quantity, size, packages) => {
  expect(packagesFor(d(quantity), d(size))).toBe(packages);
});

test.each([
  ['up', 0, '123.456', '124'],
  ['up', 2, '123.456', '123.46'],
  ['up', 3, '123.456', '123.456'],
  ['up', 12, '123.456', '123.456'],
  ['up', -2, '123.456', '200'],
  ['up', -2, '100', '100'],
  ['up', -3, '0', '0'],
  ['up', 0, '-1.2', '-2'],
  ['up', 0, '0.000000000001', '1'],
  ['down', 0, '123.456', '123'],
  ['down', 2, '123.456', '123.45'],
  ['down', -2, '123.456', '100'],
  ['down', -2, '99', '0'],
  ['down', 0, '-1.8', '-1'],
  ['down', 0, '0.999999999999', '0'],
  ['nearest', 2, '123.456', '123.46'],
  ['nearest', 0, '123.456', '123'],
  ['nearest', 0, '0.5', '1'],
  ['nearest', 0, '1.5', '2'],
  ['nearest', 0, '-0.5', '-1'],
  ['nearest', 0, '-0.4', '0'],
  ['nearest', -2, '150', '200'],
  ['nearest', -2, '149.999', '100'],
  ['up', 0, '99999999999999999999999999.1', '100000000000000000000000000'],
] as const)('a quantity rounded %s to %s places: %s is %s', (mode, places, quantity, expected) => {
  expect(roundQuantity(Decimal.parse(quantity), { mode, places }).toString()).toBe(expected);
});
