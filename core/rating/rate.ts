import { isInAdvance } from '../catalog/charge.ts';
import { isLevel, type Meter } from '../catalog/meter.ts';
import type { PlanVersion } from '../catalog/plan.ts';
import type { SubscriptionId } from '../ids.ts';
import type { InvoiceLine } from '../invoicing/invoice.ts';
import type { Conversion } from '../money/conversion.ts';
import type { BillingPeriod } from '../time/billing-period.ts';
import type { Instant } from '../time/instant.ts';
import { type Proration, prorationOf } from '../time/proration.ts';
import type { UsageSlice } from '../usage/usage-snapshot.ts';
import { quantityAfterAllowance } from './adjustments/allowance.ts';
import { assignSlices } from './assign-slices.ts';
import { fixedLine, type MeteredCharge, meteredCharge, usageLine } from './charge-lines.ts';
import { commitmentLines } from './commitment-lines.ts';
import { levelPartOf, pricedSlices } from './level-part.ts';
import { type EnvelopeShare, shareEnvelopes } from './share-envelopes.ts';

/** Names of price versions, such as `contract:acme-2027@2`, by what they price. */
export interface PriceSources {
  readonly charges: Readonly<Record<string, string>>;
  readonly commitment?: string | undefined;
}

/** All that rating knows; it is also what the evidence freezes, so that rating again gives the same cents. */
export interface RatingInput {
  readonly subscription: SubscriptionId;
  /** The effective plan: the customer's contract is laid over it already (`effectivePlan`). */
  readonly plan: PlanVersion;
  /** Where prices come from that are not the plan's; `<plan>@<version>` names all others. */
  readonly sources?: PriceSources | undefined;
  /** Bills in another currency than the plan's, at a stored rate. */
  readonly conversion?: Conversion | undefined;
  /** Only where the plan is the project's price list: 1, 2 ... within the segment, part of the lines' keys. */
  readonly list?: number | undefined;
  /** At least the meters the plan's charges name. */
  readonly meters: readonly Meter[];
  /** The whole billing period ... */
  readonly period: BillingPeriod;
  /** ... and the part of it in which the subscription is active: `[start, end)`. */
  readonly service: { readonly start: Instant; readonly end: Instant };
  /** The phase of the subscription that is billed, part of the line keys from 2 on; 1 when absent. */
  readonly phase?: number | undefined;
  /**
   * The span of the period whose days fees, allowances, minimums and commitments are counted for, where it is not the service:
   * longer after a change without proration, which the plan before it pays for to the end, and empty for the plan after it.
   */
  readonly share?: { readonly start: Instant; readonly end: Instant } | undefined;
  /** Where the service is one of several parts of the period: all of them, for what is a level of the whole period ... */
  readonly running?: readonly { readonly start: Instant; readonly end: Instant }[] | undefined;
  /** ... and the usage of the levels over all of them. */
  readonly levels?: readonly UsageSlice[] | undefined;
  /** Which charges make lines: those due when the period has closed (also when absent), or the fees due when it begins. */
  readonly bills?: 'arrears' | 'advance' | undefined;
  /** The customer's usage over the service span. */
  readonly slices: readonly UsageSlice[];
}

export interface RatedCharges {
  /** One line per charge that is billed now, in the plan's order, unused charges included; then the commitment's, if any. */
  readonly lines: readonly InvoiceLine[];
  /** Usage that none of the plan's charges takes. */
  readonly unmatched: readonly UsageSlice[];
}

/** Rates one subscription over one service period: usage and prices to explained lines, each rounded once. Pure. */
export function rateCharges(input: RatingInput): RatedCharges {
  const proration = prorationOf(input.share ?? input.service, input.period, input.plan.proration);
  if (input.bills === 'advance') {
    const fees = input.plan.charges.filter((charge) => charge.kind === 'fixed').filter(isInAdvance);
    return { lines: fees.map((charge) => fixedLine(charge, input, proration)), unmatched: input.slices };
  }
  const usageCharges = input.plan.charges.filter((charge) => charge.kind === 'usage');
  const { byCharge, unmatched } = assignSlices(usageCharges, pricedSlices(input));
  const metered = new Map<string, MeteredCharge>();
  for (const charge of usageCharges) {
    metered.set(charge.key, meteredCharge(charge, byCharge.get(charge.key) ?? [], input.meters));
  }
  const shares = envelopeShares(input, metered.values(), proration);
  const all: InvoiceLine[] = [];
  const due: InvoiceLine[] = [];
  for (const charge of input.plan.charges) {
    const usage = metered.get(charge.key);
    const line =
      charge.kind === 'fixed'
        ? fixedLine(charge, input, proration)
        : usage && usageLine(usage, shares.get(charge.key), input, proration);
    if (line === undefined) continue;
    all.push(line);
    if (!isInAdvance(charge)) due.push(line);
  }
  // fees in advance are billed by now, and count toward the commitment
  return { lines: [...due, ...commitmentLines(input, all, proration)], unmatched };
}

const NO_SHARES: ReadonlyMap<string, EnvelopeShare> = new Map();

function envelopeShares(input: RatingInput, metered: Iterable<MeteredCharge>, proration: Proration) {
  const { envelopes } = input.plan;
  if (envelopes === undefined) return NO_SHARES;
  const demands = new Map(
    Array.from(metered, ({ charge, meter, usage }) => {
      const level = isLevel(meter) ? levelPartOf(input, proration) : undefined;
      return [charge.key, quantityAfterAllowance(usage.quantity, charge, level?.allowance ?? proration)];
    }),
  );
  return shareEnvelopes(envelopes, demands, proration);
}
