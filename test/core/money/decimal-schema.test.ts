import { expect, test } from 'vitest';
import { conversionSchema } from '../../../core/money/conversion.ts';
import { decimalSchema, positiveSchema, priceSchema } from '../../../core/money/decimal-schema.ts';

const NOT_A_DECIMAL = 'expected a decimal string such as "12.34" with at most 26 integer digits and 12 decimal places';

function faultsOf(schema: typeof decimalSchema, value: unknown) {
  return schema
    .safeParse(value)
    .error?.issues.map((issue) => [issue.message, issue.code === 'custom' ? issue.params?.code : issue.code]);
}

test.each(['0', '-1.5', '12.34', '0.000000000001', '99999999999999999999999999'])('%s is a decimal', (text) => {
  expect(decimalSchema.parse(text)).toBe(text);
});

test.each(['1e3', '', '1.', '0.0000000000001', '100000000000000000000000000'])(
  '%j is refused everywhere, once',
  (text) => {
    for (const schema of [decimalSchema, priceSchema, positiveSchema]) {
      expect(faultsOf(schema, text)).toEqual([[NOT_A_DECIMAL, 'decimal_invalid']]);
    }
  },
);

test.each([[12.34], [0], [null], [undefined], [{}]])('%j is no text and is refused', (value) => {
  for (const schema of [decimalSchema, priceSchema, positiveSchema]) {
    expect(faultsOf(schema, value)).toEqual([[NOT_A_DECIMAL, 'invalid_type']]);
  }
});

test('a price is at least 0', () => {
  expect([priceSchema.parse('0'), priceSchema.parse('0.01'), priceSchema.parse('-0')]).toEqual(['0', '0.01', '-0']);
  expect(faultsOf(priceSchema, '-0.000000000001')).toEqual([['expected a price of at least 0', 'negative_price']]);
});

test('a positive quantity is above 0', () => {
  expect(positiveSchema.parse('0.000000000001')).toBe('0.000000000001');
  for (const text of ['0', '0.0', '-1']) {
    expect(faultsOf(positiveSchema, text)).toEqual([['expected a quantity above 0', 'not_positive']]);
  }
});

test('a conversion names its currency and a rate above 0, and nothing else', () => {
  expect(conversionSchema.parse({ currency: 'JPY', rate: '151.25' })).toEqual({ currency: 'JPY', rate: '151.25' });
  for (const wrong of [
    {},
    { currency: 'JPY' },
    { rate: '1' },
    { currency: 'yen', rate: '1' },
    { currency: 'JPY', rate: '0' },
  ]) {
    expect(conversionSchema.safeParse(wrong).success).toBe(false);
  }
  expect(conversionSchema.safeParse({ currency: 'JPY', rate: '1', at: 'now' }).success).toBe(false);
});
