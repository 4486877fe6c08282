import { expect, test } from 'vitest';
import type { CustomerId } from '../../../core/ids.ts';
import { instantFromMillis } from '../../../core/time/instant.ts';
import type { CustomerDay } from '../../../core/usage/day-groups.ts';
import { VIEW_LIMITS } from '../../../core/usage/fold-view.ts';
import { type ReconciledUsage, reconcileUsage } from '../../../core/usage/reconcile-usage.ts';
import { sampledDays } from '../../../core/usage/sampled-days.ts';
import { Random } from '../../faults/random.ts';
import { RecountWorld } from '../../support/recount-world.ts';
import { logged, METERS, PARTITION, PROJECT } from '../../support/usage-fixtures.ts';

const DAY = 86_400_000;
const CUSTOMERS = ['ada', 'bob', 'cid'];
const THE_21ST: readonly CustomerDay[] = CUSTOMERS.map((customer) => ({ customer, day: '20261121' }));

/** Three customers with a call each on 21 November; of `tampered` the view says two. Looked at on the 23rd at 00:30. */
async function world(tampered: readonly string[]) {
  const at = new RecountWorld(new Random(3), [METERS], VIEW_LIMITS);
  await at.run(
    at.append(
      PARTITION,
      CUSTOMERS.map((customer) => logged({ id: customer, customer })),
    ),
  );
  await at.run(at.fold());
  const tamper = async () => {
    for (const customer of tampered) {
      const stored = await at.deps.views.readView({ project: PROJECT, customer, day: '20261121', part: '' });
      const calls = { aggregation: 'count' as const, names: ['region'], dimensions: { '["eu"]': { 12: '2' } } };
      await at.deps.views.writeView({
        ...stored,
        view: { ...stored.view, meters: { ...stored.view.meters, calls } },
      });
    }
  };
  await at.run(tamper());
  at.world.millis = Date.UTC(2026, 10, 23, 0, 30);
  return at;
}

interface Asked {
  readonly days?: readonly CustomerDay[];
  readonly cursor?: string | null;
  readonly millis?: number;
}

async function reconciled(at: RecountWorld, { days = THE_21ST, cursor = null, millis = 600_000 }: Asked = {}) {
  const opened: string[] = [];
  const disputes = {
    open: async (_project: string, customer: string, day: string) => void opened.push(`${customer} ${day}`),
  };
  const input = { project: PROJECT, days, cursor, stopAt: instantFromMillis(at.world.millis + millis) };
  const results: ReconciledUsage[] = [];
  await at.run(reconcileUsage(input, { ...at.deps, disputes }).then((result) => void results.push(result)));
  return { opened, ...results[0] };
}

test('a view that does not say what the log says is disputed, and right ones are not', async () => {
  const at = await world(['bob']);
  const found = await reconciled(at);
  expect(found).toMatchObject({ opened: ['bob 20261121'], views: 3, unprovable: 0, cursor: null });
  expect(found.findings).toMatchObject([
    { customer: 'bob', differences: [{ meter: 'calls', view: '"2"', log: '"1"' }] },
  ]);
});

test('only what is asked for is looked at', async () => {
  const at = await world(['ada', 'bob']);
  const days = [
    { customer: 'bob', day: '20261120' },
    { customer: 'ada', day: '20261121' },
  ];
  expect((await reconciled(at, { days })).opened).toEqual(['ada 20261121']);
});

test('stops when its time is up, and goes on behind what it has looked at', async () => {
  const at = await world(['ada', 'cid']);
  // More days of customers than one pass over the log counts.
  const many = Array.from({ length: 2_000 }, (_, n) => ({
    customer: `z${String(n).padStart(4, '0')}`,
    day: '20261121',
  }));
  const days = [...THE_21ST, ...many, ...CUSTOMERS.map((customer) => ({ customer, day: '20261122' }))];
  const first = await reconciled(at, { days, millis: 0 });
  expect(first).toMatchObject({ opened: ['ada 20261121', 'cid 20261121'], cursor: '20261121/z1996', views: 3 });
  const second = await reconciled(at, { days, millis: 600_000, cursor: first.cursor ?? null });
  expect(second).toMatchObject({ opened: [], views: 0, cursor: null });
});

test('counts many days and customers in groups, each once', async () => {
  const at = await world(['cid']);
  const days: CustomerDay[] = [];
  for (let i = 1; i <= 30; i++) {
    const day = `202611${String(i).padStart(2, '0')}`;
    for (let n = 0; n < 150; n++) days.push({ customer: `c${String(n).padStart(3, '0')}`, day });
    if (day === '20261121') days.push(...THE_21ST);
  }
  expect(await reconciled(at, { days })).toMatchObject({ opened: ['cid 20261121'], views: 3, cursor: null });
});

test('the sample gives each customer a turn within so many days', async () => {
  const customers = { list: async () => ({ items: CUSTOMERS as CustomerId[], cursor: null }) };
  const turns: string[] = [];
  for (let day = 0; day < 3; day++) {
    const nowMillis = Date.UTC(2026, 10, 23, 0, 30) + day * DAY;
    const sample = await sampledDays({ project: PROJECT, oneIn: 3, nowMillis }, { customers });
    expect(new Set(sample.map((one) => one.day))).toEqual(new Set(sample.length > 0 ? [`202611${21 + day}`] : []));
    turns.push(...sample.map(({ customer }) => customer));
  }
  expect(turns.sort()).toEqual(CUSTOMERS);
});
