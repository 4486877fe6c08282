import { expect, test } from 'vitest';
import type { UsageCharge } from '../../../core/catalog/charge.ts';
import { type RatingInput, rateCharges } from '../../../core/rating/rate.ts';
import { parseInstant } from '../../../core/time/instant.ts';
import { NOVEMBER, planOf, ratingInput, slice } from '../../support/pricing-fixtures.ts';

/** Seats are a latest reading: 10 dollars each, two included. */
const SEATS: UsageCharge = {
  kind: 'usage',
  key: 'seats',
  name: 'Seats',
  meter: 'seats',
  allowance: '2',
  price: { model: 'per_unit', unitPrice: '10' },
};
const MIDDLE = parseInstant('2026-11-15T00:00:00Z');
const FIRST = { start: NOVEMBER.start, end: MIDDLE };
const SECOND = { start: MIDDLE, end: NOVEMBER.end };
const NONE = { start: MIDDLE, end: MIDDLE };

function line(charge: UsageCharge, more: Partial<RatingInput>) {
  const plan = planOf([charge], more.plan);
  const [first] = rateCharges(ratingInput([charge], [], { ...more, plan })).lines;
  return first && [first.quantity, first.allowanceUsed, first.exactAmount, first.amountMinor];
}

const levels = [slice('seats', '12')];
const running = [FIRST, SECOND];

test('a level is billed once over the parts of a period: a change to the same prices changes nothing', () => {
  // (12 - 2) x 10 = 100 for the whole month
  expect(line(SEATS, { slices: levels })).toEqual(['12', '2', '100', 10_000n]);
  // 14/30 and 16/30 of it
  expect(line(SEATS, { service: FIRST, running, levels })).toEqual(['12', '2', '140/3', 4667n]);
  expect(line(SEATS, { service: SECOND, running, levels })).toEqual(['12', '2', '160/3', 5333n]);
});

test('a level is that of the whole period, wherever it was read', () => {
  const [first] = rateCharges(
    ratingInput([SEATS], [slice('seats', '5'), slice('tokens', '1')], { service: FIRST, running, levels }),
  ).lines;
  expect(first?.quantity).toBe('12');
  expect(first?.steps.map(({ key, amount, fraction }) => [key, amount, fraction])).toEqual([
    ['allowance', '0', null],
    ['usage', '100', null],
    // 100 x 14/30 - 100
    ['level-part', '-160/3', '14/30'],
  ]);
});

test('without proration the plan before keeps its included level, and the plan after has none', () => {
  const whole = { start: NOVEMBER.start, end: NOVEMBER.end };
  expect(line(SEATS, { service: FIRST, running, levels, share: whole })).toEqual(['12', '2', '140/3', 4667n]);
  // 12 x 10 x 16/30
  expect(line(SEATS, { service: SECOND, running, levels, share: NONE })).toEqual(['12', '0', '64', 6400n]);
});

test('around a pause a level is billed whole over the days that bill, as in a month that begins late', () => {
  const early = { start: NOVEMBER.start, end: parseInstant('2026-11-07T00:00:00Z') };
  const around = [early, SECOND];
  // 22 of 30 days bill: included are 2 x 22/30 = 1.466666666667; (12 - 1.466666666667) x 10 x 6/22
  const [, used, , first] = line(SEATS, { service: early, running: around, levels }) ?? [];
  expect([used, first]).toEqual(['1.466666666667', 2873n]);
  // 105.33333333333 x 16/22
  expect(line(SEATS, { service: SECOND, running: around, levels })?.[3]).toBe(7661n);
});

test('parts within one day are told apart by the second', () => {
  const at = (time: string) => parseInstant(`2026-11-20T${time}:00Z`);
  const parts = [
    { start: at('08:00'), end: at('09:00') },
    { start: at('09:00'), end: at('12:00') },
  ];
  const max = { ...SEATS, key: 'disk', meter: 'storage_gb', allowance: undefined };
  const disk = [slice('storage_gb', '8')];
  const amounts = parts.map((service) => line(max, { service, running: parts, levels: disk })?.[2]);
  // 80 x 1/4, 80 x 3/4
  expect(amounts).toEqual(['20', '60']);
});

test('what adds up is not a level: each part prices its own', () => {
  const tokens: UsageCharge = { ...SEATS, key: 'tokens', meter: 'tokens', allowance: undefined };
  const own = [slice('tokens', '3')];
  expect(line(tokens, { service: FIRST, running, levels: [], slices: own })?.[2]).toBe('30');
});

test('a level draws on an envelope for what its own allowance leaves, and for no more', () => {
  const tokens: UsageCharge = { ...SEATS, key: 'tokens', meter: 'tokens', allowance: undefined };
  const burn = [
    { charge: 'seats', weight: '1' },
    { charge: 'tokens', weight: '1' },
  ];
  const plan = planOf([SEATS, tokens], { envelopes: [{ key: 'pool', name: 'Pool', quantity: '30', burn }] });
  const rated = rateCharges({
    ...ratingInput([], [slice('tokens', '20')], { service: FIRST, running, levels: [slice('seats', '2')] }),
    plan,
  }).lines;
  // both seats are included; all of the 30 x 14/30 that the pool holds is left for tokens
  expect(rated.map(({ quantity, allowanceUsed, exactAmount }) => [quantity, allowanceUsed, exactAmount])).toEqual([
    ['2', '2', '0'],
    ['20', '14', '60'],
  ]);
});
