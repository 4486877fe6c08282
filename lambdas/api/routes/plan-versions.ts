import { planVersionSchema } from '../../../core/catalog/plan.ts';
import type { PlanStore } from '../../../core/catalog/ports.ts';
import { jsonAnswer } from '../../shared/http.ts';
import { pageOf, type Route, route } from '../route.ts';
import { listOf, pageQuery } from '../schemas.ts';
import { planNotFound } from './plans.ts';

export function planVersionRoutes(deps: { plans: PlanStore }): readonly Route[] {
  return [listVersions(deps), getVersion(deps)];
}

function listVersions(deps: { plans: PlanStore }): Route {
  return route({
    method: 'GET',
    path: '/v1/plans/{plan}/versions',
    scope: 'read',
    query: pageQuery,
    docs: {
      tag: 'Catalog',
      summary: 'List the versions of a plan',
      answers: { 200: listOf(planVersionSchema) },
      errors: ['cursor_invalid'],
    },
    async handle({ project, params, query }) {
      const { items, cursor } = await deps.plans.list(project, pageOf(query), params.plan ?? '');
      return jsonAnswer(200, { data: items, nextCursor: cursor });
    },
  });
}

function getVersion(deps: { plans: PlanStore }): Route {
  return route({
    method: 'GET',
    path: '/v1/plans/{plan}/versions/{version}',
    scope: 'read',
    docs: {
      tag: 'Catalog',
      summary: 'Get one version of a plan',
      answers: { 200: planVersionSchema },
      errors: ['plan_not_found'],
    },
    async handle({ project, params }) {
      const { plan = '', version = '' } = params;
      const found = /^[1-9]\d{0,5}$/.test(version) ? await deps.plans.find(project, plan, Number(version)) : undefined;
      if (!found) throw planNotFound(`${plan}@${version}`);
      return jsonAnswer(200, found);
    },
  });
}
