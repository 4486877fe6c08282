import { createPlanVersion } from '../../../core/catalog/create-plan-version.ts';
import { planInputSchema, planVersionSchema } from '../../../core/catalog/plan.ts';
import type { MeterStore, PlanStore } from '../../../core/catalog/ports.ts';
import { notFound } from '../../../core/errors.ts';
import { jsonAnswer } from '../../shared/http.ts';
import { pageOf, type Route, route } from '../route.ts';
import { listOf, pageQuery } from '../schemas.ts';

interface PlanDeps {
  readonly plans: PlanStore;
  readonly meters: MeterStore;
}

const EXAMPLE = {
  plan: 'pro',
  name: 'Pro',
  currency: 'USD',
  charges: [
    {
      kind: 'usage',
      key: 'tokens',
      name: 'Tokens',
      meter: 'tokens',
      allowance: '100000',
      price: {
        model: 'graduated',
        tiers: [
          { up_to: '1000000', unit_price: '0.000002' },
          { up_to: null, unit_price: '0.0000015' },
        ],
      },
    },
    { kind: 'fixed', key: 'seat', name: 'Base fee', amount: '49.00', timing: 'in_arrears' },
  ],
};

export function planRoutes(deps: PlanDeps): readonly Route[] {
  return [createPlan(deps), listPlans(deps), getPlan(deps)];
}

function createPlan(deps: PlanDeps): Route {
  return route({
    method: 'POST',
    path: '/v1/plans',
    scope: 'write',
    isCreating: true,
    docs: {
      tag: 'Catalog',
      summary: 'Create a plan, or the next version of one',
      description:
        'Plan versions never change: a body that differs from the newest version of the plan makes version + 1 (201), one that equals it answers that version (200). Subscriptions stay on the version they were made with.',
      bodyShown: planInputSchema,
      answers: { 201: planVersionSchema, 200: planVersionSchema },
      errors: ['plan_invalid', 'plan_too_large', 'write_contended'],
      example: EXAMPLE,
    },
    async handle({ project, body }) {
      const { version, isNew } = await createPlanVersion({ project, plan: body }, deps);
      return jsonAnswer(isNew ? 201 : 200, version);
    },
  });
}

function listPlans(deps: PlanDeps): Route {
  return route({
    method: 'GET',
    path: '/v1/plans',
    scope: 'read',
    query: pageQuery,
    docs: {
      tag: 'Catalog',
      summary: 'List every version of every plan, by plan and version',
      answers: { 200: listOf(planVersionSchema) },
      errors: ['cursor_invalid'],
    },
    async handle({ project, query }) {
      const { items, cursor } = await deps.plans.list(project, pageOf(query));
      return jsonAnswer(200, { data: items, nextCursor: cursor });
    },
  });
}

function getPlan(deps: PlanDeps): Route {
  return route({
    method: 'GET',
    path: '/v1/plans/{plan}',
    scope: 'read',
    docs: {
      tag: 'Catalog',
      summary: 'Get the newest version of a plan',
      answers: { 200: planVersionSchema },
      errors: ['plan_not_found'],
    },
    async handle({ project, params }) {
      const found = await deps.plans.newest(project, params.plan ?? '');
      if (!found) throw planNotFound(params.plan ?? '');
      return jsonAnswer(200, found);
    },
  });
}

export function planNotFound(name: string) {
  return notFound('plan_not_found', `No plan ${name.slice(0, 80)} in this project.`);
}
