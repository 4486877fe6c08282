import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { planStore } from '../../../adapters/dynamodb/plans.ts';
import { priceListStore } from '../../../adapters/dynamodb/price-lists.ts';
import { createSubscription } from '../../../core/accounts/create-subscription.ts';
import { writeContract } from '../../../core/catalog/write-contract.ts';
import { writePriceList } from '../../../core/catalog/write-price-list.ts';
import type { Invoice } from '../../../core/invoicing/invoice.ts';
import { type BillingParts, BillingWorld, startBillingParts } from '../../support/billing-world.ts';

let parts: BillingParts;
beforeAll(async () => {
  parts = await startBillingParts();
});
afterAll(() => parts.stop());

const PER_CENT = { model: 'per_unit', unitPrice: '0.01' } as const;
const perUnit = (unitPrice: string) => ({ model: 'per_unit', unitPrice });
const usage = (key: string, unitPrice: string) => ({
  kind: 'usage',
  key,
  name: key,
  meter: key,
  price: perUnit(unitPrice),
});
const START = '2026-11-01T00:00:00Z';

async function worldOf(name: string): Promise<BillingWorld> {
  const world = new BillingWorld(parts, `prj_${name}`);
  await world.catalog([{ kind: 'usage', key: 'calls', name: 'Calls', meter: 'calls', price: PER_CENT }]);
  return world;
}
const contractOf = (world: BillingWorld, unitPrice: string, more: object = {}) =>
  writeContract(
    {
      project: world.project,
      contract: {
        id: 'deal',
        customer: 'acme',
        plan: 'growth',
        currency: 'USD',
        start: START,
        overrides: [{ charge: 'calls', price: perUnit(unitPrice) }],
        ...more,
      },
    },
    world.accounts,
  );
async function billed(world: BillingWorld, asOf: string): Promise<readonly (readonly unknown[])[]> {
  const { id } = await world.run(asOf);
  const invoices: readonly Invoice[] = await world.issued(id);
  return invoices.flatMap(({ currency, lines }) =>
    lines.map(({ key, amountMinor, priceVersion }) => [
      currency,
      key.replace('sub-acme/', ''),
      amountMinor,
      priceVersion,
    ]),
  );
}

describe('a contract', () => {
  test('written later changes no billed period, late usage in it is priced as it was billed, and a correction reprices it', async () => {
    const world = await worldOf('contracts1');
    await world.customer('acme', START);
    await contractOf(world, '0.008');
    world.calls('acme', '2026-11', '1000');
    // 1,000 x 0.008
    expect(await billed(world, '2026-12-02T01:00:00Z')).toEqual([['USD', 'calls/usage', 800n, 'contract:deal@1']]);

    await contractOf(world, '0.005');
    world.calls('acme', '2026-11', '1100');
    world.calls('acme', '2026-12', '200');
    expect(await billed(world, '2027-01-02T01:00:00Z')).toEqual([
      // December by the new version: 200 x 0.005; 100 late calls of November still at 0.008
      ['USD', 'calls/usage', 100n, 'contract:deal@2'],
      ['USD', 'calls/usage/adjusts/2026-11', 80n, 'contract:deal@1'],
    ]);

    // meant for November too: 1,100 x 0.006 = 6.60 where 8.80 were billed; December 200 x 0.006 = 1.20 where 1.00 was
    await contractOf(world, '0.006', { correctsFrom: START });
    world.calls('acme', '2027-01', '1000');
    expect(await billed(world, '2027-02-02T01:00:00Z')).toEqual([
      ['USD', 'calls/usage', 600n, 'contract:deal@3'],
      ['USD', 'calls/usage/adjusts/2026-11', -220n, 'contract:deal@3'],
      ['USD', 'calls/usage/adjusts/2026-12', 20n, 'contract:deal@3'],
    ]);

    // and once is enough
    world.calls('acme', '2027-02', '0');
    expect(await billed(world, '2027-03-02T01:00:00Z')).toEqual([['USD', 'calls/usage', 0n, 'contract:deal@3']]);
  });

  test('prices the service by its start, keeps one per plan and time, and no id is taken twice', async () => {
    const world = await worldOf('contracts2');
    await world.customer('acme', START);
    await world.customer('other', START);
    const first = await contractOf(world, '0.008', { end: '2026-12-01T00:00:00Z' });
    expect(first).toMatchObject({ isNew: true, version: { version: 1, interval: 'month' } });
    expect(await contractOf(world, '0.008', { end: '2026-12-01T00:00:00Z' })).toMatchObject({ isNew: false });
    await expect(contractOf(world, '0.007', { id: 'rival' })).rejects.toMatchObject({ code: 'contract_overlaps' });
    await expect(contractOf(world, '0.007', { customer: 'other' })).rejects.toMatchObject({ code: 'contract_exists' });
    await expect(contractOf(world, '0.007', { customer: 'nobody' })).rejects.toMatchObject({
      code: 'customer_not_found',
    });
    const next = { id: 'rival', start: '2026-12-01T00:00:00Z' };
    expect(await contractOf(world, '0.007', next)).toMatchObject({ isNew: true });
    world.calls('acme', '2026-11', '100');
    world.calls('acme', '2026-12', '100');
    const lines = await billed(world, '2027-01-02T01:00:00Z');
    expect(lines.filter(([, key]) => key === 'calls/usage')).toEqual([
      ['USD', 'calls/usage', 80n, 'contract:deal@1'],
      ['USD', 'calls/usage', 70n, 'contract:rival@1'],
    ]);
  });

  test('that does not fit the version a customer moves to refuses the move', async () => {
    const world = await worldOf('contracts3');
    await world.customer('acme', START);
    await contractOf(world, '0.008');
    await planStore(world.client, parts.tables.billing).create(world.project, {
      plan: 'growth',
      version: 2,
      name: 'Growth',
      currency: 'EUR',
      interval: 'month',
      charges: [{ kind: 'fixed', key: 'base', name: 'Base', amount: '10', timing: 'in_arrears' }],
    });
    await world.end('acme', '2026-12-01T00:00:00Z');
    const again = { project: world.project, customer: 'acme' as never, plan: 'growth', start: '2026-12-01T00:00:00Z' };
    await expect(createSubscription(again, world.accounts)).rejects.toMatchObject({
      code: 'contract_does_not_fit',
      faults: [{ field: 'currency', code: 'currency_mismatch' }],
    });
    expect(await createSubscription({ ...again, planVersion: 1 }, world.accounts)).toMatchObject({ isNew: true });
  });
});

test('the price list bills what no plan prices, once, and a later version changes no billed period', async () => {
  const world = await worldOf('lists1');
  const lists = priceListStore(world.client, parts.tables.billing);
  const deps = { lists, meters: world.accounts.meters };
  const list = (unitPrice: string) => ({
    currency: 'USD',
    charges: [usage('credits', unitPrice), usage('calls', '9')],
  });
  await writePriceList({ project: world.project, list: list('2') }, deps);
  await world.customer('acme', START);
  world.calls('acme', '2026-11', '100');
  world.calls('acme', '2026-11', '3', 'credits');
  expect(await billed(world, '2026-12-02T01:00:00Z')).toEqual([
    ['USD', 'calls/usage', 100n, 'growth@1'],
    // 3 x 2; the plan prices calls, so the list does not
    ['USD', 'list/credits/usage', 600n, 'price-list:USD@1'],
  ]);

  expect(await writePriceList({ project: world.project, list: list('5') }, deps)).toMatchObject({ isNew: true });
  world.calls('acme', '2026-11', '4', 'credits');
  world.calls('acme', '2026-12', '1', 'credits');
  expect(await billed(world, '2027-01-02T01:00:00Z')).toEqual([
    ['USD', 'calls/usage', 0n, 'growth@1'],
    ['USD', 'list/credits/usage', 500n, 'price-list:USD@2'],
    ['USD', 'list/credits/usage/adjusts/2026-11', 200n, 'price-list:USD@1'],
  ]);
});

test('a plan that prices in arrears what the list has billed by the month takes the place of the list', async () => {
  const world = await worldOf('lists2');
  const deps = { lists: priceListStore(world.client, parts.tables.billing), meters: world.accounts.meters };
  await writePriceList({ project: world.project, list: { currency: 'USD', charges: [usage('credits', '2')] } }, deps);
  await world.customer('acme', '2026-10-01T00:00:00Z');
  for (const month of ['2026-10', '2026-11', '2026-12']) {
    world.calls('acme', month, '2000');
    world.calls('acme', month, '3', 'credits');
  }
  await world.run('2026-11-01T02:00:00Z');
  await world.run('2026-12-01T02:00:00Z');
  await planStore(world.client, parts.tables.billing).create(world.project, {
    ...{ plan: 'quarterly', version: 1, name: 'Quarterly', currency: 'USD', interval: 'quarter' },
    charges: [usage('credits', '3')],
  } as never);
  world.now = '2026-12-15T00:00:00.000Z' as never;
  await createSubscription(
    {
      project: world.project,
      id: 'sub-acme-quarter' as never,
      customer: 'acme' as never,
      plan: 'quarterly',
      start: '2026-10-01T00:00:00Z',
    },
    world.accounts,
  );
  world.usage.set('acme/2026-10-01', [...(world.usage.get('acme/2026-10') ?? [])]);
  const lines = await billed(world, '2027-01-01T02:00:00Z');
  expect(lines.filter(([, key]) => String(key).includes('credits'))).toEqual([
    ['USD', 'list/credits/usage/adjusts/2026-10', -600n, 'price-list:USD@1'],
    ['USD', 'list/credits/usage/adjusts/2026-11', -600n, 'price-list:USD@1'],
    ['USD', 'sub-acme-quarter/credits/usage', 900n, 'quarterly@1'],
  ]);
});

test('a subscription in another currency, begun in the past, takes from the list what the list has billed, once', async () => {
  const world = await worldOf('lists3');
  const deps = { lists: priceListStore(world.client, parts.tables.billing), meters: world.accounts.meters };
  await writePriceList({ project: world.project, list: { currency: 'USD', charges: [usage('credits', '2')] } }, deps);
  await world.customer('acme', '2026-10-01T00:00:00Z');
  for (const month of ['2026-10', '2026-11', '2026-12', '2027-01']) {
    world.calls('acme', month, '2000');
    world.calls('acme', month, '3', 'credits');
  }
  const creditsOf = (lines: readonly (readonly unknown[])[]) =>
    lines.filter(([, key]) => String(key).includes('credits')).toSorted();
  // 3 x 2.00 a month
  expect(creditsOf(await billed(world, '2026-11-01T02:00:00Z'))).toEqual([
    ['USD', 'list/credits/usage', 600n, 'price-list:USD@1'],
  ]);
  await billed(world, '2026-12-01T02:00:00Z');
  await planStore(world.client, parts.tables.billing).create(world.project, {
    ...{ plan: 'nippon', version: 1, name: 'Nippon', currency: 'JPY', interval: 'quarter' },
    charges: [usage('credits', '300')],
  } as never);
  world.now = '2026-12-15T00:00:00.000Z' as never;
  const yen = { id: 'sub-acme-yen' as never, customer: 'acme' as never, plan: 'nippon', start: '2026-10-01T00:00:00Z' };
  await createSubscription({ project: world.project, ...yen }, world.accounts);
  world.usage.set('acme/2026-10-01', [...(world.usage.get('acme/2026-10') ?? [])]);
  // The quarter's 3 x 300 yen; October and November are given back, December's list bills none.
  expect(creditsOf(await billed(world, '2027-01-01T02:00:00Z'))).toEqual([
    ['JPY', 'sub-acme-yen/credits/usage', 900n, 'nippon@1'],
    ['USD', 'list/credits/usage/adjusts/2026-10', -600n, 'price-list:USD@1'],
    ['USD', 'list/credits/usage/adjusts/2026-11', -600n, 'price-list:USD@1'],
  ]);
  expect(creditsOf(await billed(world, '2027-02-01T02:00:00Z'))).toEqual([]);
});

test('a converted subscription is billed on the account of its currency, beside one in the currency of its plan', async () => {
  const world = await worldOf('converted');
  await world.customer('acme', START);
  await planStore(world.client, parts.tables.billing).create(world.project, {
    plan: 'support',
    version: 1,
    name: 'Support',
    currency: 'USD',
    interval: 'month',
    charges: [{ kind: 'fixed', key: 'fee', name: 'Fee', amount: '99.99', timing: 'in_arrears' }],
  });
  const wanted = {
    project: world.project,
    id: 'sub-acme-yen' as never,
    customer: 'acme' as never,
    plan: 'support',
    start: START,
    conversion: { currency: 'JPY', rate: '149.5' } as const,
  };
  await expect(
    createSubscription({ ...wanted, conversion: { currency: 'USD', rate: '1' } }, world.accounts),
  ).rejects.toMatchObject({ code: 'conversion_invalid' });
  await createSubscription(wanted, world.accounts);
  world.calls('acme', '2026-11', '100');
  expect((await billed(world, '2026-12-02T01:00:00Z')).toSorted()).toEqual([
    // 99.99 x 149.5 = 14948.505
    ['JPY', 'sub-acme-yen/fee/fixed', 14949n, 'support@1'],
    ['USD', 'calls/usage', 100n, 'growth@1'],
  ]);
});
