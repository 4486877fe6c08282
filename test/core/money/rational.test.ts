import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Decimal } from '../../../core/money/decimal.ts';
import { Rational } from '../../../core/money/rational.ts';

const rationals = fc
  .tuple(fc.bigInt(-(10n ** 15n), 10n ** 15n), fc.bigInt(1n, 10n ** 6n))
  .map(([numerator, denominator]) => Rational.of(numerator, denominator));

test.each([
  [6n, 4n, '1.5'],
  [49n * 17n, 30n, '833/30'],
  [-1n, 3n, '-1/3'],
  [1n, -3n, '-1/3'],
  [-4n, -8n, '0.5'],
  [6n, -3n, '-2'],
  [-6n, -3n, '2'],
  [0n, 7n, '0'],
  [7n, 1n, '7'],
  [1n, 8n, '0.125'],
  [1n, 80n, '0.0125'],
  [3n, 50n, '0.06'],
])('%i/%i is written %s', (numerator, denominator, text) => {
  expect(Rational.of(numerator, denominator).toString()).toBe(text);
  expect(JSON.stringify([Rational.of(numerator, denominator)])).toBe(`["${text}"]`);
});

test('a fraction by zero is a defect, not a number', () => {
  expect(() => Rational.of(1n, 0n)).toThrow(expect.objectContaining({ code: 'fraction_by_zero' }));
});

test.each(['', '1/0', '1/', '/2', '1.5/2', '1/-2', 'a', '1.', '.5', '--1'])('%j is no fraction', (text) => {
  expect(() => Rational.parse(text)).toThrow(expect.objectContaining({ code: 'fraction_invalid' }));
});

test('sums, differences and products are exact', () => {
  const third = Rational.of(1n, 3n);
  const sixth = Rational.of(1n, 6n);
  expect(third.plus(sixth).toString()).toBe('0.5');
  expect(third.minus(sixth).toString()).toBe('1/6');
  expect(third.times(Rational.of(3n, 1n)).toString()).toBe('1');
  expect(Rational.from(Decimal.parse('-12.50')).toString()).toBe('-12.5');
  expect(Rational.ZERO.plus(Rational.ONE).toString()).toBe('1');
});

test('fractions compare by value', () => {
  expect(Rational.of(1n, 3n).compare(Rational.of(1n, 2n))).toBe(-1);
  expect(Rational.of(2n, 4n).compare(Rational.of(1n, 2n))).toBe(0);
  expect(Rational.of(-1n, 3n).compare(Rational.of(-1n, 2n))).toBe(1);
  expect([
    Rational.of(-1n, 3n).isNegative(),
    Rational.ZERO.isNegative(),
    Rational.ZERO.isZero(),
    Rational.ONE.isZero(),
  ]).toEqual([true, false, true, false]);
});

test('writing and reading is the identity', () => {
  fc.assert(fc.property(rationals, (a) => Rational.parse(a.toString()).compare(a) === 0));
});

test('decimals of any length stay what they are as fractions', () => {
  const long = '123456789012345678901234567890.123456789012345678901234567890123456789012345678901234567890123456789';
  expect(Rational.from(Decimal.ofTotal(long)).toString()).toBe(long);
  expect(Rational.parse(long).toString()).toBe(long);
  // 10^-70 has a denominator above those that are remembered
  const tiny = `0.${'0'.repeat(69)}1`;
  expect(Rational.parse(tiny).toString()).toBe(tiny);
  expect(Rational.from(Decimal.ofTotal(tiny)).plus(Rational.ONE).toString()).toBe(`1.${'0'.repeat(69)}1`);
  expect(Rational.from(Decimal.ofTotal('-0.50')).toString()).toBe('-0.5');
});

test('refusals say what was got and how a fraction is written', () => {
  expect(() => Rational.of(1n, 0n)).toThrow('Got the fraction 1/0.');
  expect(() => Rational.parse('a third')).toThrow('Got "a third"; expected "12.34" or "833/30".');
  expect(() => Rational.parse('x'.repeat(65))).toThrow(`Got "${'x'.repeat(64)}"; expected`);
  for (const text of ['1/3 ', ' 1/3', '1/3/4', 'x1/3', '12.5 ', ' 12.5']) {
    expect(() => Rational.parse(text)).toThrow(expect.objectContaining({ code: 'fraction_invalid' }));
  }
});

test('zero changes nothing that is added to it, and equal denominators need no other', () => {
  const third = Rational.of(1n, 3n);
  expect([Rational.ZERO.plus(third).toString(), third.plus(Rational.ZERO).toString()]).toEqual(['1/3', '1/3']);
  expect(third.plus(third).toString()).toBe('2/3');
  expect(Rational.of(1n, 6n).plus(Rational.of(1n, 6n)).toString()).toBe('1/3');
  expect(third.plus(Rational.of(-1n, 3n)).toString()).toBe('0');
  expect(third.minus(third).isZero()).toBe(true);
});

test.each([
  // above and at the largest safe integer, 2^53 - 1 = 9007199254740991 = 6361 x 69431 x 20394401
  [9007199254740991n * 6n, 9007199254740991n * 4n, '1.5'],
  [9007199254740991n, 69431n, '129728784761'],
  [9007199254740993n, 3n, '3002399751580331'],
  [2n ** 200n, 2n ** 198n, '4'],
  [3n ** 80n, 3n ** 81n, '1/3'],
  [-(7n ** 60n), 7n ** 61n, '-1/7'],
])('%i/%i is %s, however long its parts are', (numerator, denominator, text) => {
  expect(Rational.of(numerator, denominator).toString()).toBe(text);
});

test('sums and products agree with those of their parts over a common denominator', () => {
  fc.assert(
    fc.property(rationals, rationals, (a, b) => {
      const common = a.denominator * b.denominator;
      const sum = Rational.of(a.numerator * b.denominator + b.numerator * a.denominator, common);
      expect(a.plus(b).compare(sum)).toBe(0);
      expect(a.plus(b).minus(b).toString()).toBe(a.toString());
      expect(a.times(b).compare(Rational.of(a.numerator * b.numerator, common))).toBe(0);
      expect(a.compare(b) < 0).toBe(a.minus(b).isNegative());
    }),
  );
});

test('a fraction that JSON carried is the same to the digit', () => {
  fc.assert(
    fc.property(rationals, (a) => {
      const [text] = JSON.parse(JSON.stringify([a])) as [string];
      return Rational.parse(text).compare(a) === 0 && Rational.parse(text).toString() === a.toString();
    }),
  );
});
