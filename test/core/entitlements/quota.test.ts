import { beforeEach, describe, expect, test } from 'vitest';
import { quotaStore } from '../../../adapters/dynamodb/quotas.ts';
import { usageViews } from '../../../adapters/dynamodb/usage-views.ts';
import {
  type CheckInput,
  checkEntitlement,
  type EntitlementDeps,
} from '../../../core/entitlements/check-entitlement.ts';
import { type Feature, type MeteredFeature, quotaKeyOf } from '../../../core/entitlements/feature.ts';
import { groupOf, groupSpan, groupsOf, usedOf } from '../../../core/entitlements/quota.ts';
import { refreshQuotas } from '../../../core/entitlements/refresh-quotas.ts';
import type { CustomerId } from '../../../core/ids.ts';
import { Decimal } from '../../../core/money/decimal.ts';
import { microsOf, parseInstant } from '../../../core/time/instant.ts';
import { addReadings } from '../../../core/usage/usage-view.ts';
import { itemBytes, type MemoryDynamoDb } from '../../support/memory-dynamodb.ts';
import { clockAt, METERS, memoryTables, NOW_MILLIS, PROJECT, TABLES } from '../../support/usage-fixtures.ts';

const ADA = 'ada' as CustomerId;
const scope = (start: string, end: string) => ({
  feature: 'calls',
  meter: 'calls',
  filter: { region: ['eu', 'us'] },
  window: { start: parseInstant(start), end: parseInstant(end) },
});
const NOVEMBER = scope('2026-11-01T00:00:00Z', '2026-12-01T00:00:00Z');
const FEATURE: MeteredFeature = {
  kind: 'metered',
  feature: 'calls',
  scope: NOVEMBER,
  limit: '10',
  isHard: true,
  grants: [],
  sources: [],
};

let database: MemoryDynamoDb;
let feature: MeteredFeature;
let deps: EntitlementDeps;
let calls: string[];
beforeEach(() => {
  database = memoryTables();
  calls = [];
  feature = FEATURE;
  const client = database.client(({ operation }) => {
    calls.push(operation);
    return 'none';
  });
  deps = {
    features: async (_project, customer) => (customer === 'nobody' ? undefined : features()),
    meters: async () => METERS,
    quotas: quotaStore(client, TABLES.views),
    views: usageViews(client, TABLES.views),
    clock: clockAt(NOW_MILLIS),
    maxAgeMillis: 120_000,
    marked: new Set(),
  };
});

function features(): ReadonlyMap<string, Feature> {
  return new Map<string, Feature>([
    ['calls', feature],
    ['sso', { kind: 'boolean', feature: 'sso', sources: [] }],
  ]);
}

let sequence = 0;
/** Usage as folding writes it, and then what folding does about quotas. */
async function count(day: string, region: string, value: string, meter = 'calls'): Promise<void> {
  await write(day, region, value, meter);
  await refreshQuotas([{ project: PROJECT, customer: 'ada', day }], deps);
}

async function write(day: string, region: string, value: string, meter = 'calls'): Promise<void> {
  const views = usageViews(database.client(), TABLES.views);
  const stored = await views.readView({ project: PROJECT, customer: 'ada', day, part: '' });
  const reading = {
    meter,
    aggregation: 'sum' as const,
    names: ['region'],
    dimensionKey: JSON.stringify([region]),
    quarter: 4,
    value,
    occurredAtMicros: 0,
    fingerprint: 'f',
  };
  sequence += 1;
  await views.writeView({ ...stored, view: addReadings(stored.view, '0.x', sequence, [reading]) });
}

const check = (more: Partial<CheckInput> = {}) =>
  checkEntitlement({ project: PROJECT, customer: ADA, feature: 'calls', quantity: null, ...more }, deps);
const quantity = (text: string) => ({ quantity: Decimal.parse(text) });

describe('the groups of a window', () => {
  test('are days where it has a month, cut to the window', () => {
    expect(groupsOf(NOVEMBER)).toHaveLength(30);
    expect(groupOf(NOVEMBER, '20261101')).toBe(0);
    expect(groupOf(NOVEMBER, '20261130')).toBe(29);
    expect(groupOf(NOVEMBER, '20261201')).toBeNull();
    expect(groupOf(NOVEMBER, '20261031')).toBeNull();
    const shifted = scope('2026-11-10T05:30:00Z', '2026-12-10T05:30:00Z');
    expect(groupOf(shifted, '20261210')).toBe(30);
    const first = groupSpan(shifted, 0);
    expect([first.from, first.to]).toEqual([
      microsOf(shifted.window.start),
      microsOf(parseInstant('2026-11-11T00:00:00Z')),
    ]);
    expect(groupSpan(shifted, 30).to).toBe(microsOf(shifted.window.end));
  });

  test('are longer where the window is, never more than 32, without gaps or overlaps', () => {
    for (const end of [
      '2026-11-02T00:00:00Z',
      '2026-12-03T00:00:00Z',
      '2027-11-01T00:00:00Z',
      '2027-11-02T00:00:00Z',
    ]) {
      const long = scope('2026-11-01T00:00:00Z', end);
      const spans = groupsOf(long).map((group) => groupSpan(long, group));
      expect(spans.length).toBeLessThanOrEqual(32);
      expect(spans[0]?.from).toBe(microsOf(long.window.start));
      expect(spans.at(-1)?.to).toBe(microsOf(long.window.end));
      for (const [i, span] of spans.entries()) expect(span.from).toBe(i === 0 ? span.from : spans[i - 1]?.to);
    }
  });
});

describe('a check', () => {
  test('of a quota nobody has asked for reads the views once, and then one small item', async () => {
    await count('20261103', 'eu', '4');
    await count('20261104', 'ap', '3');
    expect(await check()).toMatchObject({
      allowed: true,
      used: '4',
      limit: '10',
      remaining: '6',
      reason: 'within_limit',
    });
    calls.length = 0;
    expect(await check()).toMatchObject({
      resetsAt: '2026-12-01T00:00:00.000Z',
      asOf: '2026-11-21T02:58:00.000Z',
      overLimit: false,
    });
    expect(calls).toEqual(['get']);
  });

  test('follows the views day by day, a negative correction included, and looks at its window and filter only', async () => {
    await check();
    await count('20261103', 'eu', '4');
    await count('20261104', 'us', '2.5');
    await count('20261104', 'ap', '100');
    await count('20261031', 'eu', '100');
    await count('20261104', 'eu', '100', 'tokens');
    expect(await check()).toMatchObject({ used: '6.5', remaining: '3.5' });
    await count('20261103', 'eu', '-1');
    expect(await check()).toMatchObject({ used: '5.5' });
    const [item] = database.items(TABLES.views).filter(({ pk }) => pk?.S === 'prj_demo#quota#ada');
    expect(JSON.parse(item?.figures?.S ?? '')).toEqual([{ 2: '3', 3: '2.5' }, {}]);
  });

  test('allows a quantity up to the limit and not beyond; without one it asks whether anything is left', async () => {
    await count('20261103', 'eu', '7.5');
    expect(await check(quantity('2.5'))).toMatchObject({ allowed: true });
    expect(await check(quantity('2.500000000001'))).toMatchObject({
      allowed: false,
      reason: 'limit_reached',
      overLimit: false,
    });
    expect(await check()).toMatchObject({ allowed: true });
    await count('20261103', 'eu', '2.5');
    expect(await check()).toMatchObject({ allowed: false, remaining: '0' });
    expect(await check(quantity('0'))).toMatchObject({ allowed: true });
    await count('20261103', 'eu', '1');
    expect(await check(quantity('0'))).toMatchObject({ allowed: false, remaining: '0', used: '11', overLimit: true });
  });

  test('a soft limit allows and says that it is passed; none at all allows', async () => {
    await count('20261103', 'eu', '10');
    feature = { ...FEATURE, isHard: false };
    expect(await check()).toMatchObject({ allowed: true, reason: 'over_soft_limit', overLimit: true });
    feature = { ...FEATURE, limit: null };
    expect(await check()).toMatchObject({
      allowed: true,
      reason: 'unlimited',
      limit: null,
      remaining: null,
      used: '10',
    });
  });

  test('of a switch is yes, of a feature that is not there no, and an unknown customer is an error', async () => {
    expect(await check({ feature: 'sso' })).toEqual({
      customer: 'ada',
      feature: 'sso',
      kind: 'boolean',
      allowed: true,
      reason: 'included',
    });
    expect(await check({ feature: 'other' })).toMatchObject({ allowed: false, reason: 'not_included', kind: null });
    await expect(check({ customer: 'nobody' as CustomerId })).rejects.toMatchObject({ code: 'customer_not_found' });
  });
});

describe('a refresh', () => {
  test('that read the views before another one never takes its place', async () => {
    await check();
    const key = quotaKeyOf(PROJECT, 'ada', NOVEMBER);
    const before = await deps.quotas.find(key);
    await count('20261103', 'eu', '4');
    const late = { totals: {}, folded: {}, refreshedAtMillis: NOW_MILLIS };
    expect(await deps.quotas.refresh(key, before?.version ?? 0, late)).toBe('refused');
    expect(await check()).toMatchObject({ used: '4' });
  });

  test('that meets another one at every step ends in what the views say', async () => {
    await check();
    for (let held = 0; held < 6; held++) {
      await write('20261105', 'eu', '1');
      // The first folder stops at its n-th call while a second one, with more usage, runs to its end.
      let step = 0;
      const slow = database.client(async () => {
        step += 1;
        if (step === held + 1) await count('20261105', 'us', '1');
        return 'none' as const;
      });
      const own = { ...deps, quotas: quotaStore(slow, TABLES.views), views: usageViews(slow, TABLES.views) };
      await refreshQuotas([{ project: PROJECT, customer: 'ada', day: '20261105' }], own);
      const quota = await deps.quotas.find(quotaKeyOf(PROJECT, 'ada', NOVEMBER));
      const truth = (await readUsageTotal()).toString();
      expect(quota === undefined ? '' : usedOf(quota).toString()).toBe(truth);
    }
  });

  test('finds a quota that is made while usage is folded, or the quota finds the usage', async () => {
    for (let held = 0; held < 8; held++) {
      database = memoryTables();
      const plain = database.client();
      let step = 0;
      const slow = database.client(async () => {
        step += 1;
        if (step === held + 1) {
          await write('20261105', 'eu', '3');
          const folder = { ...deps, quotas: quotaStore(plain, TABLES.views), views: usageViews(plain, TABLES.views) };
          await refreshQuotas([{ project: PROJECT, customer: 'ada', day: '20261105' }], folder);
        }
        return 'none' as const;
      });
      deps = {
        ...deps,
        quotas: quotaStore(slow, TABLES.views),
        views: usageViews(slow, TABLES.views),
        marked: new Set(),
      };
      await check();
      if (step <= held) break;
      expect(await check()).toMatchObject({ used: '3' });
    }
  });

  test('of a year in long decimals stays one read unit', async () => {
    feature = {
      ...FEATURE,
      scope: { ...scope('2026-01-01T00:00:00Z', '2027-01-01T00:00:00Z'), feature: 'f'.repeat(64) },
    };
    await check();
    for (let month = 1; month <= 12; month++) {
      for (const day of ['01', '13', '25']) {
        await write(`2026${String(month).padStart(2, '0')}${day}`, 'eu', '12345678901234567890123456.123456789012');
        const consumed = `consumed:${'f'.repeat(64)}:${quotaKeyOf(PROJECT, 'ada', feature.scope).digest}`;
        await count(`2026${String(month).padStart(2, '0')}${day}`, '', '123456789012345678.123456789012', consumed);
      }
    }
    const item = database.items(TABLES.views).find(({ pk }) => pk?.S === 'prj_demo#quota#ada');
    expect(itemBytes(item ?? {})).toBeGreaterThan(1_500);
    expect(itemBytes(item ?? {})).toBeLessThan(4_096);
  });
});

async function readUsageTotal(): Promise<Decimal> {
  const views = usageViews(database.client(), TABLES.views);
  const stored = await views.readViews(PROJECT, 'ada', '20261101', '20261130');
  return stored
    .flatMap(({ view }) => Object.values(view.meters))
    .flatMap(({ dimensions }) => Object.values(dimensions))
    .flatMap((cells) => Object.values(cells))
    .reduce((sum, cell) => sum.plus(Decimal.ofTotal(String(cell))), Decimal.ZERO);
}
