import type { Charge, FixedCharge, UsageCharge } from '../catalog/charge.ts';
import { isLevel, type Meter } from '../catalog/meter.ts';
import { priceVersionOf } from '../catalog/plan.ts';
import { invariantBroken } from '../errors.ts';
import type { InvoiceLine } from '../invoicing/invoice.ts';
import { Rational } from '../money/rational.ts';
import type { Proration } from '../time/proration.ts';
import type { UsageSlice } from '../usage/usage-snapshot.ts';
import { discounted } from './adjustments/discount.ts';
import { priceFlatFee } from './charge-models/flat-fee.ts';
import { priceCharge } from './charge-pipeline.ts';
import { type ChargeUsage, usageOf } from './charge-usage.ts';
import { levelPartOf } from './level-part.ts';
import { lineAmounts } from './line-amounts.ts';
import { lineKeyPrefix } from './line-key.ts';
import type { RatingInput } from './rate.ts';
import type { EnvelopeShare } from './share-envelopes.ts';

/** A usage charge with what it has to price. */
export interface MeteredCharge {
  readonly charge: UsageCharge;
  readonly meter: Meter;
  readonly usage: ChargeUsage;
}

/** Throws `invariant-broken` (code `meter_unknown`) when the evidence lacks the charge's meter. */
export function meteredCharge(
  charge: UsageCharge,
  slices: readonly UsageSlice[],
  meters: readonly Meter[],
): MeteredCharge {
  const meter = meters.find(({ key }) => key === charge.meter);
  if (!meter)
    throw invariantBroken('meter_unknown', `Charge ${charge.key} names the meter ${charge.meter}, which is not there.`);
  return { charge, meter, usage: usageOf(slices, meter, charge.price) };
}

export function usageLine(
  { charge, meter, usage }: MeteredCharge,
  share: EnvelopeShare | undefined,
  input: RatingInput,
  proration: Proration,
): InvoiceLine {
  const { aggregation, reset } = meter;
  const level = isLevel(meter) ? levelPartOf(input, proration) : undefined;
  const priced = priceCharge(usage, { charge, aggregation, reset, proration, level, share });
  return {
    ...lineBasis(charge, input),
    key: `${lineKeyPrefix(input)}/${charge.key}/usage`,
    kind: 'usage',
    meter: meter.key,
    quantity: usage.quantity.toString(),
    allowanceUsed: priced.allowanceUsed.toString(),
    unit: meter.unit ?? null,
    ...lineAmounts(priced, input),
  };
}

export function fixedLine(charge: FixedCharge, input: RatingInput, proration: Proration): InvoiceLine {
  const fee = { ...priceFlatFee(charge.amount, proration), carried: Rational.ZERO };
  const priced = charge.discount === undefined ? fee : discounted(fee, charge.discount, proration);
  return {
    ...lineBasis(charge, input),
    key: `${lineKeyPrefix(input)}/${charge.key}/fixed`,
    kind: 'fixed',
    meter: null,
    quantity: '1',
    allowanceUsed: '0',
    unit: null,
    ...lineAmounts(priced, input),
  };
}

function lineBasis(charge: Charge, { plan, sources, subscription, period, service }: RatingInput) {
  return {
    description: charge.name,
    subscription,
    charge: charge.key,
    servicePeriod: { period: period.key, start: service.start, end: service.end },
    priceVersion: sources?.charges[charge.key] ?? priceVersionOf(plan),
  };
}
