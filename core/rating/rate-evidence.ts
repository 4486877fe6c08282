import { invariantBroken } from '../errors.ts';
import type { Evidence, RatedService } from '../invoicing/evidence.ts';
import type { InvoiceLine } from '../invoicing/invoice.ts';
import { limitCredits } from '../invoicing/limit-credits.ts';
import type { Currency } from '../money/currency.ts';
import type { UsageSlice } from '../usage/usage-snapshot.ts';
import { billedCurrencyOf } from './line-amounts.ts';
import { rateCharges } from './rate.ts';
import { reRate } from './re-rate.ts';
import { unbilledUsage } from './unbilled-usage.ts';

export interface RatedEvidence {
  /** The period's lines, then the adjustments of earlier periods; they never add up to less than zero. */
  readonly lines: readonly InvoiceLine[];
  /** Usage that no charge of any of the account's subscriptions takes, in trials and pauses too. For the run's report. */
  readonly unmatched: readonly UsageSlice[];
}

/** What of an evidence is rated; the rest of it says whose it is. */
export interface Rateable extends Pick<Evidence, 'services' | 'earlier' | 'idle'> {
  readonly subject: { readonly currency: Currency };
}

/** All lines of an invoice from its evidence: what drafting, previews, estimates and verification have in common. Pure. */
export function rateEvidence(evidence: Rateable): RatedEvidence {
  const { currency } = evidence.subject;
  const rated = evidence.services.map((service) => rateService(service, currency));
  const adjustments = evidence.earlier.flatMap(({ period, services, billed }) =>
    reRate({ currency, period, current: services.flatMap((service) => rateService(service, currency).lines), billed }),
  );
  return {
    lines: limitCredits([...rated.flatMap(({ lines }) => lines), ...adjustments], currency),
    unmatched: unbilledUsage(evidence),
  };
}

function rateService({ input }: RatedService, currency: Currency) {
  const billed = billedCurrencyOf(input);
  if (billed !== currency) {
    throw invariantBroken(
      'currency_mixed',
      `Got a plan billed in ${billed} on an invoice in ${currency}; each currency has an account of its own.`,
    );
  }
  return rateCharges(input);
}
