import { describe, expect, test } from 'vitest';
import type { LoggedEvent } from '../../../core/usage/chunk.ts';
import { VIEW_LIMITS } from '../../../core/usage/fold-view.ts';
import type { UsageViews } from '../../../core/usage/ports.ts';
import { type DayOfCustomers, type RebuildDeps, rebuildDay } from '../../../core/usage/rebuild-day.ts';
import type { UsageView } from '../../../core/usage/usage-view.ts';
import { Random } from '../../faults/random.ts';
import { RecountWorld, reconciledDays } from '../../support/recount-world.ts';
import { logged, METERS, NOW_MILLIS, PARTITION, PROJECT } from '../../support/usage-fixtures.ts';

const PARTITIONS = ['0.2026112102', PARTITION];
const DAYS = ['20261120', '20261121'];
const CUSTOMERS = ['ada', 'bob'];
const ALL_DAYS = DAYS.flatMap((day) => CUSTOMERS.map((customer) => ({ customer, day })));
const dayOf = (day: string): DayOfCustomers => ({ project: PROJECT, day, customers: CUSTOMERS });

function traffic(random: Random, from: number): LoggedEvent[] {
  return Array.from({ length: 1 + random.below(4) }, (_, i) =>
    logged({
      id: `order-${from + i}`,
      customer: random.pick(CUSTOMERS),
      occurredAtMicros: (NOW_MILLIS - random.below(30) * 900_000) * 1000,
      properties: {
        region: random.pick(['eu', 'us']),
        model: random.pick(['small', 'large']),
        tokens: random.pick(['1', '2.50', '2.5', '-3']),
      },
    }),
  );
}

async function appendSome(at: RecountWorld, chunks: number, from: number): Promise<void> {
  for (let i = 0; i < chunks; i++) await at.append(at.random.pick(PARTITIONS), traffic(at.random, from + i * 10));
}

/** What all views say, whatever their layout. */
function contents(at: RecountWorld) {
  return at.world.database.items('UsageViews').filter((item) => item.pk?.S?.includes('#usage#'));
}

/** Adds a call that never was to some items. */
async function tamper(at: RecountWorld): Promise<void> {
  for (const day of DAYS) {
    for (const customer of CUSTOMERS) {
      for (const stored of await at.deps.views.readViews(PROJECT, customer, day, day)) {
        const { calls } = stored.view.meters;
        if (calls === undefined || at.random.chance(0.3)) continue;
        const dimensions = { ...calls.dimensions, '["eu"]': { 7: '1000' } };
        const view = { ...stored.view, meters: { ...stored.view.meters, calls: { ...calls, dimensions } } };
        await at.deps.views.writeView({ ...stored, view });
      }
    }
  }
}

type Plant = (deps: RebuildDeps) => RebuildDeps;

/** Rebuilds tampered views while events come in and are folded; answers what is wrong in the end. */
async function schedule(seed: number, plant: Plant = (deps) => deps): Promise<unknown[]> {
  const at = new RecountWorld(new Random(seed), [METERS]);
  await at.run(appendSome(at, 4, 0));
  await at.run(at.foldSome(2));
  await at.run(tamper(at));
  const rebuilding = async () => {
    for (const day of DAYS) await rebuildDay(dayOf(day), plant({ ...at.worker(), ...REBUILDING }));
  };
  await at.run(rebuilding(), appendSome(at, 4, 100), at.foldSome(4), at.foldSome(4));
  await at.run(at.fold());
  const wrong: unknown[] = [];
  const checking = async () => {
    wrong.push(...(await reconciledDays(ALL_DAYS, at.deps)).findings);
  };
  await at.run(checking());
  return wrong;
}

/** What a rebuild needs besides what folds. */
const NO_DISPUTES = { openDays: async () => [], settle: async () => {} };
const REBUILDING = { isPriced: () => true, disputes: NO_DISPUTES };
const SCHEDULES_MILLIS = 60_000;

describe('rebuilding a day in place', () => {
  test(
    'equals the incremental view whatever comes in and is folded meanwhile',
    async () => {
      for (let seed = 1; seed <= 40; seed++) expect(await schedule(seed), `seed ${seed}`).toEqual([]);
    },
    SCHEDULES_MILLIS,
  );

  test(
    'would lose or double usage without the version in its write',
    async () => {
      const unguarded: Plant = (deps) => ({ ...deps, views: { ...deps.views, writeView: overwrite(deps.views) } });
      const red: number[] = [];
      for (let seed = 1; seed <= 60 && red.length === 0; seed++) {
        const wrong = await schedule(seed, unguarded).catch((error: unknown) => [error]);
        if (wrong.length > 0) red.push(seed);
      }
      expect(red.length).toBeGreaterThan(0);
    },
    SCHEDULES_MILLIS,
  );
});

function overwrite(views: RebuildDeps['views']): UsageViews['writeView'] {
  return async (stored) => {
    const { customer, day, project } = stored.key;
    const items = await views.readViews(project, customer, day, day);
    const version = items.find(({ key }) => key.part === stored.key.part)?.version ?? 0;
    return views.writeView({ ...stored, version });
  };
}

describe('holding views against the log', () => {
  test(
    'finds nothing in right views while events come in and are folded',
    async () => {
      for (let seed = 1; seed <= 25; seed++) {
        const at = new RecountWorld(new Random(seed), [METERS]);
        await at.run(appendSome(at, 3, 0));
        const found: unknown[] = [];
        const looking = async () => {
          for (let i = 0; i < 2; i++) found.push(...(await reconciledDays(ALL_DAYS, at.worker())).findings);
        };
        await at.run(at.foldSome(4), at.foldSome(3), appendSome(at, 4, 100), looking());
        expect(found, `seed ${seed}`).toEqual([]);
        expect(contents(at).length).toBeGreaterThan(0);
      }
    },
    SCHEDULES_MILLIS,
  );
});

describe('a day that is not what the log says', () => {
  const DAY = '20261121';
  const readDay = (at: RecountWorld) => at.deps.views.readViews(PROJECT, 'ada', DAY, DAY);

  async function counted(): Promise<RecountWorld> {
    const at = new RecountWorld(new Random(7), [METERS], VIEW_LIMITS);
    const first = logged({ id: 'a', properties: { region: 'eu', model: 'small', tokens: '2' } });
    await at.run(at.append(PARTITION, [first]), at.append('0.2026112102', [{ ...first, id: 'b' }]));
    await at.run(at.fold());
    return at;
  }

  async function reconciled(at: RecountWorld) {
    const found: Awaited<ReturnType<typeof reconciledDays>>[] = [];
    const days = CUSTOMERS.map((customer) => ({ customer, day: DAY }));
    await at.run(reconciledDays(days, at.deps).then((result) => void found.push(result)));
    return found[0];
  }

  async function rebuilt(at: RecountWorld) {
    const found: Awaited<ReturnType<typeof rebuildDay>>[] = [];
    await at.run(rebuildDay(dayOf(DAY), { ...at.deps, ...REBUILDING }).then((result) => void found.push(result)));
    return found[0];
  }

  /** Writes the day's first item anew, changed. */
  async function change(at: RecountWorld, edit: (view: UsageView) => UsageView): Promise<void> {
    const changing = async () => {
      const [stored] = await readDay(at);
      if (stored !== undefined) await at.deps.views.writeView({ ...stored, view: edit(stored.view) });
    };
    await at.run(changing());
  }

  test('is told with meter, dimensions, quarter hour and both sides, and mended without a new version line', async () => {
    const at = await counted();
    await change(at, (view) => {
      const calls = { aggregation: 'count' as const, names: ['region'], dimensions: { '["eu"]': { 12: '3' } } };
      return { ...view, meters: { ...view.meters, calls } };
    });
    const difference = { part: '', meter: 'calls', dimensionKey: '["eu"]', quarter: 12, view: '"3"', log: '"2"' };
    const finding = { customer: 'ada', day: DAY, differences: [difference], uncounted: [] };
    expect((await reconciled(at))?.findings).toEqual([finding]);
    const [before] = await new Promise<Awaited<ReturnType<typeof readDay>>>((resolve, reject) => {
      at.run(readDay(at).then(resolve, reject)).catch(reject);
    });
    expect(await rebuilt(at)).toEqual({ views: 1, mended: ['ada'], refused: [] });
    expect((await reconciled(at))?.findings).toEqual([]);
    const versions = at.world.database.items('UsageViews').filter((item) => item.pk?.S === `${PROJECT}#usage#ada`);
    expect(versions.map((item) => item.v?.N)).toEqual([String((before?.version ?? 0) + 1)]);
    expect(await rebuilt(at)).toEqual({ views: 1, mended: [], refused: [] });
  });

  test('that lost what the fold cursor has passed is told and gets it back', async () => {
    const at = await counted();
    await change(at, (view) => ({ ...view, cursors: {}, meters: {} }));
    const uncounted = ['0.2026112102', PARTITION].map((partition) => ({ partition, sequence: 1, readings: 5 }));
    expect((await reconciled(at))?.findings).toMatchObject([{ customer: 'ada', uncounted }]);
    expect((await rebuilt(at))?.mended).toEqual(['ada']);
    expect((await reconciled(at))?.findings).toEqual([]);
  });

  test('stays as it is when the log no longer holds a partition its cursors name', async () => {
    const at = await counted();
    await change(at, (view) => ({ ...view, cursors: { ...view.cursors, '0.2026080102': 3 } }));
    expect(await rebuilt(at)).toMatchObject({ mended: [], refused: [{ customer: 'ada', code: 'log_incomplete' }] });
    expect(await reconciled(at)).toMatchObject({ findings: [], unprovable: [{ customer: 'ada' }] });
  });

  test('is marked as late when it is mended after its end, so that a bill of it is looked at again', async () => {
    const at = await counted();
    at.world.millis = NOW_MILLIS + 2 * 86_400_000;
    await change(at, (view) => ({ ...view, meters: {} }));
    await rebuilt(at);
    const late = at.world.database.items('UsageViews').filter((item) => item.sk?.S === `late#${DAY}`);
    expect(late.map((item) => item.pk?.S)).toEqual([`${PROJECT}#usage#ada`]);
  });
});
