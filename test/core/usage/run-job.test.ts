import { describe, expect, test } from 'vitest';
import { invalid } from '../../../core/errors.ts';
import type { JobId } from '../../../core/ids.ts';
import { runJob } from '../../../core/usage/run-job.ts';
import { startJob } from '../../../core/usage/start-job.ts';
import type { JobWork, StoredJob } from '../../../core/usage/usage-job.ts';
import { clockAt, NOW_MILLIS, PROJECT } from '../../support/usage-fixtures.ts';

function world(work: JobWork) {
  const items = new Map<string, StoredJob>();
  const sent: { id: JobId; delaySeconds: number }[] = [];
  const deps = {
    jobs: {
      create: async (job: StoredJob['job']) => {
        if (items.has(job.id)) return 'taken' as const;
        items.set(job.id, { job, version: 1 });
        return 'stored' as const;
      },
      find: async (_project: string, id: JobId) => items.get(id),
      save: async ({ job, version }: StoredJob) => {
        if (items.get(job.id)?.version !== version) return 'refused' as const;
        items.set(job.id, { job, version: version + 1 });
        return 'stored' as const;
      },
    },
    jobQueue: { send: async ({ id }: { id: JobId }, delaySeconds: number) => void sent.push({ id, delaySeconds }) },
    works: { rebuild: work, backfill: work, void_events: work },
    clock: clockAt(NOW_MILLIS),
  };
  const progress = { done: 0, total: 2, unit: 'days' };
  const request = { project: PROJECT, kind: 'rebuild' as const, input: { from: 'a' }, by: 'key_1', progress };
  return {
    sent,
    deps,
    start: (requestKey?: string) => startJob({ ...request, requestKey }, deps),
    step: (id: JobId) => runJob({ project: PROJECT, id, budgetMillis: 1000 }, deps),
    job: (id: JobId) => items.get(id)?.job,
    touch: (id: JobId) => {
      const stored = items.get(id);
      if (stored !== undefined) items.set(id, { ...stored, version: stored.version + 1 });
    },
  };
}

const done = (at: number): Awaited<ReturnType<JobWork>> => ({
  done: at === 2,
  cursor: String(at),
  progress: { done: at, total: 2, unit: 'days' },
  report: { seen: at },
});

describe('a job', () => {
  test('goes on step by step from where the step before stopped, and ends', async () => {
    const at = world(async ({ cursor }) => done(Number(cursor) + 1));
    const { id } = await at.start();
    expect(await at.step(id)).toMatchObject({ status: 'running', progress: { done: 1 } });
    expect(await at.step(id)).toMatchObject({ status: 'finished', report: { seen: 2 }, error: null });
    expect(at.sent).toEqual([
      { id, delaySeconds: 0 },
      { id, delaySeconds: 0 },
    ]);
    expect(await at.step(id)).toBeNull();
  });

  test('is one job for one request key, and another for another', async () => {
    const at = world(async () => done(2));
    const first = await at.start('r-1');
    expect((await at.start('r-1')).id).toBe(first.id);
    expect((await at.start('r-2')).id).not.toBe(first.id);
  });

  test('leaves the rest to the step that wrote first', async () => {
    const at = world(async (job) => {
      at.touch(job.id);
      return done(1);
    });
    const { id } = await at.start();
    expect(await at.step(id)).toBeNull();
    expect(at.sent).toHaveLength(1);
  });

  test('says what a step ran into and is tried again', async () => {
    const at = world(async () => Promise.reject(new Error('throttled')));
    const { id } = await at.start();
    await expect(at.step(id)).rejects.toThrow('throttled');
    expect(at.job(id)).toMatchObject({ status: 'running', error: { code: 'internal_error' } });
  });

  test('ends as failed with the reason when trying again cannot help', async () => {
    const at = world(async () => Promise.reject(invalid('span_invalid', 'backwards')));
    const { id } = await at.start();
    expect(await at.step(id)).toMatchObject({
      status: 'failed',
      error: { code: 'span_invalid', message: 'backwards' },
    });
  });

  test('waits for its next step at most as long as the queue can', async () => {
    const at = world(async () => ({ ...done(1), waitSeconds: 2_000 }));
    const { id } = await at.start();
    await at.step(id);
    expect(at.sent[1]).toEqual({ id, delaySeconds: 900 });
  });
});
