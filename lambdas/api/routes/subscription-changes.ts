import * as z from 'zod';
import {
  changePlan,
  pauseSubscription,
  resumeSubscription,
  setTrialEnd,
} from '../../../core/accounts/change-subscription.ts';
import { endSubscription } from '../../../core/accounts/end-subscription.ts';
import type { RewriteDeps } from '../../../core/accounts/rewrite-subscription.ts';
import { catalogKeySchema } from '../../../core/catalog/key.ts';
import type { Route } from '../route.ts';
import { timeText } from '../schemas.ts';
import { changeRoute } from './change-route.ts';

/** What happens to a subscription after it was created. Each answers the subscription with all its phases. */
export function subscriptionChangeRoutes(deps: RewriteDeps): readonly Route[] {
  return [change(deps), pause(deps), resume(deps), trial(deps), end(deps)];
}

const at = z.union([z.enum(['now', 'at_period_end']), timeText], {
  error: 'expected "now", "at_period_end" or an RFC 3339 time',
});
const AT =
  '`at` is `now` (the start of the current quarter hour), `at_period_end` (the end of the current billing period) or a time on a quarter hour, in the future or in the past as far as nothing is billed; the answer echoes it as the `from` of a phase.';
const WITHDRAW =
  'A later change of the same kind that is already set is in the way (409 `change_scheduled`, with what it is); asking for what was before at its very instant withdraws it.';
const TIME_ERRORS = [
  'at_invalid',
  'subscription_not_found',
  'subscription_not_begun',
  'subscription_ends',
  'period_already_billed',
  'change_scheduled',
  'subscription_overlaps',
  'too_many_phases',
  'write_contended',
];

function change(deps: RewriteDeps): Route {
  return changeRoute(deps, {
    name: 'change',
    body: z.strictObject({
      plan: catalogKeySchema,
      planVersion: z.int().min(1).optional(),
      at,
      prorate: z.boolean(),
    }),
    summary: 'Change the plan of a subscription',
    description: `${AT} The new plan has the same currency and interval; \`plan_version\` is the newest when absent. With \`prorate\` fees, allowances, minimums and commitments of the period are split by days, the day of the change belonging to the new plan; without, the plan before keeps them whole for the period and the new one has none until the next. Usage is priced by the plan in force when it happened, either way, and each part of the period counts its tiers from zero. ${WITHDRAW}`,
    errors: [...TIME_ERRORS, 'plan_not_found', 'plan_currency_differs', 'plan_interval_differs'],
    example: { plan: 'enterprise', at: 'now', prorate: true },
    apply: (named, body) => changePlan({ ...named, ...body }, deps),
  });
}

function pause(deps: RewriteDeps): Route {
  return changeRoute(deps, {
    name: 'pause',
    body: z.strictObject({ at }),
    summary: 'Pause a subscription',
    description: `${AT} While it is paused nothing is billed: usage is counted and reported as unbilled, fees are prorated around the pause, and a period that is paused from end to end has no invoice. ${WITHDRAW}`,
    errors: [...TIME_ERRORS, 'subscription_in_trial', 'subscription_paused'],
    example: { at: 'now' },
    apply: (named, body) => pauseSubscription({ ...named, ...body }, deps),
  });
}

function resume(deps: RewriteDeps): Route {
  return changeRoute(deps, {
    name: 'resume',
    body: z.strictObject({ at }),
    summary: 'Resume a paused subscription',
    description: `${AT} It bills again by the plan in force. ${WITHDRAW}`,
    errors: [...TIME_ERRORS, 'subscription_not_paused'],
    example: { at: '2026-12-14T00:00:00Z' },
    apply: (named, body) => resumeSubscription({ ...named, ...body }, deps),
  });
}

function trial(deps: RewriteDeps): Route {
  return changeRoute(deps, {
    name: 'trial',
    body: z.strictObject({ end: at }),
    summary: 'Extend or shorten the trial of a subscription',
    description:
      '`end` is `now`, `at_period_end` or a time on a quarter hour. A trial that is over may be extended, and one given from the start, as long as nothing from its old end on is billed. A pause before `end` is in the way (409 `change_scheduled`).',
    errors: [...TIME_ERRORS.filter((code) => code !== 'at_invalid'), 'trial_end_invalid'],
    example: { end: '2026-12-14T00:00:00Z' },
    apply: (named, body) => setTrialEnd({ ...named, ...body }, deps),
  });
}

function end(deps: RewriteDeps): Route {
  return changeRoute(deps, {
    name: 'end',
    body: z.strictObject({ at }),
    summary: 'End (cancel) a subscription',
    description:
      '`now` is the start of the current quarter hour, `at_period_end` the end of the current billing period. An end may move earlier, never later, and never into what is billed. Changes set for the end or later are dropped. A subscription that has not begun is withdrawn with `now`.',
    errors: [
      'subscription_not_found',
      'end_invalid',
      'subscription_end_set',
      'period_already_billed',
      'write_contended',
    ],
    example: { at: 'at_period_end' },
    apply: (named, body) => endSubscription({ ...named, ...body }, deps),
  });
}
