import { conflict, invalid } from '../errors.ts';
import { type Instant, laterOf } from '../time/instant.ts';
import { phasesBefore } from './change-phases.ts';
import type { ChangeInput } from './change-subscription.ts';
import {
  effectiveAt,
  type Known,
  type RewriteDeps,
  refuseBilled,
  rewriteSubscription,
} from './rewrite-subscription.ts';
import type { Subscription } from './subscription.ts';

/**
 * Ends (cancels) a subscription. An end that is set may move earlier, never later; repeating it changes nothing. Changes set
 * for the end or later are dropped. One that has not begun is withdrawn by ending it `now`: it ends when it would have begun.
 * Throws `subscription_not_found`, `end_invalid`, `subscription_end_set` or `period_already_billed`.
 */
export function endSubscription(input: ChangeInput, deps: RewriteDeps): Promise<Subscription> {
  return rewriteSubscription(input, (known) => ended(input.at, known), deps);
}

function ended(at: string, known: Known): Subscription {
  const { subscription } = known;
  const asked = effectiveAt(at, 'end_invalid', known);
  const end = at === 'now' ? laterOf(asked, subscription.start) : asked;
  if (end === subscription.end) return subscription;
  refuseImpossible(subscription, end);
  return { ...subscription, end, phases: phasesBefore(subscription.phases, end) };
}

function refuseImpossible(subscription: Subscription, end: Instant): void {
  if (end < subscription.start) {
    throw invalid('end_invalid', `Got end ${end}; expected the start ${subscription.start} or a later time.`);
  }
  if (subscription.end !== null && end > subscription.end) {
    throw conflict(
      'subscription_end_set',
      `The subscription ends at ${subscription.end}; an end may move earlier, not later. Create a new subscription from there.`,
      { end: subscription.end },
    );
  }
  refuseBilled(subscription, end);
}
