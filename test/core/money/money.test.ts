import { expect, test } from 'vitest';
import type { Currency } from '../../../core/money/currency.ts';
import { Decimal } from '../../../core/money/decimal.ts';
import {
  addMoney,
  formatMinor,
  majorOf,
  moneyOf,
  roundedMoney,
  subtractMoney,
  sumMoney,
} from '../../../core/money/money.ts';

test('amounts of one currency add up in minor units', () => {
  expect(addMoney(moneyOf(150n, 'USD'), moneyOf(275n, 'USD'))).toEqual({ minor: 425n, currency: 'USD' });
  expect(subtractMoney(moneyOf(150n, 'USD'), moneyOf(275n, 'USD')).minor).toBe(-125n);
  expect(sumMoney([moneyOf(1n, 'JPY'), moneyOf(2n, 'JPY')], 'JPY')).toEqual({ minor: 3n, currency: 'JPY' });
  expect(sumMoney([], 'JPY').minor).toBe(0n);
});

test('two currencies that are only known at run time have no sum either', () => {
  const [dollars, euros] = [moneyOf<Currency>(1n, 'USD'), moneyOf<Currency>(1n, 'EUR')];
  expect(() => addMoney(dollars, euros)).toThrow(expect.objectContaining({ code: 'currency_mixed' }));
  expect(() => addMoney(dollars, euros)).toThrow('Got USD and EUR; amounts of two currencies have no sum.');
  expect(() => subtractMoney(dollars, euros)).toThrow(expect.objectContaining({ code: 'currency_mixed' }));
});

test('an amount is rounded once, to the minor unit of its currency', () => {
  expect(roundedMoney(Decimal.parse('1.2345'), 'USD', 'half_away_from_zero').minor).toBe(123n);
  expect(roundedMoney(Decimal.parse('1.2345'), 'KWD', 'half_away_from_zero').minor).toBe(1235n);
  expect(roundedMoney(Decimal.parse('1.5'), 'JPY', 'half_away_from_zero').minor).toBe(2n);
  expect(roundedMoney(Decimal.parse('1.23455'), 'CLF', 'half_away_from_zero').minor).toBe(12346n);
  expect(roundedMoney(Decimal.parse('1.23455'), 'CLF', 'half_even').minor).toBe(12346n);
});

test.each([
  [4515n, 'USD', '45.15', '45.15'],
  [4510n, 'USD', '45.10', '45.1'],
  [5n, 'USD', '0.05', '0.05'],
  [-5n, 'USD', '-0.05', '-0.05'],
  [0n, 'USD', '0.00', '0'],
  [300n, 'JPY', '300', '300'],
  [-1n, 'JPY', '-1', '-1'],
  [1234n, 'KWD', '1.234', '1.234'],
  [-34n, 'KWD', '-0.034', '-0.034'],
  [10000n, 'CLF', '1.0000', '1'],
  [-5n, 'CLF', '-0.0005', '-0.0005'],
] as const)('%i %s is written %s and worth %s', (minor, currency, text, value) => {
  expect(formatMinor(minor, currency)).toBe(text);
  expect(majorOf(minor, currency).toString()).toBe(value);
});
