import { expect, test } from 'vitest';
import { minorOfStripe, notPayable, stripeAmountOf } from '../../../adapters/stripe/currency-rules.ts';
import { type Currency, currencySchema } from '../../../core/money/currency.ts';

test.each<[Currency, bigint, number]>([
  ['USD', 4515n, 4515],
  ['USD', -5n, -5],
  ['EUR', 0n, 0],
  ['JPY', 300n, 300],
  // no minor unit, but two decimals at Stripe: 5 krónur are 500
  ['ISK', 5n, 500],
  ['UGX', 5n, 500],
  // no decimals at Stripe: 3.00 ariary are 3
  ['MGA', 300n, 3],
  // thousandths that end in 0: 5.120 dinar
  ['KWD', 5120n, 5120],
  ['BHD', 10n, 10],
  ['JOD', -10n, -10],
  ['OMR', 0n, 0],
  ['TND', 9990n, 9990],
])('%s %s is Stripe’s amount %i, and back', (currency, minor, amount) => {
  expect(stripeAmountOf(minor, currency)).toBe(amount);
  expect(minorOfStripe(amount, currency)).toBe(minor);
});

test.each<[Currency, bigint]>([
  // the last of three places is not 0
  ['KWD', 5123n],
  ['BHD', 1n],
  ['JOD', 9n],
  ['OMR', -5n],
  ['TND', 101n],
  // part of an ariary
  ['MGA', 301n],
  ['MGA', 50n],
  // not a currency of Stripe, whatever the amount
  ['IQD', 1000n],
  ['LYD', 1000n],
  ['CLF', 10000n],
  ['UYW', 10000n],
  ['CLF', 0n],
  // more than a JSON number holds
  ['USD', 9007199254740993n],
  ['ISK', 90071992547410n],
])('%s %s is refused: Stripe has no amount for it', (currency, minor) => {
  expect(stripeAmountOf(minor, currency)).toBeNull();
});

test('an amount of Stripe that is no whole unit of ours is refused', () => {
  expect(() => minorOfStripe(550, 'ISK')).toThrow(
    expect.objectContaining({ kind: 'provider', code: 'amount_unexpected', retryable: false }),
  );
  expect(() => minorOfStripe(1, 'UGX')).toThrow(expect.objectContaining({ code: 'amount_unexpected' }));
});

test('every other currency is taken as it is, in its minor units', () => {
  const special = ['ISK', 'UGX', 'MGA', 'BHD', 'JOD', 'KWD', 'OMR', 'TND', 'IQD', 'LYD', 'CLF', 'UYW'];
  const others = currencySchema.options.filter((code) => !special.includes(code));
  expect(others.filter((code) => stripeAmountOf(123n, code) !== 123 || minorOfStripe(123, code) !== 123n)).toEqual([]);
});

test('the refusal says what was got, how many places it has and what to do', () => {
  expect(notPayable(5123n, 'KWD')).toMatchObject({ kind: 'provider', code: 'amount_not_payable', retryable: false });
  expect(notPayable(5123n, 'KWD').message).toContain('5123 minor units of KWD (3 places)');
});
