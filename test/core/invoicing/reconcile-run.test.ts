import { expect, test } from 'vitest';
import type { Subscription } from '../../../core/accounts/subscription.ts';
import type { BillingRunId, ProjectId } from '../../../core/ids.ts';
import type { BillingRun, ReconciledViews } from '../../../core/invoicing/billing-run.ts';
import { type ReconcileRunDeps, reconcileRun } from '../../../core/invoicing/reconcile-run.ts';
import { reportOf } from '../../../core/invoicing/run-report.ts';
import { parseInstant } from '../../../core/time/instant.ts';

const asOf = parseInstant('2026-12-01T01:00:00Z');
const project = 'prj_demo' as ProjectId;
const run = 'run_1' as BillingRunId;

interface World {
  /** Customer and billed through. */
  readonly due?: readonly (readonly [string, string])[];
  readonly looks?: readonly string[];
  readonly late?: Readonly<Record<string, readonly string[]>>;
  readonly now?: string;
}

/** Runs the step `cursors.length` times and answers the days it was about, and the last note on the run. */
async function reconciled(
  { due = [], looks = [], late = {}, now = '2026-12-01T01:10:00Z' }: World,
  stops: readonly (string | null)[] = [null],
) {
  const days: string[][] = [];
  const cursors: (string | null)[] = [];
  const notes: ReconciledViews[] = [];
  const deps = (next: string | null): ReconcileRunDeps => ({
    reads: {
      dueSubscriptions: async function* () {
        yield due.map(([customer, through]) => ({ customer, billedThrough: parseInstant(through) }) as Subscription);
      },
    },
    looks: { due: async () => looks },
    usage: { lateDays: async (_project, customer) => late[customer] ?? [] },
    runs: { reconciled: async (_project, _run, views) => void notes.push(views) },
    reconcile: async (input) => {
      cursors.push(input.cursor);
      days.push([...input.days].map(({ customer, day }) => `${day} ${customer}`));
      return { views: 5, disputedDays: 1, unprovableDays: 2, cursor: next };
    },
    clock: { now: () => parseInstant(now) },
  });
  let cursor: string | null = null;
  const steps = [];
  for (const next of stops) {
    const input = { project, run, asOf, cursor, budgetMillis: 1000 };
    // Each call twice, as when its answer was lost.
    await reconcileRun(input, deps(next));
    const step = await reconcileRun(input, deps(next));
    steps.push(step);
    cursor = step.cursor;
  }
  return { days: days[0] ?? [], note: notes.at(-1), steps, cursors };
}

test('every day of a customer since it was billed, by day and then by customer, up to the instant the run looks from', async () => {
  const { days } = await reconciled({
    due: [
      ['bob', '2026-11-29T00:00:00Z'],
      ['ada', '2026-11-30T13:00:00Z'],
      ['bob', '2026-11-30T00:00:00Z'],
    ],
  });
  expect(days).toEqual(['20261129 bob', '20261130 ada', '20261130 bob', '20261201 ada', '20261201 bob']);
});

test('earlier days that received usage since, of those who are billed and of those who are only looked at', async () => {
  const { days } = await reconciled({
    due: [['ada', '2026-12-01T00:00:00Z']],
    looks: ['cid/USD', 'ada/EUR'],
    late: { ada: ['20261030', '20261201', '20261202'], cid: ['20261111'], bob: ['20261112'] },
  });
  expect(days).toEqual(['20261030 ada', '20261111 cid', '20261201 ada']);
});

test('of days before the log began only those that were filled later and have not been billed', async () => {
  const { days } = await reconciled({
    due: [['ada', '2023-11-01T00:00:00Z']],
    late: { ada: ['20231105', '20231031'] },
    now: '2026-12-01T01:10:00Z',
  });
  expect(days[0]).toBe('20231105 ada');
  // 80 days of log before today.
  expect(days[1]).toBe('20260913 ada');
  expect(days.at(-1)).toBe('20261201 ada');
});

test('a step adds to what the steps before found, and repeated it adds nothing', async () => {
  const { steps, note, cursors } = await reconciled({}, ['20261130/ada', null]);
  expect(steps).toMatchObject([
    { done: false, views: 5 },
    { done: true, views: 10, cursor: null },
  ]);
  expect(cursors).toEqual([null, null, '20261130/ada', '20261130/ada']);
  expect(note).toEqual({ views: 10, disputedDays: 2, unprovableDays: 4 });
});

test("the run's report warns of days in dispute, of days nothing can be said of, and when nobody looked", () => {
  const warnings = (views: ReconciledViews | null) => {
    const settled = { partitions: 1, foldedEvents: 1, parked: 0, queued: 0, deadLettered: 0 };
    const billed = { id: run, project, asOf, settled, reconciled: views, planned: null } as BillingRun;
    return reportOf({ run: billed, rows: [], outcomes: new Map(), unpushed: 0, error: null }).warnings.join();
  };
  expect(warnings({ views: 3, disputedDays: 0, unprovableDays: 0 })).toBe('');
  expect(warnings({ views: 3, disputedDays: 2, unprovableDays: 0 })).toContain('On 2 days');
  expect(warnings({ views: 3, disputedDays: 0, unprovableDays: 4 })).toContain('4 days of customers could not');
  expect(warnings(null)).toContain('not held against the log');
});
