import * as z from 'zod';
import { type Meter, meterRequestSchema, meterSchema } from '../../../core/catalog/meter.ts';
import type { MeterStore } from '../../../core/catalog/ports.ts';
import { writeMeter } from '../../../core/catalog/write-meter.ts';
import { notFound } from '../../../core/errors.ts';
import { startBackfill } from '../../../core/usage/backfill-meter.ts';
import type { StartJobDeps } from '../../../core/usage/start-job.ts';
import { jsonAnswer } from '../../shared/http.ts';
import { type Route, route } from '../route.ts';

const meterAnswer = meterSchema.extend({ revision: z.int() });
const writtenAnswer = meterAnswer.extend({
  backfillJob: z
    .string()
    .optional()
    .meta({ description: 'The job that counts past events, of a meter that looks back.' }),
});
const EXAMPLE = {
  key: 'tokens',
  name: 'Tokens',
  event_type: 'llm_request',
  aggregation: 'sum',
  value: 'tokens',
  dimensions: ['model'],
  unit: 'tokens',
};

export interface MeterDeps extends StartJobDeps {
  readonly meters: MeterStore;
}

export function meterRoutes(deps: MeterDeps): readonly Route[] {
  return [createMeter(deps), listMeters(deps), getMeter(deps)];
}

function createMeter(deps: MeterDeps): Route {
  return route({
    method: 'POST',
    path: '/v1/meters',
    scope: 'write',
    isCreating: true,
    docs: {
      tag: 'Catalog',
      summary: 'Create a meter, rename one, or change from when on it counts otherwise',
      description:
        'Every write makes a new immutable revision of the meters of the project. `name` and `unit` of an existing meter may change at any time. `event_type`, `value`, `filter` and `dimension_expressions` may change, and `dimensions` be added, with `effective_at`: events that occurred from then on are counted anew, those before as before. `aggregation`, `rounding` and `reset` never change (409 `meter_fixed`). A new meter with `backfill_from` also counts the events that occurred from then on and were accepted before there was the meter, as far as another meter took them: a job (`backfill_job`) adds them within about 35 minutes and the time it takes to read the log. Ingest sees a new meter within 30 s at the latest.',
      bodyShown: meterRequestSchema,
      answers: { 201: writtenAnswer, 200: writtenAnswer },
      errors: ['meter_invalid', 'meter_fixed', 'meters_too_large', 'write_contended'],
      example: EXAMPLE,
    },
    async handle({ project, principal, body }) {
      const { meter, revision, outcome } = await writeMeter({ project, meter: body }, deps);
      // Also when the meter is there: the request before may have ended between the two.
      const job = await startBackfill({ project, meter, by: principal.keyId }, deps);
      const answer = { ...meter, revision, ...(job !== null && { backfillJob: job.id }) };
      return jsonAnswer(outcome === 'created' ? 201 : 200, answer);
    },
  });
}

function listMeters(deps: { meters: MeterStore }): Route {
  return route({
    method: 'GET',
    path: '/v1/meters',
    scope: 'read',
    docs: {
      tag: 'Catalog',
      summary: 'List all meters of the newest revision (at most 200, on one page)',
      answers: {
        200: z.object({ data: z.array(meterAnswer), nextCursor: z.null(), revision: z.int() }),
      },
    },
    async handle({ project }) {
      const { revision, meters } = await deps.meters.newest(project, 'fresh');
      return jsonAnswer(200, {
        data: meters.map((meter: Meter) => ({ ...meter, revision })),
        nextCursor: null,
        revision,
      });
    },
  });
}

function getMeter(deps: { meters: MeterStore }): Route {
  return route({
    method: 'GET',
    path: '/v1/meters/{key}',
    scope: 'read',
    docs: {
      tag: 'Catalog',
      summary: 'Get a meter',
      answers: { 200: meterAnswer },
      errors: ['meter_not_found'],
    },
    async handle({ project, params }) {
      const { revision, meters } = await deps.meters.newest(project, 'fresh');
      const meter = meters.find(({ key }) => key === params.key);
      if (!meter) throw notFound('meter_not_found', `No meter ${(params.key ?? '').slice(0, 64)} in this project.`);
      return jsonAnswer(200, { ...meter, revision });
    },
  });
}
