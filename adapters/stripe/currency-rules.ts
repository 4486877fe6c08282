import { BillingError } from '../../core/errors.ts';
import { type Currency, minorUnitPlaces } from '../../core/money/currency.ts';

/**
 * Where Stripe's amounts differ from ISO 4217 minor units (https://docs.stripe.com/currencies). Everything else is taken as it
 * is. `times`/`per`: Stripe's amount is ours times / per; `multipleOf`: Stripe's amount must be a multiple of it.
 */
interface CurrencyRule {
  readonly times?: bigint;
  readonly per?: bigint;
  readonly multipleOf?: bigint;
}

const RULES: Partial<Record<Currency, CurrencyRule>> = {
  // No minor unit, but Stripe wants two decimals, both 0.
  ISK: { times: 100n },
  UGX: { times: 100n },
  // Two places in ISO 4217, none at Stripe: only whole ariary can be billed.
  MGA: { per: 100n },
  // Three places, of which the last must be 0.
  BHD: { multipleOf: 10n },
  JOD: { multipleOf: 10n },
  KWD: { multipleOf: 10n },
  OMR: { multipleOf: 10n },
  TND: { multipleOf: 10n },
};
/** Currencies of three and four places that Stripe does not take at all. */
const NOT_TAKEN: ReadonlySet<Currency> = new Set<Currency>(['IQD', 'LYD', 'CLF', 'UYW']);

/** Our minor units as Stripe's amount; null when Stripe has no amount for it. */
export function stripeAmountOf(minor: bigint, currency: Currency): number | null {
  if (NOT_TAKEN.has(currency)) return null;
  const { times = 1n, per = 1n, multipleOf = 1n } = RULES[currency] ?? {};
  const scaled = minor * times;
  if (scaled % per !== 0n) return null;
  const amount = scaled / per;
  const number = Number(amount);
  return amount % multipleOf === 0n && Number.isSafeInteger(number) ? number : null;
}

/** Stripe's amount as our minor units. Throws `provider` (`amount_unexpected`) when we have no minor unit for it. */
export function minorOfStripe(amount: number, currency: Currency): bigint {
  const { times = 1n, per = 1n } = RULES[currency] ?? {};
  const minor = BigInt(amount) * per;
  if (minor % times !== 0n) throw unexpected(amount, currency);
  return minor / times;
}

/** The refusal of an invoice whose amounts Stripe cannot take. */
export function notPayable(minor: bigint, currency: Currency): BillingError {
  return new BillingError({
    kind: 'provider',
    code: 'amount_not_payable',
    message: `Stripe cannot take ${minor} minor units of ${currency} (${minorUnitPlaces(currency)} places): see adapters/stripe/currency-rules.ts. Collect this invoice outside Stripe, or bill the account in another currency.`,
    retryable: false,
  });
}

function unexpected(amount: number, currency: Currency): BillingError {
  return new BillingError({
    kind: 'provider',
    code: 'amount_unexpected',
    message: `Stripe answered the amount ${amount} of ${currency}, which is not a whole number of our minor units.`,
    retryable: false,
  });
}
