import * as z from 'zod';
import { invalid } from '../errors.ts';

/**
 * ISO 4217: how many decimal places the minor unit of each currency has. Our own table and not Intl's, whose figures follow
 * what price tags show (HUF 0, IQD 0) and change with the runtime. From ISO 4217 list one; other funds, metals and test codes
 * are left out. Of the units of account two are in use for contracts: the Chilean CLF and the Uruguayan UYW, with 4 places.
 */
const NO_PLACES = [
  'BIF',
  'CLP',
  'DJF',
  'GNF',
  'ISK',
  'JPY',
  'KMF',
  'KRW',
  'PYG',
  'RWF',
  'UGX',
  'VND',
  'VUV',
  'XAF',
  'XOF',
  'XPF',
] as const;
const THREE_PLACES = ['BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND'] as const;
const FOUR_PLACES = ['CLF', 'UYW'] as const;
// biome-ignore format: a table
const TWO_PLACES = ['AED', 'AFN', 'ALL', 'AMD', 'AOA', 'ARS', 'AUD', 'AWG', 'AZN', 'BAM', 'BBD', 'BDT', 'BMD', 'BND', 'BOB', 'BRL', 'BSD', 'BTN', 'BWP', 'BYN', 'BZD', 'CAD', 'CDF', 'CHF', 'CNY', 'COP', 'CRC', 'CUP', 'CVE', 'CZK', 'DKK', 'DOP', 'DZD', 'EGP', 'ERN', 'ETB', 'EUR', 'FJD', 'FKP', 'GBP', 'GEL', 'GHS', 'GIP', 'GMD', 'GTQ', 'GYD', 'HKD', 'HNL', 'HTG', 'HUF', 'IDR', 'ILS', 'INR', 'IRR', 'JMD', 'KES', 'KGS', 'KHR', 'KPW', 'KYD', 'KZT', 'LAK', 'LBP', 'LKR', 'LRD', 'LSL', 'MAD', 'MDL', 'MGA', 'MKD', 'MMK', 'MNT', 'MOP', 'MRU', 'MUR', 'MVR', 'MWK', 'MXN', 'MYR', 'MZN', 'NAD', 'NGN', 'NIO', 'NOK', 'NPR', 'NZD', 'PAB', 'PEN', 'PGK', 'PHP', 'PKR', 'PLN', 'QAR', 'RON', 'RSD', 'RUB', 'SAR', 'SBD', 'SCR', 'SDG', 'SEK', 'SGD', 'SHP', 'SLE', 'SOS', 'SRD', 'SSP', 'STN', 'SVC', 'SYP', 'SZL', 'THB', 'TJS', 'TMT', 'TOP', 'TRY', 'TTD', 'TWD', 'TZS', 'UAH', 'USD', 'UYU', 'UZS', 'VES', 'WST', 'XCD', 'XCG', 'YER', 'ZAR', 'ZMW', 'ZWG'] as const;

/** An ISO 4217 code of the table, such as `USD`. */
export type Currency =
  | (typeof NO_PLACES)[number]
  | (typeof TWO_PLACES)[number]
  | (typeof THREE_PLACES)[number]
  | (typeof FOUR_PLACES)[number];

const EXPONENTS: ReadonlyMap<string, number> = new Map([
  ...NO_PLACES.map((code) => [code, 0] as const),
  ...TWO_PLACES.map((code) => [code, 2] as const),
  ...THREE_PLACES.map((code) => [code, 3] as const),
  ...FOUR_PLACES.map((code) => [code, 4] as const),
]);

export const currencySchema = z.enum([...NO_PLACES, ...TWO_PLACES, ...THREE_PLACES, ...FOUR_PLACES], {
  error: 'expected an upper-case ISO 4217 code such as "USD"',
});

/** Reads an upper-case ISO 4217 code. Throws `invalid` (code `currency_unknown`). */
export function parseCurrency(text: string): Currency {
  if (!EXPONENTS.has(text)) {
    throw invalid(
      'currency_unknown',
      `Got currency ${JSON.stringify(text.slice(0, 16))}; expected an upper-case ISO 4217 code such as "USD".`,
    );
  }
  return text as Currency;
}

/** Decimal places of the currency's minor unit: 0, 2, 3 or 4. */
export function minorUnitPlaces(currency: Currency): number {
  const places = EXPONENTS.get(currency);
  if (places === undefined) throw invalid('currency_unknown', `Got currency ${currency}; it is not in the table.`);
  return places;
}
