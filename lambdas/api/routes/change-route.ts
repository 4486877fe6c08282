import type * as z from 'zod';
import type { RewriteDeps } from '../../../core/accounts/rewrite-subscription.ts';
import { shownSubscription, shownSubscriptionSchema } from '../../../core/accounts/shown-subscription.ts';
import type { Subscription } from '../../../core/accounts/subscription.ts';
import type { ProjectId, SubscriptionId } from '../../../core/ids.ts';
import { jsonAnswer } from '../../shared/http.ts';
import { type Route, route } from '../route.ts';

export interface ChangeRoute<B extends z.ZodType> {
  readonly name: string;
  readonly body: B;
  readonly summary: string;
  readonly description: string;
  readonly errors: readonly string[];
  readonly example: object;
  readonly apply: (
    named: { readonly project: ProjectId; readonly id: SubscriptionId },
    body: z.output<B>,
  ) => Promise<Subscription>;
}

/** `POST /v1/subscriptions/{id}/<name>`: one change of a subscription, answered with the subscription as it then is. */
export function changeRoute<B extends z.ZodType>(deps: RewriteDeps, input: ChangeRoute<B>): Route {
  const { name, body, summary, description, errors, example, apply } = input;
  return route({
    method: 'POST',
    path: `/v1/subscriptions/{id}/${name}`,
    scope: 'write',
    body,
    docs: { tag: 'Accounts', summary, description, answers: { 200: shownSubscriptionSchema }, errors, example },
    async handle({ project, params, body: asked }) {
      const subscription = await apply({ project, id: (params.id ?? '') as SubscriptionId }, asked as z.output<B>);
      return jsonAnswer(200, shownSubscription(subscription, deps.clock.now()));
    },
  });
}
