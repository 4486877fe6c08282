import { expect, test } from 'vitest';
import type { BillingRunId, ProjectId } from '../../../core/ids.ts';
import type { BillingRun, SettledUsage } from '../../../core/invoicing/billing-run.ts';
import type { BillingReads, BillingRuns } from '../../../core/invoicing/ports.ts';
import { reportOf } from '../../../core/invoicing/run-report.ts';
import { settleRun } from '../../../core/invoicing/settle-run.ts';
import { parseInstant } from '../../../core/time/instant.ts';

const now = parseInstant('2026-12-01T01:00:00Z');
const project = 'prj_demo' as ProjectId;
const run = 'run_1' as BillingRunId;

/** Settles in one step for each of the answers and gives back the run's last note. */
async function noted(steps: readonly boolean[], waiting: { queued: number; deadLettered: number }) {
  let note: SettledUsage | null = null;
  const runs = {
    find: async () => ({ settled: note }),
    settled: async (_project: ProjectId, _run: BillingRunId, settled: SettledUsage) => {
      note = settled;
    },
  } as unknown as BillingRuns;
  const reads = { dueSubscriptions: async function* () {} } as unknown as BillingReads;
  for (const [i, done] of steps.entries()) {
    const settle = async () => ({ done, cursor: done ? null : String(i), partitions: 2, foldedEvents: 5 });
    const cursor = i === 0 ? null : String(i);
    await settleRun(
      { project, run, asOf: now, cursor, budgetMillis: 1000 },
      { reads, runs, settle, parked: async () => 1, queues: async () => waiting, clock: { now: () => now } },
    );
  }
  return note;
}

function warningsWith(settled: SettledUsage): readonly string[] {
  const billed: BillingRun = {
    id: run,
    project,
    asOf: now,
    through: null,
    reason: 'schedule',
    status: 'running',
    startedAt: now,
    finishedAt: null,
    settled,
    reconciled: { views: 4, disputedDays: 0, unprovableDays: 0 },
    planned: { accounts: 0, invoices: 0 },
    report: null,
  };
  return reportOf({ run: billed, rows: [], outcomes: new Map(), unpushed: 0, error: null }).warnings;
}

test('a run notes what still waits in the queues once everything else is settled', async () => {
  expect(await noted([false, true], { queued: 7, deadLettered: 2 })).toEqual({
    partitions: 4,
    foldedEvents: 10,
    parked: 1,
    queued: 7,
    deadLettered: 2,
  });
});

test('a report warns of each place where usage waits, and of none that is empty', () => {
  const empty = { partitions: 1, foldedEvents: 1, parked: 0, queued: 0, deadLettered: 0 };
  expect(warningsWith(empty)).toEqual([]);
  const [queue, dead] = warningsWith({ ...empty, queued: 7, deadLettered: 2 });
  expect(queue).toContain('About 7 usage messages of all projects waited in the queue');
  expect(dead).toContain('About 2 usage messages of all projects waited in the dead-letter queue');
  // notes of runs from before the queues were looked at
  expect(warningsWith({ partitions: 1, foldedEvents: 1, parked: 0 } as SettledUsage)).toEqual([]);
});
