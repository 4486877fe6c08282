import * as z from 'zod';
import { notFound } from '../../../core/errors.ts';
import type { JobId } from '../../../core/ids.ts';
import type { StartJobDeps } from '../../../core/usage/start-job.ts';
import type { JobStore, UsageJob } from '../../../core/usage/usage-job.ts';
import { jsonAnswer } from '../../shared/http.ts';
import { pageOf, type Route, route } from '../route.ts';
import { listOf, pageQuery, timeText } from '../schemas.ts';

export interface JobDeps extends StartJobDeps {
  readonly jobs: JobStore;
}

/** A job as the API shows it. `report` and `input` are the kind's own. */
export const jobAnswer = z.object({
  id: z.string(),
  kind: z.string(),
  status: z.enum(['queued', 'running', 'finished', 'failed']),
  input: z.record(z.string(), z.unknown()),
  progress: z.object({ done: z.int(), total: z.int().nullable(), unit: z.string() }),
  report: z
    .record(z.string(), z.unknown())
    .meta({ description: 'What has been found and done so far, in the words of the kind.' }),
  error: z.object({ code: z.string(), message: z.string() }).nullable().meta({
    description: 'Why it failed; of a job that is running, what its last step ran into before it is tried again.',
  }),
  createdAt: timeText,
  updatedAt: timeText,
  finishedAt: timeText.nullable(),
});

export function shownJob({ project: _project, cursor: _cursor, by: _by, ...job }: UsageJob) {
  return job;
}

export function jobRoutes({ jobs }: Pick<JobDeps, 'jobs'>): readonly Route[] {
  return [list(jobs), getOne(jobs)];
}

function list(jobs: JobStore): Route {
  return route({
    method: 'GET',
    path: '/v1/jobs',
    scope: 'read',
    query: pageQuery,
    docs: {
      tag: 'Usage',
      summary: 'List jobs, in the order of their ids',
      answers: { 200: listOf(jobAnswer) },
      errors: ['cursor_invalid'],
    },
    async handle({ project, query }) {
      const { items, cursor } = await jobs.list(project, pageOf(query));
      return jsonAnswer(200, { data: items.map(shownJob), nextCursor: cursor });
    },
  });
}

function getOne(jobs: JobStore): Route {
  return route({
    method: 'GET',
    path: '/v1/jobs/{id}',
    scope: 'read',
    docs: {
      tag: 'Usage',
      summary: 'Get a job: how far it is, and what it found',
      answers: { 200: jobAnswer },
      errors: ['job_not_found'],
    },
    async handle({ project, params }) {
      const id = params.id ?? '';
      const found = /^job_[0-9a-z]{1,64}$/.test(id) ? await jobs.find(project, id as JobId) : undefined;
      if (found === undefined) throw notFound('job_not_found', `No job ${id.slice(0, 64)} in this project.`);
      return jsonAnswer(200, shownJob(found.job));
    },
  });
}
