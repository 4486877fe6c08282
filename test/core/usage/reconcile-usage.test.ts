import { expect, test } from 'vitest';
import type { CustomerId } from '../../../core/ids.ts';
import { instantFromMillis, parseInstant } from '../../../core/time/instant.ts';
import { VIEW_LIMITS } from '../../../core/usage/fold-view.ts';
import { placementHash } from '../../../core/usage/log-partition.ts';
import { type ReconcileUsageDeps, reconcileUsage } from '../../../core/usage/reconcile-usage.ts';
import { Random } from '../../faults/random.ts';
import { RecountWorld } from '../../support/recount-world.ts';
import { logged, METERS, NOW_MILLIS, PARTITION, PROJECT } from '../../support/usage-fixtures.ts';

const DAY = 86_400_000;
const CUSTOMERS = ['ada', 'bob', 'cid'];

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

async function reconciled(
  at: RecountWorld,
  change: Partial<ReconcileUsageDeps & { oneIn: number; stopMillis: number }>,
) {
  const opened: string[] = [];
  const deps: ReconcileUsageDeps = {
    ...at.deps,
    customers: { list: async () => ({ items: CUSTOMERS as CustomerId[], cursor: null }) },
    due: async function* () {},
    disputes: { open: async (_project, customer, day) => void opened.push(`${customer} ${day}`) },
    ...change,
  };
  const input = {
    ...{ project: PROJECT, oneIn: change.oneIn ?? 1, billedUntil: instantFromMillis(at.world.millis) },
    stopAt: instantFromMillis(change.stopMillis ?? at.world.millis + 600_000),
  };
  const results: Awaited<ReturnType<typeof reconcileUsage>>[] = [];
  await at.run(reconcileUsage(input, deps).then((result) => void results.push(result)));
  return { opened, ...results[0] };
}

test('a view that does not say what the log says is disputed, and right ones are not', async () => {
  const at = await world(['bob']);
  const found = await reconciled(at, {});
  expect(found).toMatchObject({ opened: ['bob 20261121'], views: 3, isWhole: true });
  expect(found.findings).toMatchObject([
    { customer: 'bob', differences: [{ meter: 'calls', view: '"2"', log: '"1"' }] },
  ]);
});

test('everybody who is about to be billed is looked at, on every unbilled day, whoever is in the sample', async () => {
  const at = await world(['ada', 'bob']);
  const due = async function* () {
    yield [{ customer: 'ada', from: parseInstant('2026-11-01T00:00:00Z') }];
    yield [{ customer: 'bob', from: parseInstant('2026-11-22T00:00:00Z') }];
  };
  const nobody = { list: async () => ({ items: [], cursor: null }) };
  expect((await reconciled(at, { due, customers: nobody })).opened).toEqual(['ada 20261121']);
});

test('the sample gives each customer a turn within so many days', async () => {
  const at = await world(CUSTOMERS);
  const turns: string[] = [];
  for (let day = 0; day < 3; day++) {
    // The day that is looked at is the one before yesterday, so every turn is played on the 23rd's views.
    const today = Math.floor(at.world.millis / DAY) + day;
    const due = CUSTOMERS.filter((customer) => placementHash(customer) % 3 === today % 3);
    turns.push(...due);
  }
  expect(turns.sort()).toEqual(CUSTOMERS);
  const today = Math.floor(at.world.millis / DAY);
  const expected = CUSTOMERS.filter((customer) => placementHash(customer) % 3 === today % 3);
  expect((await reconciled(at, { oneIn: 3 })).opened).toEqual(expected.map((customer) => `${customer} 20261121`));
});

test('says so when the time was up before everything had been looked at', async () => {
  const at = await world(['ada']);
  expect(await reconciled(at, { stopMillis: NOW_MILLIS })).toMatchObject({ opened: [], isWhole: false });
});
