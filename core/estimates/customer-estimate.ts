import { billingAccountOf } from '../accounts/customer.ts';
import { segmentsIn } from '../accounts/segments.ts';
import type { Subscription } from '../accounts/subscription.ts';
import { conflict } from '../errors.ts';
import type { CustomerId, ProjectId } from '../ids.ts';
import { openAccount } from '../invoicing/account-state.ts';
import { billedParts } from '../invoicing/billed-parts.ts';
import { gatherEvidence, type ServiceToRate } from '../invoicing/gather-evidence.ts';
import { currenciesOf, type PreviewDeps } from '../invoicing/preview-invoices.ts';
import { readPrices } from '../invoicing/read-prices.ts';
import type { Currency } from '../money/currency.ts';
import { rateEvidence } from '../rating/rate-evidence.ts';
import { type BillingPeriod, billingCycleOf, billingPeriodAt, parseBillingPeriod } from '../time/billing-period.ts';
import { earlierOf, type Instant, laterOf, parseInstant } from '../time/instant.ts';
import { activeSpan } from '../time/proration.ts';
import type { Estimate } from './estimate.ts';
import { estimateInvalid } from './estimate-span.ts';

export interface CustomerEstimateInput {
  readonly project: ProjectId;
  readonly customer: CustomerId;
  /** Key of the period, or a time within it. */
  readonly period: string | undefined;
  readonly at: string | undefined;
  readonly currency: Currency | undefined;
  readonly bills: 'arrears' | 'advance' | undefined;
}

/**
 * What the customer's own subscriptions come to in a period, billed already or not: the services a billing run would rate, from the
 * usage counted so far. Without adjustments of other periods, which a preview has. Throws `customer_not_found`,
 * `estimate_invalid` where several currencies are billed and none is named, or `nothing_to_bill`.
 */
export async function customerEstimate(input: CustomerEstimateInput, deps: PreviewDeps): Promise<Estimate> {
  const { project, customer } = input;
  const currency = input.currency ?? onlyOne(await currenciesOf(input, deps));
  const account = billingAccountOf(customer, currency);
  const state = await openAccount(project, { account, customer, currency }, deps);
  const { timeZone } = state.customer;
  const periods = state.subscriptions.map(({ subscription }) =>
    periodOf(subscription, timeZone, input, deps.clock.now()),
  );
  const [period] = periods.toSorted((a, b) => (a.end < b.end ? -1 : 1));
  const services = state.subscriptions.flatMap(({ subscription }, index) =>
    periods[index]?.key === period?.key && period !== undefined ? servicesOf(subscription, period, input.bills) : [],
  );
  const [first] = services;
  if (period === undefined || first === undefined) {
    throw conflict('nothing_to_bill', `No subscription of this customer bills anything in ${currency} in that period.`);
  }
  const subject = { project, customer, account, currency, period, purpose: 'period' as const, ordinal: 0 };
  const prices = await readPrices(subject, deps.reads);
  const named = await prices.named(services);
  const evidence = await gatherEvidence({ subject, services: named, earlier: [], idle: [], prices }, deps);
  const service = services.reduce(
    (span, { start, end }) => ({ start: earlierOf(span.start, start), end: laterOf(span.end, end) }),
    { start: first.start, end: first.end },
  );
  return { currency, period, service, ...rateEvidence(evidence), adjustments: null };
}

function onlyOne(currencies: readonly Currency[]): Currency {
  const [currency, ...others] = currencies;
  if (currency !== undefined && others.length === 0) return currency;
  if (currency === undefined) throw conflict('nothing_to_bill', 'This customer has no subscription.');
  const expected = `one of the currencies the customer is billed in: ${currencies.join(', ')}`;
  throw estimateInvalid([
    { field: 'currency', code: 'missing', detail: `Got nothing; expected ${expected}.`, expected },
  ]);
}

/** The subscription's period that the request means; one that is named need not be of its cycle. */
function periodOf(
  subscription: Subscription,
  timeZone: string,
  input: CustomerEstimateInput,
  now: Instant,
): BillingPeriod {
  const named = input.period === undefined ? null : parseBillingPeriod(input.period, timeZone);
  const at = input.at === undefined ? now : parseInstant(input.at);
  return billingPeriodAt(named?.start ?? at, billingCycleOf(subscription, timeZone));
}

/** Fees in advance of the period, then what is due once it has closed. */
function servicesOf(
  subscription: Subscription,
  period: BillingPeriod,
  bills: CustomerEstimateInput['bills'],
): readonly ServiceToRate[] {
  const active = activeSpan(subscription, period);
  const parts = active === null ? [] : billedParts(subscription, segmentsIn(subscription, active));
  const sides = bills === undefined ? (['advance', 'arrears'] as const) : [bills];
  return sides.flatMap((side) => parts.map((part) => ({ ...part, period, bills: side })));
}
