import * as z from 'zod';
import { type CreateSubscriptionDeps, createSubscription } from '../../../core/accounts/create-subscription.ts';
import { customerIdSchema } from '../../../core/accounts/customer.ts';
import { shownSubscription, shownSubscriptionSchema } from '../../../core/accounts/shown-subscription.ts';
import { BILLING_CYCLES, subscriptionIdSchema } from '../../../core/accounts/subscription.ts';
import { catalogKeySchema } from '../../../core/catalog/key.ts';
import { notFound } from '../../../core/errors.ts';
import { type CustomerId, EXTERNAL_ID_PATTERN, type SubscriptionId } from '../../../core/ids.ts';
import { conversionSchema } from '../../../core/money/conversion.ts';
import { jsonAnswer } from '../../shared/http.ts';
import { pageOf, type Route, type RouteRequest, route } from '../route.ts';
import { externalIdText, listOf, pageFields, timeText } from '../schemas.ts';

export function subscriptionRoutes(deps: CreateSubscriptionDeps): readonly Route[] {
  return [create(deps), list(deps), getOne(deps)];
}

const createBody = z.strictObject({
  id: subscriptionIdSchema.optional(),
  customer: customerIdSchema,
  plan: catalogKeySchema,
  planVersion: z.int().min(1).optional(),
  start: z.union([z.literal('now'), timeText], { error: 'expected "now" or an RFC 3339 time' }).optional(),
  end: timeText.nullable().optional(),
  trialEnd: timeText.nullable().optional(),
  billing: z.enum(BILLING_CYCLES).optional(),
  conversion: conversionSchema.optional(),
});

function create(deps: CreateSubscriptionDeps): Route {
  return route({
    method: 'POST',
    path: '/v1/subscriptions',
    scope: 'write',
    isCreating: true,
    body: createBody,
    docs: {
      tag: 'Accounts',
      summary: 'Put a customer on a plan version',
      description:
        '`plan_version` is the newest when absent. `start` is `now` when absent, which is the start of the current quarter hour (the answer says which); other times lie on a quarter hour and may be in the past. Periods are the `interval` of the plan: by the calendar in the zone of the customer (`calendar`, the default; weeks begin on Monday), or counted from the local date of `start` (`anniversary`, the only way and the default for a plan of every N days). Nothing is billed before `trial_end`: absent, the trial of the plan; null, none. With `conversion` the subscription is billed in that currency, on the account of that currency: every line is multiplied by `rate` (units of `currency` for one unit of the currency of the plan) and then rounded, for as long as the subscription lives. The same request again answers the same subscription (200). Subscriptions of one customer must not bill the same plan or meter at the same time (409 `subscription_overlaps`).',
      answers: { 201: shownSubscriptionSchema, 200: shownSubscriptionSchema },
      errors: [
        'customer_not_found',
        'plan_not_found',
        'start_invalid',
        'end_invalid',
        'trial_end_invalid',
        'billing_unsupported',
        'conversion_invalid',
        'subscription_exists',
        'subscription_overlaps',
        'contract_does_not_fit',
        'too_many_subscriptions',
        'write_contended',
      ],
      example: { customer: 'acme', plan: 'pro', start: '2026-11-01T00:00:00Z', billing: 'calendar' },
    },
    async handle({ project, body }) {
      const { subscription, isNew } = await createSubscription({ ...body, project }, deps);
      return jsonAnswer(isNew ? 201 : 200, shownSubscription(subscription, deps.clock.now()));
    },
  });
}

function list(deps: CreateSubscriptionDeps): Route {
  const query = z.strictObject({ ...pageFields, customer: externalIdText.optional() });
  return route({
    method: 'GET',
    path: '/v1/subscriptions',
    scope: 'read',
    query,
    docs: {
      tag: 'Accounts',
      summary: 'List subscriptions, or all of one customer (on one page)',
      answers: { 200: listOf(shownSubscriptionSchema) },
      errors: ['cursor_invalid'],
    },
    async handle({ project, query: { customer, ...page } }) {
      if (customer !== undefined) return listOfCustomer(deps, project, customer as CustomerId);
      const { items, cursor } = await deps.subscriptions.list(project, pageOf(page));
      const now = deps.clock.now();
      return jsonAnswer(200, { data: items.map((item) => shownSubscription(item, now)), nextCursor: cursor });
    },
  });
}

async function listOfCustomer(deps: CreateSubscriptionDeps, project: RouteRequest['project'], customer: CustomerId) {
  const stored = await deps.customers.find(project, customer);
  const found = await deps.subscriptions.findAll(project, stored?.subscriptions ?? []);
  const now = deps.clock.now();
  const data = found
    .map(({ subscription }) => shownSubscription(subscription, now))
    .toSorted((a, b) => (a.start < b.start ? -1 : 1));
  return jsonAnswer(200, { data, nextCursor: null });
}

function getOne(deps: CreateSubscriptionDeps): Route {
  return route({
    method: 'GET',
    path: '/v1/subscriptions/{id}',
    scope: 'read',
    docs: {
      tag: 'Accounts',
      summary: 'Get a subscription',
      answers: { 200: shownSubscriptionSchema },
      errors: ['subscription_not_found'],
    },
    async handle({ project, params }) {
      const id = params.id ?? '';
      const found = EXTERNAL_ID_PATTERN.test(id)
        ? await deps.subscriptions.find(project, id as SubscriptionId)
        : undefined;
      if (!found) throw notFound('subscription_not_found', `No subscription ${id.slice(0, 64)} in this project.`);
      return jsonAnswer(200, shownSubscription(found.subscription, deps.clock.now()));
    },
  });
}
