import * as z from 'zod';
import { customerSchema } from '../../../core/accounts/customer.ts';
import { listUnassigned } from '../../../core/accounts/list-unassigned.ts';
import type { CustomerStore, SeenCustomers } from '../../../core/accounts/ports.ts';
import { putCustomer } from '../../../core/accounts/put-customer.ts';
import { notFound } from '../../../core/errors.ts';
import { type CustomerId, EXTERNAL_ID_PATTERN } from '../../../core/ids.ts';
import { jsonAnswer } from '../../shared/http.ts';
import { pageOf, type Route, route } from '../route.ts';
import { listOf, pageFields } from '../schemas.ts';

export interface CustomerDeps {
  readonly customers: CustomerStore;
  readonly seen: SeenCustomers;
}

export function customerRoutes(deps: CustomerDeps): readonly Route[] {
  return [putOne(deps), list(deps), getOne(deps)];
}

function putOne(deps: CustomerDeps): Route {
  return route({
    method: 'POST',
    path: '/v1/customers',
    scope: 'write',
    isCreating: true,
    body: customerSchema,
    docs: {
      tag: 'Accounts',
      summary: 'Create a customer, or replace the one with this id',
      description:
        'An upsert on `id`, your own id of the customer: 201 when it is new; 200 when it was there, and then every field is replaced, fields left out are emptied. The time zone cannot change once there is a subscription. Ids, names and metadata must not hold more personal data than an invoice needs.',
      answers: { 201: customerSchema, 200: customerSchema },
      errors: ['customer_time_zone_fixed', 'write_contended'],
      example: { id: 'acme', name: 'Acme Inc.', email: 'billing@acme.example', time_zone: 'Europe/Berlin' },
    },
    async handle({ project, body }) {
      const { customer, isNew } = await putCustomer({ project, customer: body }, deps);
      return jsonAnswer(isNew ? 201 : 200, customer);
    },
  });
}

const listQuery = z.strictObject({
  ...pageFields,
  unassigned: z.enum(['true', 'false'], { error: 'expected true or false' }).optional(),
});

function list(deps: CustomerDeps): Route {
  return route({
    method: 'GET',
    path: '/v1/customers',
    scope: 'read',
    query: listQuery,
    docs: {
      tag: 'Accounts',
      summary: 'List customers, or those that only usage has named',
      description:
        '`unassigned=true` lists ids (and only ids) that events named and nobody has created: their usage is counted, and billed once they exist. Such a page may hold fewer entries than `limit`, even none, while there is a cursor.',
      answers: { 200: listOf(z.union([customerSchema, customerSchema.pick({ id: true })])) },
      errors: ['cursor_invalid'],
    },
    async handle({ project, query }) {
      const page = pageOf(query);
      const { items, cursor } =
        query.unassigned === 'true'
          ? await listUnassigned({ project, page }, deps)
          : await deps.customers.list(project, page);
      return jsonAnswer(200, { data: items, nextCursor: cursor });
    },
  });
}

function getOne(deps: CustomerDeps): Route {
  return route({
    method: 'GET',
    path: '/v1/customers/{id}',
    scope: 'read',
    docs: {
      tag: 'Accounts',
      summary: 'Get a customer',
      answers: { 200: customerSchema },
      errors: ['customer_not_found'],
    },
    async handle({ project, params }) {
      const id = params.id ?? '';
      const found = EXTERNAL_ID_PATTERN.test(id) ? await deps.customers.find(project, id as CustomerId) : undefined;
      if (!found) throw notFound('customer_not_found', `No customer ${id.slice(0, 64)} in this project.`);
      return jsonAnswer(200, found.customer);
    },
  });
}
