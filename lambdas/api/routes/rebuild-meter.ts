import * as z from 'zod';
import type { MeterStore } from '../../../core/catalog/ports.ts';
import { notFound } from '../../../core/errors.ts';
import { startRebuild } from '../../../core/usage/rebuild-views.ts';
import { jsonAnswer } from '../../shared/http.ts';
import { type Route, route } from '../route.ts';
import { externalIdText, instantOfText, timeText } from '../schemas.ts';
import { type JobDeps, jobAnswer, shownJob } from './jobs.ts';

const body = z.strictObject({
  from: timeText.optional(),
  to: timeText.optional(),
  customers: z
    .array(externalIdText)
    .min(1)
    .max(100, { error: 'expected at most 100 customers; leave the field out for all' })
    .optional(),
});

/** `POST /v1/meters/{key}/rebuild`: the views of a meter counted again from the log. */
export function rebuildMeterRoute(deps: JobDeps & { readonly meters: MeterStore }): Route {
  return route({
    method: 'POST',
    path: '/v1/meters/{key}/rebuild',
    scope: 'admin',
    isCreating: true,
    body,
    docs: {
      tag: 'Usage',
      summary: 'Count the views of a meter again from the log',
      description:
        'Starts a job; read it at `GET /v1/jobs/{id}` until its status is `finished`. Each UTC day that holds any instant from `from` to `to` (by default everything whose log is there, up to now) is counted again, for the customers named or for all, while usage goes on being counted. A view holds all meters of a customer and day, so what else is wrong in it is put right too. A day that has ended is marked, and the next billing run turns what changed into adjustments. A day whose log has expired stays as it is: `report.refused` says which and why.',
      answers: { 202: jobAnswer },
      errors: ['meter_not_found', 'span_invalid'],
      example: { from: '2026-11-20T00:00:00Z', to: '2026-11-22T00:00:00Z', customers: ['ada'] },
    },
    async handle({ project, params, principal, idempotencyKey, body: { from, to, customers } }) {
      const { meters } = await deps.meters.newest(project, 'fresh');
      const key = params.key ?? '';
      if (!meters.some((meter) => meter.key === key))
        throw notFound('meter_not_found', `No meter ${key.slice(0, 64)} in this project.`);
      const instant = (text: string | undefined) => (text === undefined ? undefined : instantOfText(text));
      const span = { from: instant(from), to: instant(to) };
      const asked = { project, meter: key, ...span, customers, by: principal.keyId, requestKey: idempotencyKey };
      return jsonAnswer(202, shownJob(await startRebuild(asked, deps)));
    },
  });
}
