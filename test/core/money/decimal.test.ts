import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Decimal } from '../../../core/money/decimal.ts';

const d = Decimal.parse;
const decimals = fc
  .tuple(fc.bigInt(-(10n ** 30n), 10n ** 30n), fc.integer({ min: 0, max: 12 }))
  .map(([coefficient, scale]) => Decimal.of(coefficient, scale));

test.each([
  ['0', '0'],
  ['-0', '0'],
  ['12.50', '12.5'],
  ['-0.001', '-0.001'],
  ['100', '100'],
  ['0.000000000001', '0.000000000001'],
  ['99999999999999999999999999.999999999999', '99999999999999999999999999.999999999999'],
  ['-99999999999999999999999999', '-99999999999999999999999999'],
])('%s is read and written as %s', (text, written) => {
  expect(d(text).toString()).toBe(written);
  expect(JSON.stringify({ amount: d(text) })).toBe(`{"amount":"${written}"}`);
});

test.each([
  '',
  ' 1',
  '1 ',
  '+1',
  '1.',
  '.5',
  '01',
  '1e3',
  '1,5',
  'NaN',
  '0x1',
  '0.0000000000001',
  '100000000000000000000000000',
  '-100000000000000000000000000',
])('%j is no decimal', (text) => {
  expect(() => d(text)).toThrow(expect.objectContaining({ kind: 'invalid', code: 'decimal_invalid' }));
  expect(Decimal.isDecimal(text)).toBe(false);
});

test('a total may be longer than a value from outside, but not in another notation', () => {
  expect(Decimal.ofTotal('-100000000000000000000000000.00000000000001').toString()).toBe(
    '-100000000000000000000000000.00000000000001',
  );
  expect(() => Decimal.ofTotal('1e3')).toThrow(expect.objectContaining({ code: 'decimal_invalid' }));
});

test('arithmetic is exact where binary floats are not', () => {
  expect(d('0.1').plus(d('0.2')).toString()).toBe('0.3');
  expect(d('1').minus(d('0.9')).toString()).toBe('0.1');
  expect(d('1.1').times(d('1.1')).toString()).toBe('1.21');
  expect(d('-2.5').abs().toString()).toBe('2.5');
  expect(d('2.5').abs().toString()).toBe('2.5');
  expect(d('2.5').negated().toString()).toBe('-2.5');
});

test('values compare by what they are worth, not by how they are written', () => {
  expect(d('1.50').equals(d('1.5'))).toBe(true);
  expect(d('1.5').compare(d('1.49'))).toBe(1);
  expect(d('-2').compare(d('-1.99'))).toBe(-1);
  expect(Decimal.min(d('2'), d('1.5')).toString()).toBe('1.5');
  expect(Decimal.min(d('1.5'), d('2')).toString()).toBe('1.5');
  expect(Decimal.max(d('2'), d('1.5')).toString()).toBe('2');
  expect(Decimal.max(d('1.5'), d('2')).toString()).toBe('2');
});

test('signs, zero and whole numbers are told apart', () => {
  expect([d('0').isZero(), d('0.1').isZero()]).toEqual([true, false]);
  expect([d('-0.1').isNegative(), d('0').isNegative(), d('1').isNegative()]).toEqual([true, false, false]);
  expect([d('0.1').isPositive(), d('0').isPositive(), d('-1').isPositive()]).toEqual([true, false, false]);
  expect([d('2.0').isInteger(), d('2.5').isInteger()]).toEqual([true, false]);
  expect([Decimal.ZERO.toString(), Decimal.ONE.toString()]).toEqual(['0', '1']);
});

test('a value keeps no zeros at its end, however it was made', () => {
  const shapeOf = ({ coefficient, scale }: Decimal) => [coefficient, scale];
  expect(shapeOf(Decimal.of(1500n, 3))).toEqual([15n, 1]);
  expect(shapeOf(Decimal.of(-1500n, 1))).toEqual([-150n, 0]);
  expect(shapeOf(Decimal.of(1501n, 3))).toEqual([1501n, 3]);
  expect(shapeOf(Decimal.of(0n, 5))).toEqual([0n, 0]);
  expect(shapeOf(Decimal.of(1500n))).toEqual([1500n, 0]);
  expect(shapeOf(d('1.500'))).toEqual([15n, 1]);
  expect(shapeOf(d('-20.00'))).toEqual([-20n, 0]);
  expect([Decimal.of(1500n, 2).isInteger(), Decimal.of(1505n, 2).isInteger()]).toEqual([true, false]);
  expect([Decimal.of(1500n, 2).toString(), Decimal.of(-5n, 3).toString(), Decimal.of(70n, 2).toString()]).toEqual([
    '15',
    '-0.005',
    '0.7',
  ]);
});

test('what arithmetic leaves at the end is not written', () => {
  expect(d('0.5').times(d('0.2')).toString()).toBe('0.1');
  expect(d('2.5').times(d('0.4')).toString()).toBe('1');
  expect(d('1.25').minus(d('1.25')).toString()).toBe('0');
  expect(d('1.25').minus(d('2.5')).toString()).toBe('-1.25');
  expect(d('2.5').minus(d('1.25')).toString()).toBe('1.25');
  expect(d('3').minus(d('5')).toString()).toBe('-2');
  expect(d('-1.5').plus(d('0.25')).toString()).toBe('-1.25');
  expect(d('0.25').plus(d('-1.5')).toString()).toBe('-1.25');
});

test('equal is what is worth the same, and nothing else', () => {
  expect([d('1').equals(d('1.0')), d('1').equals(d('1.01')), d('1').equals(d('-1'))]).toEqual([true, false, false]);
});

test('refusals say what was got and what a decimal is', () => {
  expect(() => d('1e3')).toThrow(
    'Got "1e3"; expected a decimal string such as "12.34" with at most 26 integer digits and 12 decimal places.',
  );
  expect(() => Decimal.ofTotal('1e3')).toThrow('Got "1e3"; expected a plain decimal such as "12.34".');
  expect(() => d('x'.repeat(65))).toThrow(`Got "${'x'.repeat(64)}"; expected`);
  expect(() => Decimal.ofTotal('x'.repeat(65))).toThrow(`Got "${'x'.repeat(64)}"; expected`);
});

test('writing and reading is the identity', () => {
  fc.assert(fc.property(decimals, (a) => Decimal.ofTotal(a.toString()).equals(a)));
});

test('plus is the inverse of minus, and times distributes over plus', () => {
  fc.assert(fc.property(decimals, decimals, (a, b) => a.plus(b).minus(b).equals(a)));
  fc.assert(
    fc.property(decimals, decimals, decimals, (a, b, c) => a.times(b.plus(c)).equals(a.times(b).plus(a.times(c)))),
  );
});

test.each([
  ['1.5', '0.015'],
  ['100', '1'],
  ['250', '2.5'],
  ['0', '0'],
  ['0.000000000001', '0.00000000000001'],
])('%s percent is the factor %s', (percent, factor) => {
  expect(Decimal.ofPercent(percent).toString()).toBe(factor);
});

test('a remembered constant is the value it says, however many there are, and bad text stays bad', () => {
  const texts = Array.from({ length: 10_000 }, (_, index) => `${index}.25`);
  for (const text of [...texts, ...texts]) expect(Decimal.constant(text).equals(d(text))).toBe(true);
  expect(Decimal.constant('7.25')).toBe(Decimal.constant('7.25'));
  for (let time = 0; time < 2; time++) {
    expect(() => Decimal.constant('1e3')).toThrow(expect.objectContaining({ code: 'decimal_invalid' }));
  }
});
