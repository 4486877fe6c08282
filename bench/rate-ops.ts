import Big from 'big.js';
import type { UsageCharge } from '../core/catalog/charge.ts';
import type { Meter } from '../core/catalog/meter.ts';
import type { SubscriptionId } from '../core/ids.ts';
import { type RatingInput, rateCharges } from '../core/rating/rate.ts';
import { parseBillingPeriod } from '../core/time/billing-period.ts';
import { cpuMicros } from './in-process-endpoint.ts';
import { medianOf } from './median.ts';

/**
 * How fast a plan is rated: ten graduated charges of five tiers each, every line explained row by row, against the same
 * arithmetic done with big.js and explained by nothing: the slice of each tier, its multiplication by the price, the sum and
 * the one rounding of each charge. Both in turns in one process; the medians of their CPU are compared.
 */
export interface RateOps {
  /** CPU of big.js divided by ours: above 1 ours is faster. */
  readonly ratio: number;
  /** Microseconds of CPU for the whole plan. */
  readonly ratedMicros: number;
  readonly bigMicros: number;
  /** Ours with a plan not seen before, whose tiers have to be read: the first customer on a plan version. */
  readonly firstRatedMicros: number;
  /** The fifty multiplications alone, their factors at hand as text, for comparison. */
  readonly bigProductsMicros: number;
}

const KINDS = ['rated', 'big', 'products', 'first'] as const;
type Kind = (typeof KINDS)[number];
const CHARGES = 10;
const TIERS = [
  { upTo: '10000', unitPrice: '0.0025' },
  { upTo: '100000', unitPrice: '0.002' },
  { upTo: '1000000', unitPrice: '0.00175' },
  { upTo: '10000000', unitPrice: '0.0015' },
  { upTo: null, unitPrice: '0.00125' },
];
const WARM_UP_ROUNDS = 3;
/** Plans in one measurement: some 50 ms, far above the steps that thread CPU is counted in. */
const REPEATS = 2_000;

/** A quantity for each charge, with a fraction, in the last tier. */
function quantities(): readonly string[] {
  return Array.from({ length: CHARGES }, (_, index) => `${12_345_678 + index * 1_234_567}.${index}25`);
}

export function rateOpsInput(): RatingInput {
  const period = parseBillingPeriod('2026-11', 'UTC');
  const charges = Array.from(
    { length: CHARGES },
    (_, index): UsageCharge => ({
      kind: 'usage',
      key: `charge-${index}`,
      name: `Charge ${index}`,
      meter: `meter-${index}`,
      price: { model: 'graduated', tiers: TIERS.map((tier) => ({ ...tier })) },
    }),
  );
  const meters = charges.map(
    ({ meter }): Meter => ({
      key: meter,
      eventType: 'call',
      aggregation: 'sum',
      value: 'calls',
      dimensions: [],
      unit: 'calls',
    }),
  );
  return {
    subscription: 'sub_1' as SubscriptionId,
    plan: { plan: 'pro', version: 1, name: 'Pro', currency: 'USD', interval: 'month', charges },
    meters,
    period,
    service: { start: period.start, end: period.end },
    slices: quantities().map((quantity, index) => ({ meter: `meter-${index}`, dimensions: {}, quantity })),
  };
}

/** The charges' amounts in cents, with big.js. */
export function amountsWithBig(): readonly string[] {
  return quantities().map((text) => {
    const quantity = new Big(text);
    let from = new Big(0);
    let amount = new Big(0);
    for (const { upTo, unitPrice } of TIERS) {
      const bound = upTo === null ? quantity : new Big(upTo);
      const end = bound.lt(quantity) ? bound : quantity;
      amount = amount.plus(end.minus(from).times(unitPrice));
      from = end;
    }
    return amount.times(100).round(0, Big.roundHalfUp).toFixed();
  });
}

/** The factors of the fifty multiplications, as text. */
function factors(): readonly (readonly [string, string])[] {
  const { lines } = rateCharges(rateOpsInput());
  return lines.flatMap(({ steps }) => steps.map((step) => [step.quantity ?? '0', step.unitPrice ?? '0'] as const));
}

export function rateOps(rounds: number, onRound: () => void): RateOps {
  const known = rateOpsInput();
  const pairs = factors();
  const work: Record<Kind, (input: RatingInput) => number> = {
    rated: () => rateCharges(known).lines.length,
    first: (input) => rateCharges(input).lines.length,
    big: () => amountsWithBig().length,
    products: () => pairs.reduce((sum, [quantity, price]) => sum + new Big(quantity).times(price).s, 0) / TIERS.length,
  };
  const micros: Record<Kind, number[]> = { rated: [], first: [], big: [], products: [] };
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    for (const kind of KINDS) {
      const inputs = Array.from({ length: REPEATS }, () => (kind === 'first' ? rateOpsInput() : known));
      const started = cpuMicros();
      for (const input of inputs) if (work[kind](input) !== CHARGES) throw new Error('A charge is missing.');
      if (round >= 0) micros[kind].push((cpuMicros() - started) / REPEATS);
    }
    if (round >= 0) onRound();
  }
  const [ratedMicros, bigMicros] = [medianOf(micros.rated), medianOf(micros.big)];
  return {
    ratio: bigMicros / ratedMicros,
    ratedMicros,
    bigMicros,
    firstRatedMicros: medianOf(micros.first),
    bigProductsMicros: medianOf(micros.products),
  };
}
