import { invariantBroken } from '../errors.ts';
import { type Currency, minorUnitPlaces } from './currency.ts';
import { Decimal } from './decimal.ts';
import type { Rational } from './rational.ts';
import { type RoundingMode, roundTo } from './rounding.ts';

declare const money: unique symbol;

/**
 * A whole number of minor units of one currency. Adding two currencies, or a number to money, does not compile; where the
 * currency is only known when the program runs, it throws `invariant-broken` (code `currency_mixed`).
 */
export interface Money<C extends Currency = Currency> {
  readonly minor: bigint;
  readonly currency: C;
  readonly [money]: C;
}

export function moneyOf<C extends Currency>(minor: bigint, currency: C): Money<C> {
  return { minor, currency } as Money<C>;
}

/** The amount in major units, rounded once to the currency's minor unit. */
export function roundedMoney<C extends Currency>(
  amount: Decimal | Rational,
  currency: C,
  mode: RoundingMode,
): Money<C> {
  return moneyOf(roundTo(amount, minorUnitPlaces(currency), mode), currency);
}

export function addMoney<C extends Currency>(a: Money<C>, b: Money<NoInfer<C>>): Money<C> {
  assertSameCurrency(a, b);
  return moneyOf(a.minor + b.minor, a.currency);
}

export function subtractMoney<C extends Currency>(a: Money<C>, b: Money<NoInfer<C>>): Money<C> {
  assertSameCurrency(a, b);
  return moneyOf(a.minor - b.minor, a.currency);
}

/** The sum; 0 for an empty list. */
export function sumMoney<C extends Currency>(amounts: readonly Money<NoInfer<C>>[], currency: C): Money<C> {
  return amounts.reduce<Money<C>>((sum, amount) => addMoney(sum, amount), moneyOf(0n, currency));
}

/** The exact value in major units: 4515 cents are 45.15. */
export function majorOf(minor: bigint, currency: Currency): Decimal {
  return Decimal.of(minor, minorUnitPlaces(currency));
}

/** Major units with all places of the currency, as the wire and people write it: "45.10", "-0.05", JPY "300". */
export function formatMinor(minor: bigint, currency: Currency): string {
  const places = minorUnitPlaces(currency);
  const digits = (minor < 0n ? -minor : minor).toString().padStart(places + 1, '0');
  const cut = digits.length - places;
  return `${minor < 0n ? '-' : ''}${digits.slice(0, cut)}${places > 0 ? `.${digits.slice(cut)}` : ''}`;
}

function assertSameCurrency(a: Money, b: Money): void {
  if (a.currency !== b.currency) {
    throw invariantBroken(
      'currency_mixed',
      `Got ${a.currency} and ${b.currency}; amounts of two currencies have no sum.`,
    );
  }
}
