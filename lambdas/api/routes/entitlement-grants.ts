import type * as z from 'zod';
import { customerIdSchema } from '../../../core/accounts/customer.ts';
import {
  type CreateGrantDeps,
  createGrant,
  grantInputSchema,
  grantSchema,
} from '../../../core/entitlements/create-grant.ts';
import { jsonAnswer } from '../../shared/http.ts';
import { pageOf, type Route, route } from '../route.ts';
import { listOf, pageQuery } from '../schemas.ts';

export interface GrantDeps {
  readonly grants: CreateGrantDeps;
}

const PATH = '/v1/entitlements/grants';

/** Extra allowance given to single customers. */
export function entitlementGrantRoutes({ grants }: GrantDeps): readonly Route[] {
  return [createRoute(grants), listRoute(grants)];
}

function createRoute(deps: CreateGrantDeps): Route {
  return route<unknown, z.output<typeof grantInputSchema>>({
    method: 'POST',
    path: PATH,
    scope: 'write',
    isCreating: true,
    body: grantInputSchema,
    docs: {
      tag: 'Entitlements',
      summary: 'Give one customer extra allowance for a metered feature',
      description:
        'Added to the limit while `effective <= now < expires`, in every window of the feature. 201 for a new grant, 200 for the same one again. Counts within 30 seconds.',
      answers: { 201: grantSchema, 200: grantSchema },
      errors: ['grant_invalid', 'grant_exists', 'too_many_grants', 'customer_not_found'],
      example: {
        id: 'support-4711',
        customer: 'acme',
        feature: 'api-calls',
        quantity: '5000',
        effective: '2026-11-21T00:00:00Z',
        expires: '2026-12-01T00:00:00Z',
      },
    },
    async handle({ project, body }) {
      const { grant, isNew } = await createGrant({ project, grant: body }, deps);
      return jsonAnswer(isNew ? 201 : 200, grant);
    },
  });
}

const listQuery = pageQuery.extend({ customer: customerIdSchema });

function listRoute(deps: CreateGrantDeps): Route {
  return route<z.output<typeof listQuery>>({
    method: 'GET',
    path: PATH,
    scope: 'read',
    query: listQuery,
    docs: {
      tag: 'Entitlements',
      summary: 'List the grants of a customer, by id, past and future ones included',
      answers: { 200: listOf(grantSchema) },
      errors: ['cursor_invalid'],
    },
    async handle({ project, query }) {
      const { items, cursor } = await deps.grants.list(project, query.customer, pageOf(query));
      return jsonAnswer(200, { data: items, nextCursor: cursor });
    },
  });
}
