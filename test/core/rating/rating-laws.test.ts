import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Charge, UsageCharge } from '../../../core/catalog/charge.ts';
import type { Meter } from '../../../core/catalog/meter.ts';
import type { Price } from '../../../core/catalog/price.ts';
import { planFaults } from '../../../core/catalog/read-plan.ts';
import { draftInvoice } from '../../../core/invoicing/draft-invoice.ts';
import { freezeEvidence, readEvidence } from '../../../core/invoicing/evidence.ts';
import { invoiceFromJson, invoiceToJson } from '../../../core/invoicing/invoice-json.ts';
import { Decimal } from '../../../core/money/decimal.ts';
import { Rational } from '../../../core/money/rational.ts';
import { priceByGraduatedTiers } from '../../../core/rating/charge-models/graduated.ts';
import { usageOfQuantity } from '../../../core/rating/charge-usage.ts';
import { type RatingInput, rateCharges } from '../../../core/rating/rate.ts';
import { rateEvidence } from '../../../core/rating/rate-evidence.ts';
import { reRate } from '../../../core/rating/re-rate.ts';
import { instantFromMillis, millisOf } from '../../../core/time/instant.ts';
import { evidenceOf, SUBJECT, service } from '../../support/evidence-fixtures.ts';
import { transactionSlice } from '../../support/priced.ts';
import { METERS, NOVEMBER, ratingInput, slice } from '../../support/pricing-fixtures.ts';

/** Random plans and usage, within what validation lets through. */
const decimal = (min: bigint, max: bigint, places: number) =>
  fc
    .tuple(fc.bigInt(min, max), fc.integer({ min: 0, max: places }))
    .map(([c, scale]) => Decimal.of(c, scale).toString());
const price = decimal(0n, 10n ** 9n, 12);
const positive = decimal(1n, 10n ** 9n, 3);
const quantity = decimal(-(10n ** 12n), 10n ** 15n, 12);
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });

const tiers = fc
  .tuple(fc.array(fc.tuple(positive, price, optional(price)), { maxLength: 5 }), price, optional(price))
  .map(([closed, unitPrice, flatAmount]) => {
    let bound = Decimal.ZERO;
    const ascending = closed.map(([width, tierPrice, flat]) => {
      bound = bound.plus(Decimal.parse(width));
      return { upTo: bound.toString(), unitPrice: tierPrice, flatAmount: flat };
    });
    return [...ascending, { upTo: null, unitPrice, flatAmount }];
  });
const flatAtZero = optional(fc.boolean());
const stairs = tiers.map((list) => list.map(({ upTo, unitPrice }) => ({ upTo, flatAmount: unitPrice })));
const rates = tiers.map((list) =>
  list.map(({ upTo, unitPrice, flatAmount }) => ({ upTo, rate: unitPrice, flatAmount })),
);
const ofAnyQuantity: fc.Arbitrary<Price> = fc.oneof(
  price.map((unitPrice) => ({ model: 'per_unit' as const, unitPrice })),
  fc.record({ model: fc.constantFrom('graduated' as const, 'volume' as const), tiers, flatAtZero }),
  fc.record({ model: fc.constant('stairstep' as const), tiers: stairs, flatAtZero }),
  fc.record({ model: fc.constant('package' as const), packageSize: positive, packagePrice: price }),
);
const ofMoney: fc.Arbitrary<Price> = fc.oneof(
  ofAnyQuantity,
  price.map((rate) => ({ model: 'percentage' as const, rate })),
  fc.record({ model: fc.constant('graduated_percentage' as const), tiers: rates, flatAtZero }),
  fc.record({ model: fc.constant('dynamic' as const), multiplier: optional(price) }),
  fc.record({
    model: fc.constant('matrix' as const),
    dimensions: fc.constant(['model']),
    prices: price.map((unitPrice) => [{ match: { model: 'a' }, unitPrice }]),
    defaultUnitPrice: price,
  }),
);
const perTransaction: fc.Arbitrary<Price> = fc.record({
  model: fc.constant('percentage' as const),
  rate: price,
  fixedFee: price,
  freeEvents: optional(fc.integer({ min: 1, max: 4 })),
  freeAmount: optional(positive),
  transactionMinimum: fc.constantFrom(undefined, '0', '0.5'),
  transactionMaximum: fc.constantFrom(undefined, '0.5', '1000'),
});
const priceOf: Readonly<Record<string, fc.Arbitrary<Price>>> = {
  tokens: ofMoney,
  payments: fc.oneof(ofMoney, perTransaction),
};
const PLAIN_METERS: readonly Meter[] = [
  ...METERS,
  { key: 'payments', eventType: 'payment', aggregation: 'transactions', value: 'amount', dimensions: ['model'] },
];
const ALL_METERS = PLAIN_METERS.map((meter) =>
  meter.key === 'tokens' ? { ...meter, rounding: { mode: 'up', places: 2 } as const } : meter,
);
const isPerTransaction = (one: Price) => one.model === 'percentage' && one.fixedFee !== undefined;
const discount = fc.oneof(
  fc.integer({ min: 1, max: 100 }).map((percent) => ({ percent: percent.toString() })),
  positive.map((amount) => ({ amount })),
);
const usageCharge: fc.Arbitrary<UsageCharge> = fc
  .constantFrom(...ALL_METERS.map(({ key }) => key))
  .chain((meter) =>
    fc.record({
      kind: fc.constant('usage' as const),
      key: fc.constant('x'),
      name: fc.constant('X'),
      meter: fc.constant(meter),
      price: priceOf[meter] ?? ofAnyQuantity,
      allowance: optional(positive),
      minimum: optional(price),
      discount: optional(discount),
    }),
  )
  .map((charge) => (isPerTransaction(charge.price) ? { ...charge, allowance: undefined } : charge));
const fixedCharge: fc.Arbitrary<Charge> = price.map((amount) => ({
  kind: 'fixed',
  key: 'x',
  name: 'X',
  amount,
  timing: 'in_arrears',
}));
const charges = fc.array(fc.oneof(usageCharge, fixedCharge), { minLength: 1, maxLength: 8 }).map((list) => {
  const metersSeen = new Set<string>();
  return list
    .filter((charge) => charge.kind === 'fixed' || (!metersSeen.has(charge.meter) && metersSeen.add(charge.meter)))
    .map((charge, index): Charge => ({ ...charge, key: `c${index}` }));
});
const slices = fc.array(
  fc
    .tuple(fc.constantFrom(...METERS.map(({ key }) => key)), quantity, fc.constantFrom('a', 'b'))
    .map(([meter, text, model]) => slice(meter, text, { model })),
  { maxLength: 12 },
);
/** At most one slice for each value of the dimension, as usage is read. */
const payments = fc
  .tuple(fc.array(quantity, { maxLength: 6 }), fc.array(quantity, { maxLength: 6 }))
  .map(([a, b]) => [transactionSlice(a, { model: 'a' }), transactionSlice(b, { model: 'b' })]);
const allSlices = fc.tuple(slices, payments).map(([some, others]) => [...some, ...others]);
const start = fc
  .integer({ min: 0, max: 30 * 96 - 1 })
  .map((quarter) => instantFromMillis(millisOf(NOVEMBER.start) + quarter * 900_000));
const inputs: fc.Arbitrary<RatingInput> = fc
  .tuple(charges, allSlices, start)
  .map(([list, usage, from]) =>
    ratingInput(list, usage, { meters: ALL_METERS, service: { start: from, end: NOVEMBER.end } }),
  );

test('the random plans of these laws are plans that can be written', () => {
  fc.assert(
    fc.property(charges, (list) => {
      const input = { plan: 'p', name: 'P', currency: 'USD', charges: list };
      expect(planFaults(input, ALL_METERS)).toEqual([]);
    }),
    { numRuns: 50 },
  );
});

test('the rows of a line sum to its exact amount, which is at most half a cent from what is billed and never below zero', () => {
  fc.assert(
    fc.property(inputs, (input) => {
      for (const line of rateCharges(input).lines) {
        const exact = line.steps.reduce((sum, row) => sum.plus(Rational.parse(row.amount)), Rational.ZERO);
        expect(exact.toString()).toBe(line.exactAmount);
        expect(line.amountMinor).toBeGreaterThanOrEqual(0n);
        expect(line.carriedMinor).toBeLessThanOrEqual(0n);
        const distance = exact.minus(Rational.of(line.amountMinor, 100n));
        expect(distance.compare(Rational.of(1n, 200n)) <= 0 && distance.compare(Rational.of(-1n, 200n)) >= 0).toBe(
          true,
        );
      }
    }),
  );
});

test('every slice is billed by one charge or reported', () => {
  fc.assert(
    fc.property(inputs, (input) => {
      // a meter that rounds bills another quantity than was used
      const { lines, unmatched } = rateCharges({ ...input, meters: PLAIN_METERS });
      for (const { key, aggregation } of PLAIN_METERS) {
        if (aggregation === 'max' || aggregation === 'latest') continue;
        const sum = (list: readonly { quantity: string }[]) =>
          list.reduce((total, one) => total.plus(Decimal.ofTotal(one.quantity)), Decimal.ZERO);
        const billed = sum(lines.filter(({ meter }) => meter === key));
        const lost = sum(unmatched.filter(({ meter }) => meter === key));
        const used = sum(input.slices.filter(({ meter }) => meter === key));
        expect(billed.plus(lost).toString()).toBe(used.toString());
      }
    }),
  );
});

test('the order of usage does not matter', () => {
  fc.assert(
    fc.property(inputs, (input) => {
      // latest has one value per instant in the log; without instants its order is not defined here
      const ordered = { ...input, slices: input.slices.filter(({ meter }) => meter !== 'seats') };
      const reversed = { ...ordered, slices: [...ordered.slices].reverse() };
      expect(rateCharges(reversed).lines).toEqual(rateCharges(ordered).lines);
    }),
  );
});

test('graduated tiers partition the quantity', () => {
  fc.assert(
    fc.property(tiers, quantity, (list, text) => {
      const { steps } = priceByGraduatedTiers(usageOfQuantity(Decimal.parse(text)), {
        model: 'graduated',
        tiers: list,
      });
      const parts = steps.flatMap((row) => (row.quantity === null ? [] : [Decimal.ofTotal(row.quantity)]));
      expect(parts.reduce((sum, part) => sum.plus(part), Decimal.ZERO).toString()).toBe(text);
    }),
  );
});

test('an allowance never yields a negative line and is never used beyond the usage', () => {
  fc.assert(
    fc.property(inputs, (input) => {
      for (const line of rateCharges(input).lines) {
        const used = Decimal.ofTotal(line.allowanceUsed);
        expect(used.isNegative()).toBe(false);
        expect(used.compare(Decimal.max(Decimal.ZERO, Decimal.ofTotal(line.quantity)))).toBeLessThanOrEqual(0);
      }
    }),
  );
});

test('rating again is the identity, and after the adjustments are billed there is nothing left to adjust', () => {
  fc.assert(
    fc.property(inputs, slices, (input, late) => {
      const billed = rateCharges(input).lines;
      expect(rateCharges(input).lines).toEqual(billed);
      const current = rateCharges({ ...input, slices: [...input.slices, ...late] }).lines;
      const adjustments = reRate({ currency: 'USD', period: '2026-11', current, billed });
      for (const line of adjustments) {
        const sum = line.steps.reduce((total, row) => total.plus(Rational.parse(row.amount)), Rational.ZERO);
        expect(sum.toString()).toBe(Rational.of(line.amountMinor, 100n).toString());
      }
      expect(reRate({ currency: 'USD', period: '2026-11', current, billed: [...billed, ...adjustments] })).toEqual([]);
      const total = (lines: readonly { amountMinor: bigint; carriedMinor: bigint }[], carried: 0n | 1n) =>
        lines.reduce((sum, line) => sum + line.amountMinor + carried * line.carriedMinor, 0n);
      expect(total([...billed, ...adjustments], 0n)).toBe(total(current, 1n));
    }),
  );
});

test('lines sum to the total, and invoices and evidence keep every digit when stored', () => {
  fc.assert(
    fc.property(inputs, slices, (input, late) => {
      const evidence = evidenceOf({
        services: [service(input)],
        earlier: [
          {
            period: '2026-11',
            services: [service({ ...input, slices: late })],
            billed: rateCharges({ ...input, slices: [] }).lines,
          },
        ],
      });
      const { lines } = rateEvidence(evidence);
      const frozen = freezeEvidence(evidence);
      const draft = draftInvoice({ subject: SUBJECT, lines, evidence: frozen.reference, draftedAt: NOVEMBER.end });
      expect(draft.totalMinor).toBe(lines.reduce((sum, line) => sum + line.amountMinor, 0n));
      expect(invoiceFromJson(invoiceToJson(draft))).toEqual(draft);
      expect(rateEvidence(readEvidence(frozen.text, frozen.reference)).lines).toEqual(lines);
    }),
  );
});
