import { describe, expect, test } from 'vitest';
import type { Charge } from '../../../core/catalog/charge.ts';
import { type RatingInput, rateCharges } from '../../../core/rating/rate.ts';
import { parseInstant } from '../../../core/time/instant.ts';
import { NOVEMBER, ratingInput, slice, tokensCharge } from '../../support/pricing-fixtures.ts';

const BASE: Charge = { kind: 'fixed', key: 'base', name: 'Base fee', amount: '49', timing: 'in_arrears' };
const perUnit = (unitPrice: string) => ({ model: 'per_unit', unitPrice }) as const;

describe('a phase of a subscription', () => {
  const start = parseInstant('2026-11-16T00:00:00Z');
  const { end } = NOVEMBER;
  const charges = [BASE, tokensCharge(perUnit('0.01'), { allowance: '100', minimum: '6' })];
  const slices = [slice('tokens', '40')];
  const shown = (more: Partial<RatingInput>) =>
    rateCharges(ratingInput(charges, slices, { service: { start, end }, ...more })).lines.map(
      ({ key, amountMinor, allowanceUsed }) => [key, amountMinor, allowanceUsed],
    );

  test('is part of the line keys from the second one on', () => {
    expect(shown({ phase: 1 }).map(([key]) => key)).toEqual(['sub_1/base/fixed', 'sub_1/tokens/usage']);
    expect(shown({ phase: 2 }).map(([key]) => key)).toEqual(['sub_1/phase-2/base/fixed', 'sub_1/phase-2/tokens/usage']);
  });

  test('counts fees, allowances and minimums for the days of its share, which is its service when nothing else is said', () => {
    // 15 of 30 days: half of 49, 40 of the 50 included, half of the minimum of 6
    expect(shown({})).toEqual([
      ['sub_1/base/fixed', 2450n, '0'],
      ['sub_1/tokens/usage', 300n, '40'],
    ]);
    expect(shown({ share: { start: NOVEMBER.start, end } })).toEqual([
      ['sub_1/base/fixed', 4900n, '0'],
      ['sub_1/tokens/usage', 600n, '40'],
    ]);
    // no share: no fee, nothing included, no minimum; 40 x 0.01
    expect(shown({ share: { start, end: start } })).toEqual([
      ['sub_1/base/fixed', 0n, '0'],
      ['sub_1/tokens/usage', 40n, '0'],
    ]);
  });
});
