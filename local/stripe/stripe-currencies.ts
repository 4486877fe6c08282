import { refused } from './stripe-fault.ts';

/**
 * Stripe's currency rules, from https://docs.stripe.com/currencies, as the double enforces them. Deliberately apart from the
 * adapter's table: the two must agree, and a test sees it when they do not.
 */
const MINIMUM_CHARGE: Readonly<Record<string, number>> = {
  usd: 50,
  aed: 200,
  aud: 50,
  bgn: 100,
  brl: 50,
  cad: 50,
  chf: 50,
  czk: 1500,
  dkk: 250,
  eur: 50,
  gbp: 30,
  hkd: 400,
  huf: 17500,
  inr: 50,
  jpy: 50,
  mxn: 1000,
  myr: 200,
  nok: 300,
  nzd: 50,
  pln: 200,
  ron: 200,
  sek: 300,
  sgd: 50,
  thb: 1000,
};
const LAST_DIGIT_ZERO = new Set(['bhd', 'jod', 'kwd', 'omr', 'tnd']);
const LAST_TWO_DIGITS_ZERO = new Set(['isk', 'ugx']);
/** Currencies the double knows; Stripe knows about 135. */
const KNOWN = new Set([
  ...Object.keys(MINIMUM_CHARGE),
  ...LAST_DIGIT_ZERO,
  ...LAST_TWO_DIGITS_ZERO,
  ...[
    'krw',
    'clp',
    'vnd',
    'xaf',
    'xof',
    'xpf',
    'mga',
    'pyg',
    'rwf',
    'kmf',
    'gnf',
    'djf',
    'bif',
    'vuv',
    'twd',
    'zar',
    'idr',
    'try',
    'ars',
    'cop',
    'pen',
    'ils',
    'php',
    'kes',
    'ngn',
    'uah',
  ],
]);
export const LARGEST_AMOUNT = 99_999_999;

export function checkCurrency(currency: string): string {
  const code = currency.toLowerCase();
  if (!KNOWN.has(code)) throw refused(`Invalid currency: ${currency}.`, undefined, 'currency');
  return code;
}

/** Below this a charge is not made; 0 when Stripe states no minimum. In minor units. */
export function minimumCharge(currency: string): number {
  return MINIMUM_CHARGE[currency] ?? 0;
}

/** Throws when `amount` cannot be expressed in what Stripe takes for `currency`. */
export function checkAmount(amount: number, currency: string, param = 'amount'): void {
  if (LAST_DIGIT_ZERO.has(currency) && amount % 10 !== 0) {
    throw refused(`Invalid ${param}: amounts in ${currency} must be evenly divisible by 10.`, undefined, param);
  }
  if (LAST_TWO_DIGITS_ZERO.has(currency) && amount % 100 !== 0) {
    throw refused(
      `Invalid ${param}: amounts in ${currency} must be evenly divisible by 100.`,
      'invalid_charge_amount_no_decimal_compatible',
      param,
    );
  }
}
