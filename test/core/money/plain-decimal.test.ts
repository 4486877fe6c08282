import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Decimal } from '../../../core/money/decimal.ts';
import { plainDecimal } from '../../../core/money/plain-decimal.ts';

test.each([
  ['0', '0'],
  ['-0', '-0'],
  ['12', '12'],
  ['12.5', '12.5'],
  ['-12.50', '-12.50'],
  ['1e3', '1000'],
  ['1E3', '1000'],
  ['1e+3', '1000'],
  ['1e0', '1'],
  ['12e1', '120'],
  ['12e-1', '1.2'],
  ['12e-2', '0.12'],
  ['12e-3', '0.012'],
  ['1.5e-3', '0.0015'],
  ['-1.5e-3', '-0.0015'],
  ['1.25e1', '12.5'],
  ['1.25e2', '125'],
  ['1.25e3', '1250'],
  ['0.005e2', '0.5'],
  ['0.0005e2', '0.05'],
  ['0.05e3', '50'],
  ['00.5e1', '5'],
  ['1000e-2', '10.00'],
  ['1e10', '10000000000'],
  ['12345.678e-12', '0.000000012345678'],
  ['1e100', `1${'0'.repeat(100)}`],
  ['1e-100', `0.${'0'.repeat(99)}1`],
])('%s is %s in plain notation', (literal, plain) => {
  expect(plainDecimal(literal)).toBe(plain);
});

test.each(['1e101', '1e-101', '-2.5e999', 'NaN', '', '-', 'e3', '.5', '1.', '1e', 'x1', '1x', '1e3x', '--1'])(
  '%j stays as it is, for the reader of the field to refuse',
  (literal) => {
    expect(plainDecimal(literal)).toBe(literal);
  },
);

test('every number that JSON writes is worth the same in plain notation', () => {
  fc.assert(
    fc.property(fc.bigInt(-(10n ** 15n), 10n ** 15n), fc.integer({ min: -20, max: 20 }), (coefficient, exponent) => {
      const plain = Decimal.ofTotal(plainDecimal(`${coefficient}e${exponent}`));
      const expected =
        exponent < 0 ? Decimal.of(coefficient, -exponent) : Decimal.of(coefficient * 10n ** BigInt(exponent));
      expect(plain.equals(expected)).toBe(true);
    }),
  );
});
