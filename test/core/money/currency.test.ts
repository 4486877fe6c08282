import { expect, test } from 'vitest';
import { currencySchema, minorUnitPlaces, parseCurrency } from '../../../core/money/currency.ts';

test.each([
  ['JPY', 0],
  ['KRW', 0],
  ['ISK', 0],
  ['UGX', 0],
  ['USD', 2],
  ['EUR', 2],
  ['HUF', 2], // Intl says 2 or 0, depending on its data
  ['MRU', 2],
  ['KWD', 3],
  ['BHD', 3],
  ['TND', 3],
  ['IQD', 3],
  ['CLF', 4],
  ['UYW', 4],
])('%s has %i places, as ISO 4217 says', (code, places) => {
  expect(minorUnitPlaces(parseCurrency(code))).toBe(places);
});

test.each(['usd', 'US', 'USDT', 'XXX', '', 'toString', '__proto__'])('%j is no currency', (code) => {
  expect(() => parseCurrency(code)).toThrow(expect.objectContaining({ code: 'currency_unknown' }));
  expect(currencySchema.safeParse(code).success).toBe(false);
});

test('a code that is no text of the table is refused with what was got', () => {
  expect(() => parseCurrency('dollars and cents')).toThrow(
    'Got currency "dollars and cent"; expected an upper-case ISO 4217 code such as "USD".',
  );
  expect(() => minorUnitPlaces('USDT' as never)).toThrow(expect.objectContaining({ code: 'currency_unknown' }));
  expect(() => minorUnitPlaces('USDT' as never)).toThrow('Got currency USDT; it is not in the table.');
});

test('the table has every currency of ISO 4217 list one with its places: 16 without, 2 of four, 7 of three, the others two', () => {
  const places = currencySchema.options.map((code) => minorUnitPlaces(code));
  const count = (wanted: number) => places.filter((one) => one === wanted).length;
  expect([count(0), count(2), count(3), count(4)]).toEqual([16, 131, 7, 2]);
});

test('no code is listed twice', () => {
  expect(new Set(currencySchema.options).size).toBe(currencySchema.options.length);
});
