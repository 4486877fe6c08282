import { describe, expect, test } from 'vitest';
import type { Subscription } from '../../../core/accounts/subscription.ts';
import type { ContractVersion } from '../../../core/catalog/contract.ts';
import type { Entitlement } from '../../../core/catalog/entitlement.ts';
import type { PlanVersion } from '../../../core/catalog/plan.ts';
import { quotaKeyOf } from '../../../core/entitlements/feature.ts';
import { limitAt } from '../../../core/entitlements/quota.ts';
import { type FeatureInputs, resolveFeatures } from '../../../core/entitlements/resolve-features.ts';
import type { CustomerId, SubscriptionId } from '../../../core/ids.ts';
import { type Instant, parseInstant } from '../../../core/time/instant.ts';
import { PROJECT } from '../../support/usage-fixtures.ts';

const at = (text: string) => parseInstant(text);
const NOW = at('2026-11-21T12:00:00Z');
const ACME = 'acme' as CustomerId;

const calls = (limit: string | null, more: object = {}): Entitlement => ({
  kind: 'metered',
  feature: 'calls',
  meter: 'calls',
  limit,
  overage: 'refuse',
  reset: 'period',
  ...more,
});

function plan(name: string, entitlements: readonly Entitlement[]): PlanVersion {
  return {
    plan: name,
    version: 1,
    name,
    currency: 'USD' as PlanVersion['currency'],
    interval: 'month',
    charges: [],
    entitlements,
  };
}

function subscription(id: string, planName: string, more: Partial<Subscription> = {}): Subscription {
  const start = more.start ?? at('2026-10-05T00:00:00Z');
  return {
    id: id as SubscriptionId,
    customer: ACME,
    start,
    end: null,
    phases: [{ number: 1, from: start, state: 'active', plan: planName, planVersion: 1, prorate: true }],
    interval: 'month',
    billing: 'calendar',
    billedThrough: start,
    ...more,
  };
}

const inputs = (more: Partial<FeatureInputs>): FeatureInputs => ({
  timeZone: 'UTC',
  subscriptions: [subscription('s1', 'pro')],
  plans: [],
  contracts: [],
  grants: [],
  ...more,
});

describe('the features of a customer', () => {
  test('are those of its plan, in the window of its service period', () => {
    const entitlements: Entitlement[] = [
      { kind: 'boolean', feature: 'sso' },
      { kind: 'static', feature: 'tier', value: 'gold' },
      calls('100'),
    ];
    const features = resolveFeatures(inputs({ plans: [plan('pro', entitlements)] }), NOW);
    expect([...features.keys()].sort()).toEqual(['calls', 'sso', 'tier']);
    expect(features.get('sso')).toEqual({
      kind: 'boolean',
      feature: 'sso',
      sources: [{ subscription: 's1', source: 'pro@1' }],
    });
    expect(features.get('tier')).toMatchObject({ value: 'gold' });
    expect(features.get('calls')).toMatchObject({
      limit: '100',
      isHard: true,
      scope: { meter: 'calls', window: { start: '2026-11-01T00:00:00.000Z', end: '2026-12-01T00:00:00.000Z' } },
    });
  });

  test('a period begins with its subscription, by the anniversary where it bills so; days and months are the customer’s', () => {
    const window = (timeZone: string, reset: string, more: Partial<Subscription> = {}) => {
      const subscriptions = [subscription('s1', 'pro', more)];
      const plans = [plan('pro', [calls('1', { reset })])];
      const found = resolveFeatures(inputs({ timeZone, subscriptions, plans }), NOW).get('calls');
      return found?.kind === 'metered' ? [found.scope.window.start, found.scope.window.end] : [];
    };
    const begun = { start: at('2026-11-10T05:30:00Z') };
    expect(window('UTC', 'period', begun)).toEqual(['2026-11-10T05:30:00.000Z', '2026-12-01T00:00:00.000Z']);
    expect(window('UTC', 'month', begun)).toEqual(['2026-11-01T00:00:00.000Z', '2026-12-01T00:00:00.000Z']);
    const anniversary = { start: at('2026-10-05T00:00:00Z'), billing: 'anniversary' as const };
    expect(window('UTC', 'period', anniversary)).toEqual(['2026-11-05T00:00:00.000Z', '2026-12-05T00:00:00.000Z']);
    // Kolkata is 5:30 ahead
    expect(window('Asia/Kolkata', 'day')).toEqual(['2026-11-20T18:30:00.000Z', '2026-11-21T18:30:00.000Z']);
  });

  test('a contract in force replaces, adds and takes away feature by feature, and only then', () => {
    const contract = {
      id: 'deal',
      version: 2,
      customer: ACME,
      plan: 'pro',
      currency: 'USD',
      interval: 'month',
      start: at('2026-11-15T00:00:00Z'),
      end: at('2026-12-15T00:00:00Z'),
      overrides: [],
      entitlements: [calls(null), { kind: 'none', feature: 'sso' }, { kind: 'boolean', feature: 'audit' }],
    } as unknown as ContractVersion;
    const plans = [plan('pro', [{ kind: 'boolean', feature: 'sso' }, calls('100')])];
    const of = (when: Instant) => resolveFeatures(inputs({ plans, contracts: [contract] }), when);
    expect([...of(NOW).keys()].sort()).toEqual(['audit', 'calls']);
    expect(of(NOW).get('calls')).toMatchObject({ limit: null, sources: [{ source: 'contract:deal@2' }] });
    for (const outside of [at('2026-11-14T23:59:59Z'), at('2026-12-15T00:00:00Z')]) {
      expect([...of(outside).keys()].sort()).toEqual(['calls', 'sso']);
      expect(of(outside).get('calls')).toMatchObject({ limit: '100' });
    }
  });

  test('several subscriptions add their limits; one that is soft or unlimited makes the whole so', () => {
    const subscriptions = [
      subscription('s2', 'extra', { start: at('2026-11-02T00:00:00Z') }),
      subscription('s1', 'pro'),
    ];
    const of = (second: Entitlement) =>
      resolveFeatures(
        inputs({ subscriptions, plans: [plan('pro', [calls('100.5')]), plan('extra', [second])] }),
        NOW,
      ).get('calls');
    // 100.5 + 49.75 = 150.25
    expect(of(calls('49.75'))).toMatchObject({
      limit: '150.25',
      isHard: true,
      scope: { window: { start: '2026-11-01T00:00:00.000Z' } },
    });
    expect(of(calls(null))).toMatchObject({ limit: null });
    expect(of(calls('1', { overage: 'allow' }))).toMatchObject({ limit: '101.5', isHard: false });
    expect(of(calls('1', { meter: 'other' }))).toMatchObject({
      limit: '100.5',
      sources: [
        { subscription: 's1', isCounted: true },
        { subscription: 's2', isCounted: false },
      ],
    });
    expect(of({ kind: 'boolean', feature: 'calls' })).toMatchObject({ kind: 'metered', limit: '100.5' });
  });

  test('a trial entitles, a pause does not, nor what has not begun or has ended', () => {
    const plans = [plan('pro', [calls('1')])];
    const has = (more: Partial<Subscription>) =>
      resolveFeatures(inputs({ plans, subscriptions: [subscription('s1', 'pro', more)] }), NOW).has('calls');
    const phase = (state: 'trial' | 'paused') => ({
      phases: [{ number: 1, from: at('2026-10-05T00:00:00Z'), state, plan: 'pro', planVersion: 1, prorate: true }],
    });
    expect(has(phase('trial'))).toBe(true);
    expect(has(phase('paused'))).toBe(false);
    expect(has({ start: at('2026-11-21T12:15:00Z') })).toBe(false);
    expect(has({ end: NOW })).toBe(false);
    expect(has({ end: at('2026-11-21T12:15:00Z') })).toBe(true);
  });

  test('grants add to the limit from the instant they begin to the instant they expire', () => {
    const grant = (id: string, quantity: string, effective: string, expires: string | null) => ({
      id,
      customer: ACME,
      feature: 'calls',
      quantity,
      effective: at(effective),
      expires: expires === null ? null : at(expires),
    });
    const grants = [
      grant('a', '10', '2026-11-21T12:00:00Z', '2026-11-22T00:00:00Z'),
      grant('b', '0.5', '2026-01-01T00:00:00Z', null),
      { ...grant('c', '99', '2026-01-01T00:00:00Z', null), feature: 'other' },
    ];
    const found = resolveFeatures(inputs({ plans: [plan('pro', [calls('100')])], grants }), NOW).get('calls');
    if (found?.kind !== 'metered') throw new Error('expected a metered feature');
    expect(limitAt(found, at('2026-11-21T11:59:59.999Z'))?.toString()).toBe('100.5');
    expect(limitAt(found, NOW)?.toString()).toBe('110.5');
    expect(limitAt(found, at('2026-11-22T00:00:00Z'))?.toString()).toBe('100.5');
    expect(limitAt({ ...found, limit: null }, NOW)).toBeNull();
  });

  test('a quota of another meter, filter or window is another quota; the order of a filter’s words is none', () => {
    const scope = (filter: Record<string, string[]>, meter = 'calls', end = '2026-12-01T00:00:00Z') => ({
      feature: 'calls',
      meter,
      filter,
      window: { start: at('2026-11-01T00:00:00Z'), end: at(end) },
    });
    const digest = (...args: Parameters<typeof scope>) => quotaKeyOf(PROJECT, 'acme', scope(...args)).digest;
    const one = digest({ region: ['eu', 'us'], model: ['x'] });
    expect(digest({ model: ['x'], region: ['us', 'eu'] })).toBe(one);
    const others = [
      digest({}),
      digest({ region: ['eu'] }),
      digest({}, 'other'),
      digest({}, 'calls', '2026-12-02T00:00:00Z'),
    ];
    expect(new Set([one, ...others]).size).toBe(5);
  });
});
