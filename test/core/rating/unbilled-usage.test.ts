import { expect, test } from 'vitest';
import type { UsageCharge } from '../../../core/catalog/charge.ts';
import type { RatedService } from '../../../core/invoicing/evidence.ts';
import { unbilledUsage } from '../../../core/rating/unbilled-usage.ts';
import { parseInstant } from '../../../core/time/instant.ts';
import type { UsageSlice } from '../../../core/usage/usage-snapshot.ts';
import { service as serviceOf } from '../../support/evidence-fixtures.ts';
import { ratingInput, slice } from '../../support/pricing-fixtures.ts';

const TOKENS: UsageCharge = {
  kind: 'usage',
  key: 'tokens',
  name: 'Tokens',
  meter: 'tokens',
  price: { model: 'per_unit', unitPrice: '1' },
};
const CALLS: UsageCharge = { ...TOKENS, key: 'calls', meter: 'api_calls', filter: { region: 'eu' } };
/** From one day of November to another. */
const span = (from: number, to: number) => {
  const day = (number: number) =>
    parseInstant(number === 31 ? '2026-12-01T00:00:00Z' : `2026-11-${String(number).padStart(2, '0')}T00:00:00Z`);
  return { start: day(from), end: day(to) };
};
const service = (
  from: number,
  to: number,
  charges: readonly UsageCharge[],
  slices: readonly UsageSlice[],
): RatedService => serviceOf(ratingInput(charges, slices, { service: span(from, to) }));
const idle = (from: number, to: number, slices: readonly UsageSlice[]) => ({ ...span(from, to), slices });

const tokens = slice('tokens', '5');
const eu = slice('api_calls', '1', { region: 'eu', tier: 'a' });
const us = slice('api_calls', '1', { region: 'us', tier: 'a' });

test('what no charge of any plan takes is unbilled, once', () => {
  const services = [service(1, 31, [TOKENS], [tokens, us, eu]), service(1, 31, [CALLS], [tokens, us, eu])];
  expect(unbilledUsage({ services })).toEqual([us]);
});

test('a plan that bills in several parts covers what an add-on sees in one', () => {
  const services = [
    service(1, 15, [TOKENS], [tokens]),
    service(15, 31, [TOKENS], [tokens]),
    service(1, 31, [CALLS], [tokens, eu]),
  ];
  expect(unbilledUsage({ services })).toEqual([]);
});

test('usage in a pause is unbilled, and a pause without usage is not, whatever longer spans show', () => {
  const parts = [service(1, 10, [TOKENS], [tokens]), service(20, 31, [TOKENS], [tokens])];
  const addOn = service(1, 31, [CALLS], [tokens, eu]);
  expect(unbilledUsage({ services: [...parts, addOn], idle: [idle(10, 20, [tokens])] })).toEqual([tokens]);
  expect(unbilledUsage({ services: [...parts, addOn], idle: [idle(10, 20, [])] })).toEqual([]);
  expect(unbilledUsage({ services: parts, idle: [idle(10, 20, [tokens, eu])] })).toEqual([tokens, eu]);
});

test('another subscription may bill what is used in a pause', () => {
  const services = [service(1, 10, [TOKENS], [tokens]), service(10, 20, [TOKENS], [tokens])];
  expect(unbilledUsage({ services, idle: [idle(10, 20, [tokens])] })).toEqual([]);
});

test('fees in advance say nothing about usage', () => {
  const advance = serviceOf(ratingInput([TOKENS], [], { service: span(1, 31), bills: 'advance' }));
  const services = [service(1, 31, [CALLS], [tokens]), advance];
  expect(unbilledUsage({ services })).toEqual([tokens]);
});

test('a combination is the same in whatever order its dimensions are written', () => {
  const turned = slice('api_calls', '1', { tier: 'a', region: 'us' });
  const services = [service(1, 15, [TOKENS], [us]), service(15, 31, [TOKENS], [turned])];
  expect(unbilledUsage({ services })).toHaveLength(1);
  const other = slice('api_calls', '1', { tier: 'us', region: 'a' });
  expect(unbilledUsage({ services: [service(1, 31, [TOKENS], [us, other])] })).toEqual([us, other]);
});

test('a fixed fee takes no usage', () => {
  const fee = { kind: 'fixed', key: 'fee', name: 'Fee', amount: '1', timing: 'in_arrears' } as const;
  const known = service(1, 31, [TOKENS], [tokens, us]);
  const withFee = { ...known, input: { ...known.input, plan: { ...known.input.plan, charges: [TOKENS, fee] } } };
  expect(unbilledUsage({ services: [withFee] })).toEqual([us]);
});
