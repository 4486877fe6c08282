import * as z from 'zod';
import { notFound } from '../../../core/errors.ts';
import type { BillingRunId } from '../../../core/ids.ts';
import type { BillingRuns, RunStarter } from '../../../core/invoicing/ports.ts';
import { type BillingRunList, shownRun } from '../../../core/invoicing/shown-invoice.ts';
import { startBillingRun } from '../../../core/invoicing/start-billing-run.ts';
import type { Clock } from '../../../core/time/clock.ts';
import { jsonAnswer } from '../../shared/http.ts';
import { billingRunSchema } from '../document/invoice-schema.ts';
import { pageOf, type Route, route } from '../route.ts';
import { instantOfText, listOf, pageQuery, timeText } from '../schemas.ts';

export interface BillingRunDeps {
  readonly runs: BillingRuns;
  readonly runList: BillingRunList;
  readonly starter: RunStarter;
  readonly clock: Clock;
}

export function billingRunRoutes(deps: BillingRunDeps): readonly Route[] {
  return [start(deps), list(deps), getOne(deps)];
}

function start(deps: BillingRunDeps): Route {
  const body = z.strictObject({ asOf: timeText.optional(), through: z.string().max(64).nullable().optional() });
  return route({
    method: 'POST',
    path: '/v1/billing-runs',
    scope: 'billing',
    isCreating: true,
    body,
    docs: {
      tag: 'Billing',
      summary: 'Start a billing run',
      description:
        'Bills every period that had closed at `as_of` (now when absent), grace included, and none that ends later than `through`, the key of any period (`2026-11`, `2026-11-21`, `2026-W47`, `2026-Q4`, `2026`, or two dates). Runs in the background: read it until its status is not `running`. Running twice bills nothing twice.',
      answers: { 202: billingRunSchema },
      errors: ['as_of_in_future', 'period_invalid', 'period_not_closed'],
      example: { through: '2026-11' },
    },
    async handle({ project, body: { asOf, through }, idempotencyKey }) {
      const from = asOf === undefined ? undefined : instantOfText(asOf);
      const input = { project, reason: 'request' as const, asOf: from, through, requestKey: idempotencyKey };
      return jsonAnswer(202, shownRun(await startBillingRun(input, deps), deps.clock.now()));
    },
  });
}

function list(deps: BillingRunDeps): Route {
  return route({
    method: 'GET',
    path: '/v1/billing-runs',
    scope: 'read',
    query: pageQuery,
    docs: {
      tag: 'Billing',
      summary: 'List billing runs, newest first',
      answers: { 200: listOf(billingRunSchema) },
      errors: ['cursor_invalid'],
    },
    async handle({ project, query }) {
      const { items, cursor } = await deps.runList.list(project, pageOf(query));
      return jsonAnswer(200, { data: items.map((run) => shownRun(run, deps.clock.now())), nextCursor: cursor });
    },
  });
}

function getOne(deps: BillingRunDeps): Route {
  return route({
    method: 'GET',
    path: '/v1/billing-runs/{id}',
    scope: 'read',
    docs: {
      tag: 'Billing',
      summary: 'Get a billing run and, once it has ended, its report',
      description:
        'A run whose workflow was stopped from outside, or has not ended within its 24 hours, is shown as `failed` and has no report. Start another: it goes on where this one stood.',
      answers: { 200: billingRunSchema },
      errors: ['billing_run_not_found'],
    },
    async handle({ project, params }) {
      const id = params.id ?? '';
      const found = /^run_[0-9a-z]{1,64}$/.test(id) ? await deps.runs.find(project, id as BillingRunId) : null;
      if (!found) throw notFound('billing_run_not_found', `No billing run ${id.slice(0, 64)} in this project.`);
      return jsonAnswer(200, shownRun(found, deps.clock.now()));
    },
  });
}
