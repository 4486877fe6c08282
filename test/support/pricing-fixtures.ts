import type { Charge, UsageCharge } from '../../core/catalog/charge.ts';
import type { Meter } from '../../core/catalog/meter.ts';
import type { PlanVersion } from '../../core/catalog/plan.ts';
import type { Price } from '../../core/catalog/price.ts';
import type { SubscriptionId } from '../../core/ids.ts';
import type { RatingInput } from '../../core/rating/rate.ts';
import { parseBillingPeriod } from '../../core/time/billing-period.ts';
import type { UsageSlice } from '../../core/usage/usage-snapshot.ts';

/** Small, complete inputs for tests of pricing; a test states only what it is about. */
export const METERS: readonly Meter[] = [
  { key: 'api_calls', eventType: 'api_call', aggregation: 'count', dimensions: ['region', 'tier'], unit: 'calls' },
  { key: 'tokens', eventType: 'llm', aggregation: 'sum', value: 'tokens', dimensions: ['model'], unit: 'tokens' },
  { key: 'storage_gb', eventType: 'disk', aggregation: 'max', value: 'gb', dimensions: [], unit: 'GB' },
  { key: 'seats', eventType: 'seats', aggregation: 'latest', value: 'seats', dimensions: [] },
];

export const NOVEMBER = parseBillingPeriod('2026-11', 'UTC');

export function planOf(charges: readonly Charge[], more: Partial<PlanVersion> = {}): PlanVersion {
  return { plan: 'growth', version: 3, name: 'Growth', currency: 'USD', interval: 'month', charges, ...more };
}

export function tokensCharge(price: Price, more: Partial<UsageCharge> = {}): UsageCharge {
  return { kind: 'usage', key: 'tokens', name: 'Tokens', meter: 'tokens', price, ...more };
}

export function slice(meter: string, quantity: string, dimensions: Record<string, string> = {}): UsageSlice {
  return { meter, quantity, dimensions };
}

export function ratingInput(
  charges: readonly Charge[],
  slices: readonly UsageSlice[],
  more: Partial<RatingInput> = {},
): RatingInput {
  return {
    subscription: 'sub_1' as SubscriptionId,
    plan: planOf(charges),
    meters: METERS,
    period: NOVEMBER,
    service: { start: NOVEMBER.start, end: NOVEMBER.end },
    slices,
    ...more,
  };
}
