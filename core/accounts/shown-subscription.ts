import * as z from 'zod';
import type { Instant } from '../time/instant.ts';
import { phaseAt, phaseSchema } from './phase.ts';
import { type Subscription, subscriptionSchema } from './subscription.ts';

export const SUBSCRIPTION_STATUSES = ['pending', 'trial', 'active', 'paused', 'ended'] as const;
export type SubscriptionStatus = (typeof SUBSCRIPTION_STATUSES)[number];

/** A subscription as callers see it: with what it is at an instant. */
export interface ShownSubscription extends Subscription {
  /** The plan version in force; the first one before the start, the last one after the end. */
  readonly plan: string;
  readonly planVersion: number;
  /** `pending` before the start, `ended` from the end on (at once when it was withdrawn), else the state of the phase in force. */
  readonly status: SubscriptionStatus;
}

/** The subscription with its plan and status at `now`. */
export function shownSubscription(subscription: Subscription, now: Instant): ShownSubscription {
  const { start, end } = subscription;
  const { plan, planVersion, state } = phaseAt(subscription, now);
  const isEnded = end !== null && (end <= now || end === start);
  const status = isEnded ? 'ended' : now < start ? 'pending' : state;
  return { ...subscription, plan, planVersion, status };
}

export const shownSubscriptionSchema = subscriptionSchema.extend({
  plan: phaseSchema.shape.plan,
  planVersion: phaseSchema.shape.planVersion,
  status: z.enum(SUBSCRIPTION_STATUSES),
}) satisfies z.ZodType<ShownSubscription>;
