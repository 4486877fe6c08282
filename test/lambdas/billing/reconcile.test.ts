import { expect, test } from 'vitest';
import type { ProjectId } from '../../../core/ids.ts';
import { instantFromMillis } from '../../../core/time/instant.ts';
import { handle as reconcileUsage } from '../../../lambdas/billing/reconcile-usage.ts';
import { handle as reconcileSample } from '../../../lambdas/usage/reconcile-sample.ts';

const PROJECT = 'prj_demo' as ProjectId;
const FINDING = { customer: 'ada', day: '20261121', differences: [], uncounted: [] };

/** What rings and what is logged. */
function telling() {
  const rung: [string, number][] = [];
  const logged: [string, unknown][] = [];
  return {
    rung,
    logged,
    metrics: {
      addMetric: (name: string, _unit: string, value: number) => void rung.push([name, value]),
      publishStoredMetrics: () => {},
    } as never,
    logger: { error: (message: string, more: unknown) => void logged.push([message, more]) } as never,
  };
}

test('what a run finds rings, is logged with the customer and the day, and is noted on the run', async () => {
  const told = telling();
  const notes: unknown[] = [];
  const answer = await reconcileUsage({
    ...told,
    reads: { dueSubscriptions: async function* () {} },
    looks: { due: async () => [] },
    usage: { lateDays: async () => [] },
    runs: { reconciled: async (_project, _run, views) => void notes.push(views) },
    reconcile: async () => ({ views: 3, findings: [FINDING], unprovable: 2, cursor: null }),
    clock: { now: () => instantFromMillis(Date.UTC(2026, 11, 1, 1)) },
  })({ project_id: PROJECT, run_id: 'run_1', as_of: '2026-12-01T01:00:00.000Z', cursor: null });
  expect(answer).toEqual({ done: true, cursor: null, views: 3, disputed_days: 1 });
  expect(notes).toEqual([{ views: 3, disputedDays: 1, unprovableDays: 2 }]);
  expect(told.rung).toEqual([['DisputedDays', 1]]);
  expect(told.logged).toEqual([
    ['views do not agree with the log', { project: PROJECT, finding: JSON.stringify(FINDING) }],
  ]);
});

test('a sample that cannot be looked at rings too, and says which project', async () => {
  const told = telling();
  const broken = () => Promise.reject(new Error('away'));
  const answer = await reconcileSample({
    ...told,
    projects: { list: async () => [{ id: PROJECT }] as never },
    customers: { list: broken },
    oneIn: 7,
    disputes: { open: broken },
    clock: { now: () => instantFromMillis(Date.UTC(2026, 11, 1, 0, 30)) },
    // Never reached.
    ...{ log: {} as never, meters: {} as never, views: {} as never, registry: {} as never },
  })();
  expect(answer).toEqual({ views: 0, disputed: 0, unfinished: 1 });
  expect(told.rung).toEqual([['DisputedDays', 1]]);
  expect(told.logged).toMatchObject([['usage not reconciled', { project: PROJECT }]]);
});
