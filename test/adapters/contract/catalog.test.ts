import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contractStore } from '../../../adapters/dynamodb/contracts.ts';
import { meterStore } from '../../../adapters/dynamodb/meters.ts';
import { planStore } from '../../../adapters/dynamodb/plans.ts';
import { priceListStore } from '../../../adapters/dynamodb/price-lists.ts';
import type { ContractVersion } from '../../../core/catalog/contract.ts';
import type { Meter } from '../../../core/catalog/meter.ts';
import type { PlanVersion } from '../../../core/catalog/plan.ts';
import { writeMeter } from '../../../core/catalog/write-meter.ts';
import type { CustomerId, ProjectId } from '../../../core/ids.ts';
import { parseInstant } from '../../../core/time/instant.ts';
import { type LocalTables, startLocalTables } from '../../support/local-tables.ts';

let tables: LocalTables;
const project = (name: string) => `prj_${name}` as ProjectId;
const clock = { now: () => parseInstant('2026-11-21T03:00:00Z') };
const calls: Meter = { key: 'calls', eventType: 'call', aggregation: 'count', dimensions: [] };

function version(plan: string, number: number): PlanVersion {
  const charges = [{ kind: 'fixed', key: 'fee', name: 'Fee', amount: '1', timing: 'in_arrears' }] as const;
  return { plan, version: number, name: plan, currency: 'USD', interval: 'month', charges };
}

beforeAll(async () => {
  tables = await startLocalTables();
});
afterAll(async () => {
  await tables.stop();
});

describe('meter revisions', () => {
  it('follow one another without gaps and never change', async () => {
    const meters = meterStore(tables.client, tables.billing);
    expect(await meters.newest(project('m1'), 'fresh')).toEqual({ revision: 0, meters: [] });
    expect(await meters.write(project('m1'), { revision: 2, meters: [calls] })).toBe('refused');
    expect(await meters.write(project('m1'), { revision: 1, meters: [calls] })).toBe('stored');
    expect(await meters.write(project('m1'), { revision: 1, meters: [] })).toBe('refused');
    expect(await meters.write(project('m1'), { revision: 3, meters: [] })).toBe('refused');
    expect(await meters.write(project('m1'), { revision: 2, meters: [] })).toBe('stored');
    expect(await meters.newest(project('m1'), 'fresh')).toEqual({ revision: 2, meters: [] });
    expect(await meters.revision(project('m1'), 1)).toEqual({ revision: 1, meters: [calls] });
    await expect(meters.revision(project('m1'), 3)).rejects.toMatchObject({ code: 'meter_revision_missing' });
    expect(await meters.newest(project('m2'), 'fresh')).toEqual({ revision: 0, meters: [] });
  });

  it('lose no meter when several writers are at work', async () => {
    const meters = meterStore(tables.client, tables.billing);
    const keys = ['a', 'b', 'c', 'd'];
    const writes = keys.map((key) =>
      writeMeter({ project: project('m3'), meter: { ...calls, key } }, { meters, clock }),
    );
    const written = await Promise.all(writes);
    expect(written.map(({ revision }) => revision).toSorted()).toEqual([1, 2, 3, 4]);
    expect((await meters.newest(project('m3'), 'fresh')).meters.map(({ key }) => key)).toEqual(keys);
  });
});

describe('plan versions', () => {
  it('follow one another without gaps and never change', async () => {
    const plans = planStore(tables.client, tables.billing);
    expect(await plans.newest(project('p1'), 'pro')).toBeUndefined();
    expect(await plans.create(project('p1'), version('pro', 2))).toBe('refused');
    expect(await plans.create(project('p1'), version('pro', 1))).toBe('stored');
    expect(await plans.create(project('p1'), { ...version('pro', 1), name: 'other' })).toBe('refused');
    expect(await plans.create(project('p1'), version('pro', 2))).toBe('stored');
    expect((await plans.newest(project('p1'), 'pro'))?.version).toBe(2);
    expect(await plans.find(project('p1'), 'pro', 1)).toEqual(version('pro', 1));
    expect(await plans.find(project('p2'), 'pro', 1)).toBeUndefined();
  });

  it('are told apart from those of plans whose key begins alike, and sort by number', async () => {
    const plans = planStore(tables.client, tables.billing);
    for (let number = 1; number <= 11; number++) await plans.create(project('p3'), version('a', number));
    await plans.create(project('p3'), version('a-b', 1));
    await plans.create(project('p3'), version('ab', 1));
    expect((await plans.newest(project('p3'), 'a'))?.version).toBe(11);
    const page = await plans.list(project('p3'), { limit: 10 }, 'a');
    expect(page.items.map((item) => item.version)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    const rest = await plans.list(project('p3'), { limit: 10, cursor: page.cursor ?? '' }, 'a');
    expect(rest.items).toEqual([version('a', 11)]);
    await expect(plans.list(project('p3'), { limit: 10, cursor: page.cursor ?? '' })).rejects.toMatchObject({
      code: 'cursor_invalid',
    });
  });
});

describe('contracts', () => {
  const contract = (more: Partial<ContractVersion> = {}): ContractVersion => ({
    id: 'deal',
    version: 1,
    customer: 'acme' as CustomerId,
    plan: 'pro',
    currency: 'USD',
    interval: 'month',
    start: parseInstant('2026-11-01T00:00:00Z'),
    end: null,
    overrides: [{ charge: 'fee', amount: '2', allowance: null }],
    ...more,
  });

  it('are appended under the customer’s number, and an id belongs to one customer', async () => {
    const contracts = contractStore(tables.client, tables.billing);
    const own = project('c1');
    expect(await contracts.ofCustomer(own, 'acme' as CustomerId)).toEqual({ versions: [], sequence: 0 });
    expect(await contracts.append(own, contract(), 0)).toBe('stored');
    expect(await contracts.append(own, contract({ version: 2 }), 0)).toBe('refused');
    expect(await contracts.append(own, contract({ version: 2, end: parseInstant('2027-01-01T00:00:00Z') }), 1)).toBe(
      'stored',
    );
    expect(await contracts.append(own, contract({ customer: 'beta' as CustomerId }), 0)).toBe('taken');
    expect(await contracts.append(own, contract({ id: 'another' }), 2)).toBe('stored');
    const { versions, sequence } = await contracts.ofCustomer(own, 'acme' as CustomerId);
    expect([sequence, ...versions.map(({ id, version: number }) => `${id}@${number}`)]).toEqual([
      3,
      'another@1',
      'deal@1',
      'deal@2',
    ]);
    expect(versions[1]).toEqual(contract());
    expect((await contracts.newest(own, 'deal'))?.version).toBe(2);
    expect((await contracts.list(own, { limit: 10 })).items.map(({ id }) => id)).toEqual(['another', 'deal']);
    expect(await contracts.newest(project('c2'), 'deal')).toBeUndefined();
  });
});

describe('price lists', () => {
  it('are versions by currency, one after the other', async () => {
    const lists = priceListStore(tables.client, tables.billing);
    const list = (currency: 'USD' | 'JPY', number: number) => ({ currency, version: number, charges: [] });
    expect(await lists.create(project('l1'), list('USD', 2))).toBe('refused');
    expect(await lists.create(project('l1'), list('USD', 1))).toBe('stored');
    expect(await lists.create(project('l1'), list('USD', 1))).toBe('refused');
    expect(await lists.create(project('l1'), list('JPY', 1))).toBe('stored');
    expect(await lists.create(project('l1'), list('USD', 2))).toBe('stored');
    expect(await lists.newest(project('l1'), 'USD')).toEqual(list('USD', 2));
    expect(await lists.find(project('l1'), 'USD', 1)).toEqual(list('USD', 1));
    expect(await lists.newest(project('l1'), 'EUR')).toBeUndefined();
    expect((await lists.list(project('l1'), { limit: 10 })).items).toEqual([
      list('JPY', 1),
      list('USD', 1),
      list('USD', 2),
    ]);
  });
});
