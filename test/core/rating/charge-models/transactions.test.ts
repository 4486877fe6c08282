import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PercentagePrice } from '../../../../core/catalog/price.ts';
import { Decimal } from '../../../../core/money/decimal.ts';
import { priceUsage } from '../../../../core/rating/charge-models/price-usage.ts';
import { HUGE, pricedTransactions, rowText, transactionSlice, usageOfSlices } from '../../../support/priced.ts';

type Terms = Omit<PercentagePrice, 'model' | 'rate'>;
const priceOf = (terms: Terms): PercentagePrice => ({ model: 'percentage', rate: '1', ...terms });
const cost = (terms: Terms, values: readonly string[]) => pricedTransactions(priceOf(terms), values).amount.toString();

test.each([
  [[], '0'],
  [['0'], '0.3'], // a transaction of nothing is a transaction
  [['1'], '0.31'], // 0.01 + 0.3
  [['100', '50'], '2.1'], // 1.5 + 2 x 0.3
  [['0.5'], '0.305'],
  [['100', '-40'], '0.9'], // 60 x 1 % + one fee: a refund pays none and gives none back
  [['-40'], '-0.4'],
  [[HUGE], '1000000000000000000000000.29999999999999'], // 10^24 - 10^-14 + 0.3
])('1 %% and 0.30 each: %j cost %s', (values, amount) => {
  expect(cost({ fixedFee: '0.3' }, values)).toBe(amount);
});

test.each([
  [['100'], '0'],
  [['100', '50'], '0'],
  [['100', '50', '20'], '0.5'], // 0.2 + 0.3
  [['0', '0', '0'], '0.3'],
  [['100', '-100', '50', '20'], '0.5'], // a refund uses up no free event, and of a free one gives nothing back
  [['100', '50', '20', '-20'], '0.3'],
])('the two earliest transactions free: %j cost %s', (values, amount) => {
  expect(cost({ fixedFee: '0.3', freeEvents: 2 }, values)).toBe(amount);
});

test.each([
  [['119'], '0'],
  [['120'], '0'],
  [['121'], '0.31'], // the one that crosses the end is charged for the rest: 0.01 + 0.3
  [['120.5'], '0.305'],
  [['100', '20', '1'], '0.31'],
  [['100', '20', '0'], '0.3'], // nothing free is left
  [['100', '21'], '0.31'],
  [['120', '-40', '40'], '0'], // what came back is free for others again
  [['150', '-40', '40'], '0.9'], // 30 charged, 30 of the 40 given back from it; 30 x 1 % in the end, two fees
  [['-40', '170'], '0.4'], // 130 in all, 10 above the free amount, one fee
  [['-40'], '-0.4'], // corrects an earlier period
])('the first 120 free: %j cost %s', (values, amount) => {
  expect(cost({ fixedFee: '0.3', freeAmount: '120' }, values)).toBe(amount);
});

test.each([
  [['100', '40'], '0.7'], // the second is no free event any more: 0.4 + 0.3
  [['200', '10'], '1.2'], // 50 of the first: 0.5 + 0.3; 0.1 + 0.3
  [['150'], '0'],
])('a transaction is free while the free event and the free 150 both last: %j cost %s', (values, amount) => {
  expect(cost({ fixedFee: '0.3', freeEvents: 1, freeAmount: '150' }, values)).toBe(amount);
});

const BOUNDS: Terms = { fixedFee: '0.25', transactionMinimum: '1.75', transactionMaximum: '12' };

test.each([
  [['150'], '1.75'], // 1.5 + 0.25, at the minimum by itself
  [['149'], '1.75'],
  [['151'], '1.76'],
  [['1175'], '12'], // 11.75 + 0.25
  [['1174'], '11.99'],
  [['1176'], '12'],
  [['0'], '1.75'],
  [['-100'], '-1'], // the minimum is no price of a refund
  [['2000', '-2000'], '0'], // a refund gives back at most what a transaction costs at most
  [['-1200'], '-12'],
  [['-1201'], '-12'],
])('between 1.75 and 12 a transaction, fee of 0.25 included: %j cost %s', (values, amount) => {
  expect(cost(BOUNDS, values)).toBe(amount);
});

test('a free transaction owes no minimum', () => {
  expect(cost({ ...BOUNDS, freeEvents: 1 }, ['10'])).toBe('0');
  expect(cost({ ...BOUNDS, freeAmount: '10' }, ['10', '10'])).toBe('1.75');
});

test('what the rate alone brings to a bound has the rows of the rate', () => {
  const rows = (value: string) => pricedTransactions(priceOf(BOUNDS), [value]).steps.map(rowText);
  expect(rows('150')).toEqual(['usage 150 x 0.01 = 1.5', 'fixed-fee 1 x 0.25 = 0.25']);
  expect(rows('1175')).toEqual(['usage 1175 x 0.01 = 11.75', 'fixed-fee 1 x 0.25 = 0.25']);
  expect(rows('1176')).toEqual(['usage 0 x 0.01 = 0', 'transaction-maximum 1 x 12 = 12']);
  expect(rows('-1200')).toEqual(['usage -1200 x 0.01 = -12']);
});

test('a free transaction of nothing has its row, what is charged has none', () => {
  const { steps } = pricedTransactions(priceOf({ freeEvents: 1 }), ['0', '5']);
  expect(steps.map(({ key, label }) => `${key}: ${label}`)).toEqual([
    'free: Free: 0 of 5, 1 transaction whole',
    'usage: 1 % of 1 transaction',
  ]);
});

test('rows group what costs the same way, and each can be computed by hand', () => {
  const price: PercentagePrice = { ...priceOf({ ...BOUNDS, freeAmount: '50' }), rate: '2.99' };
  const { steps, amount } = pricedTransactions(price, ['40', '20', '1000', '100', '200', '-1200']);
  expect(steps.map((row) => `${row.label}: ${rowText(row)}`)).toEqual([
    'Free: 50 of 160, 1 transaction whole: free 50 x 0 = 0',
    '2.99 % of 2 transactions: usage 300 x 0.0299 = 8.97',
    'Fixed fee of 2 transactions: fixed-fee 2 x 0.25 = 0.5',
    // 10 of the 20: 0.299 + 0.25
    '1 transaction, 10 in all, at the minimum: transaction-minimum 1 x 1.75 = 1.75',
    '1 transaction, 1000 in all, at the maximum: transaction-maximum 1 x 12 = 12',
    '1 transaction, -1200 in all, giving back the maximum: transaction-maximum/returned -1 x 12 = -12',
  ]);
  expect(amount.toString()).toBe('11.22'); // 8.97 + 0.5 + 1.75 + 12 - 12
});

test('a price without a free part or bounds has no rows for them', () => {
  const { steps } = pricedTransactions(priceOf({ fixedFee: '0.3' }), []);
  expect(steps.map(rowText)).toEqual(['usage 0 x 0.01 = 0']);
});

test('transactions of several slices count in the order of time, then value', () => {
  const price = priceOf({ freeEvents: 2 });
  const eu = transactionSlice(['5', '7'], { region: 'eu' });
  const us = {
    ...transactionSlice([], { region: 'us' }),
    quantity: '4',
    transactions: [
      { value: '1', occurredAtMicros: 1 },
      { value: '3', occurredAtMicros: 5 },
    ],
  };
  // at 1: 1 and 5, both free; then 7 and 3: 10 x 1 %
  for (const slices of [
    [eu, us],
    [us, eu],
  ]) {
    expect(priceUsage(usageOfSlices(slices, 'transactions', price), price).amount.toString()).toBe('0.1');
  }
});

test('a quantity whose transactions are not all there is never priced', () => {
  const price = priceOf({ fixedFee: '0.3' });
  const damaged = { ...transactionSlice(['5']), quantity: '6' };
  expect(() => priceUsage(usageOfSlices([damaged], 'transactions', price), price)).toThrow(
    expect.objectContaining({ code: 'transactions_damaged' }),
  );
});

const values = fc.array(
  fc
    .tuple(fc.bigInt(-1000n, 2000n), fc.integer({ min: 0, max: 3 }))
    .map(([c, scale]) => Decimal.of(c, scale).toString()),
  { maxLength: 20 },
);

test('with a free amount alone the price depends on nothing but the total', () => {
  fc.assert(
    fc.property(values, fc.bigInt(1n, 500n), (list, freeUnits) => {
      const total = list.reduce((sum, value) => sum.plus(Decimal.parse(value)), Decimal.ZERO);
      const free = Decimal.max(Decimal.ZERO, Decimal.min(total, Decimal.of(freeUnits)));
      const expected = total.minus(free).times(Decimal.parse('0.01'));
      expect(cost({ freeAmount: freeUnits.toString() }, list)).toBe(expected.toString());
    }),
  );
});

test('free and charged parts make up the whole amount, and every row is quantity x price', () => {
  const terms = fc.record(
    {
      fixedFee: fc.constantFrom('0', '0.3'),
      freeEvents: fc.integer({ min: 1, max: 5 }),
      freeAmount: fc.constantFrom('1', '100.5', '2000'),
      transactionMinimum: fc.constantFrom('0', '0.5'),
      transactionMaximum: fc.constantFrom('0.5', '3'),
    },
    { requiredKeys: ['fixedFee'] },
  );
  fc.assert(
    fc.property(terms, values, (given, list) => {
      const { steps, amount } = pricedTransactions(priceOf(given), list);
      let sum = Decimal.ZERO;
      for (const row of steps) {
        const due = Decimal.ofTotal(row.quantity ?? '').times(Decimal.ofTotal(row.unitPrice ?? ''));
        expect(row.amount).toBe(due.toString());
        sum = sum.plus(due);
      }
      expect(amount.toString()).toBe(sum.toString());
      const inAll = steps.map(({ key, label, quantity }) =>
        key.startsWith('transaction-')
          ? (/, (\S+) in all/.exec(label)?.[1] ?? '')
          : key === 'fixed-fee'
            ? '0'
            : quantity,
      );
      const parts = inAll.reduce((whole, part) => whole.plus(Decimal.ofTotal(part ?? '')), Decimal.ZERO);
      const total = list.reduce((whole, value) => whole.plus(Decimal.parse(value)), Decimal.ZERO);
      expect(parts.toString()).toBe(total.toString());
    }),
  );
});
