import { expect, test } from 'vitest';
import type { Charge, UsageCharge } from '../../../core/catalog/charge.ts';
import { rateCharges } from '../../../core/rating/rate.ts';
import { parseBillingPeriod } from '../../../core/time/billing-period.ts';
import { parseInstant } from '../../../core/time/instant.ts';
import { METERS, NOVEMBER, planOf, ratingInput, slice, tokensCharge } from '../../support/pricing-fixtures.ts';

const BASE: Charge = { kind: 'fixed', key: 'base', name: 'Base fee', amount: '49', timing: 'in_arrears' };
const perUnit = (unitPrice: string) => ({ model: 'per_unit', unitPrice }) as const;
const FROM_14TH = { service: { start: parseInstant('2026-11-14T10:15:00Z'), end: NOVEMBER.end } };

test('the tokens of the Azure trace cost 45.15 and 2.46 dollars', () => {
  const charge = (key: string, unitPrice: string): UsageCharge => ({
    ...tokensCharge(perUnit(unitPrice)),
    key,
    meter: key,
  });
  const sum = (key: string) =>
    ({ key, eventType: 'llm_request', aggregation: 'sum', value: key, dimensions: [] }) as const;
  const { lines } = rateCharges(
    ratingInput(
      [charge('prompt_tokens', '0.0000025'), charge('generated_tokens', '0.00001')],
      [slice('prompt_tokens', '18059974'), slice('generated_tokens', '245896')],
      { meters: [sum('prompt_tokens'), sum('generated_tokens')] },
    ),
  );
  // 18,059,974 x 0.0000025 = 45.149935, rounded 45.15; 245,896 x 0.00001 = 2.45896, rounded 2.46; together 47.61
  expect(lines.map(({ exactAmount, amountMinor }) => [exactAmount, amountMinor])).toEqual([
    ['45.149935', 4515n],
    ['2.45896', 246n],
  ]);
});

test('a line carries all a person needs to recompute it', () => {
  const charge = tokensCharge(
    {
      model: 'graduated',
      tiers: [
        { upTo: '1000', unitPrice: '0.01' },
        { upTo: null, unitPrice: '0.005' },
      ],
    },
    { allowance: '500' },
  );
  const slices = [slice('tokens', '1700.5', { model: 'a' }), slice('tokens', '300', { model: 'b' })];
  expect(rateCharges(ratingInput([charge], slices)).lines).toEqual([
    {
      key: 'sub_1/tokens/usage',
      kind: 'usage',
      description: 'Tokens',
      subscription: 'sub_1',
      charge: 'tokens',
      meter: 'tokens',
      servicePeriod: { period: '2026-11', start: '2026-11-01T00:00:00.000Z', end: '2026-12-01T00:00:00.000Z' },
      quantity: '2000.5',
      allowanceUsed: '500',
      unit: 'tokens',
      steps: [
        {
          key: 'allowance',
          label: 'Included: 500 of 500',
          from: '0',
          to: '500',
          quantity: '500',
          unitPrice: '0',
          flatAmount: null,
          fraction: null,
          amount: '0',
        },
        {
          key: 'tier-1/usage',
          label: 'Tier 1: up to 1000',
          from: '0',
          to: '1000',
          quantity: '1000',
          unitPrice: '0.01',
          flatAmount: null,
          fraction: null,
          amount: '10',
        },
        {
          key: 'tier-2/usage',
          label: 'Tier 2: above 1000',
          from: '1000',
          to: null,
          quantity: '500.5',
          unitPrice: '0.005',
          flatAmount: null,
          fraction: null,
          amount: '2.5025',
        },
      ],
      exactAmount: '12.5025', // 10 + 500.5 x 0.005
      rounding: 'half_away_from_zero',
      amountMinor: 1250n,
      carriedMinor: 0n,
      priceVersion: 'growth@3',
    },
  ]);
});

test('a fixed fee is due whole in a full period', () => {
  expect(rateCharges(ratingInput([BASE], [])).lines[0]).toMatchObject({
    key: 'sub_1/base/fixed',
    kind: 'fixed',
    meter: null,
    quantity: '1',
    exactAmount: '49',
    amountMinor: 4900n,
    steps: [{ key: 'fee', label: 'Full period', flatAmount: '49', fraction: null, amount: '49' }],
  });
});

test('a subscription that starts on the 14th pays 17 of 30 days, rounded once', () => {
  // 49 x 17/30 = 833/30 = 27.7666..., rounded 27.77
  expect(rateCharges(ratingInput([BASE], [], FROM_14TH)).lines[0]).toMatchObject({
    exactAmount: '833/30',
    amountMinor: 2777n,
    servicePeriod: { period: '2026-11', start: '2026-11-14T10:15:00.000Z', end: '2026-12-01T00:00:00.000Z' },
    steps: [{ key: 'fee', label: '17 of 30 days', flatAmount: '49', fraction: '17/30', amount: '833/30' }],
  });
});

test('by second, a subscription that starts on the 14th at 10:15 pays 1,431,900 of 2,592,000 seconds', () => {
  const plan = planOf([BASE], { proration: 'second' });
  const [line] = rateCharges(ratingInput([BASE], [], { ...FROM_14TH, plan })).lines;
  // 49 x 1431900/2592000 = 27.06901..., rounded 27.07; by day it would be 49 x 17/30 = 27.77
  expect(line).toMatchObject({ exactAmount: '77959/2880', amountMinor: 2707n });
  expect(line?.steps).toMatchObject([{ label: '1431900 of 2592000 seconds', fraction: '1431900/2592000' }]);
});

test('a partial period prorates the allowance and leaves the price alone', () => {
  // 300 x 17/30 = 170 free, 200 - 170 = 30 at 0.10 = 3.00
  const charge = tokensCharge(perUnit('0.1'), { allowance: '300' });
  expect(rateCharges(ratingInput([charge], [slice('tokens', '200')], FROM_14TH)).lines[0]).toMatchObject({
    quantity: '200',
    allowanceUsed: '170',
    exactAmount: '3',
    amountMinor: 300n,
  });
});

test('flat amounts inside tiers are not prorated', () => {
  const charge = tokensCharge({ model: 'volume', tiers: [{ upTo: null, unitPrice: '0', flatAmount: '30' }] });
  expect(rateCharges(ratingInput([charge], [slice('tokens', '1')], FROM_14TH)).lines[0]?.amountMinor).toBe(3000n);
});

test.each([
  ['storage_gb', ['7', '12.5', '3'], '12.5'], // max
  ['api_calls', ['7', '12', '3'], '22'], // count
])('slices of the %s meter with %j are the quantity %s', (meter, quantities, quantity) => {
  const charge = { ...tokensCharge(perUnit('1')), meter };
  const slices = quantities.map((text) => slice(meter, text));
  expect(rateCharges(ratingInput([charge], slices)).lines[0]).toMatchObject({ quantity, exactAmount: quantity });
});

test('an unused charge has a line too, so that its price can be seen', () => {
  const { lines } = rateCharges(ratingInput([tokensCharge(perUnit('1'))], []));
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({ quantity: '0', exactAmount: '0', amountMinor: 0n });
});

test.each([
  ['USD', undefined, 101n], // 1.005 half away from zero
  ['USD', 'half_even', 100n],
  ['JPY', undefined, 1n],
  ['KWD', undefined, 1005n],
] as const)('1.005 %s is rounded to the minor unit of the plan’s currency, mode %s', (currency, rounding, minor) => {
  const plan = planOf([tokensCharge(perUnit('1.005'))], { currency, rounding });
  expect(rateCharges({ ...ratingInput([], [slice('tokens', '1')]), plan }).lines[0]?.amountMinor).toBe(minor);
});

test('lines round one by one, and only once each', () => {
  // 3 x 0.005 in three charges is 3 cents, not 1.5 rounded to 2; within one charge it is 0.015, rounded to 2
  const charges = ['a', 'b', 'c'].map((model) => ({
    ...tokensCharge(perUnit('0.005')),
    key: model,
    filter: { model },
  }));
  const slices = ['a', 'b', 'c'].map((model) => slice('tokens', '1', { model }));
  expect(rateCharges(ratingInput(charges, slices)).lines.map(({ amountMinor }) => amountMinor)).toEqual([1n, 1n, 1n]);
  expect(rateCharges(ratingInput([tokensCharge(perUnit('0.005'))], slices)).lines[0]?.amountMinor).toBe(2n);
});

test('a sum below zero bills nothing and says what it carries in minor units', () => {
  expect(rateCharges(ratingInput([tokensCharge(perUnit('0.1'))], [slice('tokens', '-25.55')])).lines[0]).toMatchObject({
    quantity: '-25.55',
    exactAmount: '0',
    amountMinor: 0n,
    carriedMinor: -256n, // -2.555 half away from zero
  });
});

test('usage that no charge takes is handed back', () => {
  const lost = slice('storage_gb', '5');
  expect(rateCharges(ratingInput([tokensCharge(perUnit('1'))], [lost, slice('tokens', '1')])).unmatched).toEqual([
    lost,
  ]);
});

test('a total longer than any single value is rated exactly', () => {
  const { lines } = rateCharges(
    ratingInput(
      [tokensCharge(perUnit('0.01'))],
      [slice('tokens', '90000000000000000000000000'), slice('tokens', '90000000000000000000000000')],
    ),
  );
  expect(lines[0]?.amountMinor).toBe(180000000000000000000000000n);
});

test('a charge on a meter that is not there stops rating', () => {
  expect(() => rateCharges({ ...ratingInput([tokensCharge(perUnit('1'))], []), meters: METERS.slice(0, 1) })).toThrow(
    expect.objectContaining({ code: 'meter_unknown' }),
  );
});

test('a service span outside its period stops rating', () => {
  expect(() => rateCharges({ ...ratingInput([BASE], []), period: parseBillingPeriod('2026-10', 'UTC') })).toThrow(
    expect.objectContaining({ code: 'span_outside_period' }),
  );
});

test('fees in advance and everything in arrears are billed apart, and together they are the whole plan', () => {
  const advance: Charge = { ...BASE, key: 'seat', amount: '10', timing: 'in_advance' };
  const charges = [BASE, advance, tokensCharge(perUnit('0.01'))];
  const keys = (bills: 'arrears' | 'advance' | undefined) =>
    rateCharges(ratingInput(charges, [], { bills })).lines.map(({ key }) => key);
  expect(keys(undefined)).toEqual(['sub_1/base/fixed', 'sub_1/tokens/usage']);
  expect(keys('arrears')).toEqual(['sub_1/base/fixed', 'sub_1/tokens/usage']);
  expect(keys('advance')).toEqual(['sub_1/seat/fixed']);
});
