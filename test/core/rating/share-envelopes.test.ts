import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { UsageCharge } from '../../../core/catalog/charge.ts';
import type { Envelope } from '../../../core/catalog/envelope.ts';
import { Decimal } from '../../../core/money/decimal.ts';
import { rateCharges } from '../../../core/rating/rate.ts';
import { shareEnvelopes } from '../../../core/rating/share-envelopes.ts';
import { parseInstant } from '../../../core/time/instant.ts';
import { NOVEMBER, planOf, ratingInput, slice, tokensCharge } from '../../support/pricing-fixtures.ts';

const WHOLE = { part: 30, whole: 30, unit: 'day' } as const;
const envelope = (quantity: string, ...burn: readonly (readonly [string, string])[]): Envelope => ({
  key: 'compute',
  name: 'Compute',
  quantity,
  burn: burn.map(([charge, weight]) => ({ charge, weight })),
});
function covered(held: Envelope, demands: Readonly<Record<string, string>>, proration = WHOLE) {
  const map = new Map(Object.entries(demands).map(([charge, text]) => [charge, Decimal.parse(text)]));
  return [...shareEnvelopes([held], map, proration)].map(([charge, share]) => [
    charge,
    share.covered.toString(),
    share.usedAfter.toString(),
  ]);
}

describe('an envelope of 100 units, large at 3 before small at 0.5', () => {
  const held = envelope('100', ['large', '3'], ['small', '0.5']);
  test.each([
    [
      '0',
      '0',
      [
        ['large', '0', '0'],
        ['small', '0', '0'],
      ],
    ],
    // 10 x 3 = 30, then 100 x 0.5 = 50
    [
      '10',
      '100',
      [
        ['large', '10', '30'],
        ['small', '100', '80'],
      ],
    ],
    // 30 left pay 60 small ones: 70 used before + 60 x 0.5
    [
      '20',
      '80',
      [
        ['large', '20', '60'],
        ['small', '80', '100'],
      ],
    ],
    [
      '20',
      '81',
      [
        ['large', '20', '60'],
        ['small', '80', '100'],
      ],
    ],
    // 33 large ones take 99, the 2 small ones the last unit
    [
      '33',
      '9',
      [
        ['large', '33', '99'],
        ['small', '2', '100'],
      ],
    ],
    // the 34th large one is covered for a third, cut to 12 places; the dust is not passed on
    [
      '34',
      '9',
      [
        ['large', '33.333333333333', '100'],
        ['small', '0', '100'],
      ],
    ],
    // corrections neither take nor give
    [
      '-5',
      '300',
      [
        ['large', '0', '0'],
        ['small', '200', '100'],
      ],
    ],
    [
      '1000000',
      '1',
      [
        ['large', '33.333333333333', '100'],
        ['small', '0', '100'],
      ],
    ],
  ])('covers %s large and %s small ones in this order', (large, small, expected) => {
    expect(covered(held, { large, small })).toEqual(expected);
  });

  test('holds the share of its days in a partial period', () => {
    // 100 x 17/30 = 56.666666666667 at 12 places
    expect(covered(held, { large: '0', small: '500' }, { part: 17, whole: 30, unit: 'day' } as never)).toEqual([
      ['large', '0', '0'],
      ['small', '113.333333333334', '56.666666666667'],
    ]);
  });
});

const per = (key: string, meter: string, unitPrice: string, more: Partial<UsageCharge> = {}): UsageCharge => ({
  ...tokensCharge({ model: 'per_unit', unitPrice }),
  key,
  name: key,
  meter,
  ...more,
});

test('the share comes after the charge’s own allowance and before its price, and the line explains it', () => {
  const charges = [per('tokens', 'tokens', '0.5', { allowance: '4' }), per('calls', 'api_calls', '2')];
  const plan = planOf(charges, { envelopes: [envelope('10', ['calls', '2'], ['tokens', '1'])] });
  const { lines } = rateCharges(ratingInput([], [slice('tokens', '20'), slice('api_calls', '3')], { plan }));
  expect(lines.map(({ key, allowanceUsed, amountMinor }) => [key, allowanceUsed, amountMinor])).toEqual([
    // 20 - 4 own - 4 of the envelope = 12 x 0.5
    ['sub_1/tokens/usage', '8', 600n],
    // all 3 calls are covered: 3 x 2 = 6 units
    ['sub_1/calls/usage', '3', 0n],
  ]);
  expect(lines[0]?.steps[1]).toMatchObject({
    key: 'envelope/compute',
    label: 'Compute: 4 covered, at 1 of its 10 units each',
    from: '6',
    to: '10',
    quantity: '4',
    unitPrice: '0',
    amount: '0',
  });
});

test('an envelope is prorated by the days of the service', () => {
  const plan = planOf([per('tokens', 'tokens', '1')], { envelopes: [envelope('30', ['tokens', '1'])] });
  const service = { start: parseInstant('2026-11-14T00:00:00Z'), end: NOVEMBER.end };
  const { lines } = rateCharges(ratingInput([], [slice('tokens', '20')], { plan, service }));
  // 17 of 30 units: 3 x 1.00
  expect(lines[0]).toMatchObject({ allowanceUsed: '17', amountMinor: 300n });
  expect(lines[0]?.steps[0]?.fraction).toBe('17/30');
});

test('an envelope never gives more than it holds, never more than is used, and nothing is left while somebody wants it', () => {
  const decimal = (max: number) => fc.integer({ min: 0, max }).map((n) => (n / 1000).toString());
  const positive = fc.integer({ min: 1, max: 9_999 }).map((n) => (n / 1000).toString());
  fc.assert(
    fc.property(
      positive,
      fc.array(fc.record({ demand: decimal(20_000), weight: positive }), { minLength: 1, maxLength: 5 }),
      (quantity, list) => {
        const held = envelope(quantity, ...list.map(({ weight }, index) => [`c${index}`, weight] as const));
        const demands = new Map(list.map(({ demand }, index) => [`c${index}`, Decimal.parse(demand)]));
        const shares = [...shareEnvelopes([held], demands, WHOLE).values()];
        let given = Decimal.ZERO;
        let isWanting = false;
        list.forEach(({ demand, weight }, index) => {
          const part = shares[index]?.covered ?? Decimal.ZERO;
          expect(part.compare(Decimal.parse(demand))).toBeLessThanOrEqual(0);
          isWanting ||= part.compare(Decimal.parse(demand)) < 0;
          given = given.plus(part.times(Decimal.parse(weight)));
        });
        expect(given.compare(Decimal.parse(quantity))).toBeLessThanOrEqual(0);
        // what the cut to 12 places may leave: one unit of its last place, times the largest weight
        const dust = Decimal.parse('0.00000000001');
        if (isWanting) expect(Decimal.parse(quantity).minus(given).compare(dust)).toBeLessThanOrEqual(0);
      },
    ),
  );
});
