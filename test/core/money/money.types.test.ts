import { expect, test } from 'vitest';
import { Decimal } from '../../../core/money/decimal.ts';
import { addMoney, type Money, moneyOf, subtractMoney, sumMoney } from '../../../core/money/money.ts';
import { Rational } from '../../../core/money/rational.ts';
import { roundTo } from '../../../core/money/rounding.ts';

/** What must not compile. `tsc` fails on a directive below whose line does compile. */
const dollars = moneyOf(100n, 'USD');
const euros = moneyOf(100n, 'EUR');

const mustNotCompile = [
  // @ts-expect-error two currencies have no sum
  () => addMoney(dollars, euros),
  // @ts-expect-error two currencies have no difference
  () => subtractMoney(dollars, euros),
  // @ts-expect-error nor has a list of them
  () => sumMoney([dollars, euros], 'USD'),
  // @ts-expect-error a number is no money
  () => addMoney(dollars, 100),
  // @ts-expect-error a bigint has no currency
  () => addMoney(dollars, 100n),
  // @ts-expect-error minor units are bigints
  () => moneyOf(100, 'USD'),
  // @ts-expect-error no such currency
  () => moneyOf(100n, 'USDT'),
  // @ts-expect-error money is made by moneyOf only
  (): Money => ({ minor: 1n, currency: 'USD' }),
  // @ts-expect-error dollars are not euros
  (): Money<'EUR'> => dollars,
  // @ts-expect-error a float cannot be rounded to money
  () => roundTo(1.005, 2, 'half_even'),
  // @ts-expect-error currencies are mixed even when one side is a union of them
  (one: Money<'USD' | 'EUR'>) => addMoney(dollars, one),
  // @ts-expect-error a difference has the currency of its sides
  (): Money<'EUR'> => subtractMoney(dollars, dollars),
  // @ts-expect-error money does not add with +
  () => dollars + dollars,
  // @ts-expect-error nor a number to it
  () => dollars + 1,
  // @ts-expect-error minor units are no number to add one to
  () => dollars.minor + 1,
  // @ts-expect-error nor may they be written over
  () => Object.assign(dollars, {}).minor++,
  // @ts-expect-error a decimal comes from text, never from a number
  () => Decimal.parse(0.1),
  // @ts-expect-error and only decimals are added to it
  () => Decimal.ONE.plus(1),
  // @ts-expect-error a fraction and a decimal are mixed on purpose only
  () => Rational.ONE.plus(Decimal.ONE),
  // @ts-expect-error the mode of rounding is named in the call
  () => roundTo(1n, 2),
];

test('what must not compile is checked by tsc, one directive a line', () => {
  expect(mustNotCompile).toHaveLength(20);
});
