import type { PlanVersion } from '../catalog/plan.ts';
import type { PlanStore } from '../catalog/ports.ts';
import { conflict, invariantBroken, notFound } from '../errors.ts';
import type { ProjectId, SubscriptionId } from '../ids.ts';
import { intervalText, isSameInterval } from '../time/interval.ts';
import { withPause, withPlan, withResumption, withTrialEnd } from './change-phases.ts';
import { firstPlanOf } from './phase.ts';
import {
  effectiveAt,
  type Known,
  type RewriteDeps,
  refuseBilled,
  refuseOutside,
  rewriteSubscription,
} from './rewrite-subscription.ts';
import type { Subscription } from './subscription.ts';

export interface ChangeInput {
  readonly project: ProjectId;
  readonly id: SubscriptionId;
  /** `now`: the start of the current quarter hour; `at_period_end`: the end of the current period; else RFC 3339 on a quarter hour. */
  readonly at: string;
}

export interface ChangePlanInput extends ChangeInput {
  readonly plan: string;
  /** The newest when absent. */
  readonly planVersion?: number | undefined;
  /** Whether fees, allowances, minimums and commitments of the period are split by days, or stay with the plan before. */
  readonly prorate: boolean;
}

/**
 * Moves a subscription to another plan version of the same currency and interval. Nothing is guessed: the caller says when,
 * and whether the period is prorated. The same change again changes nothing; a change back at the same instant withdraws it.
 * Throws `subscription_not_found`, `plan_not_found`, `plan_currency_differs`, `plan_interval_differs`, `at_invalid`,
 * `subscription_not_begun`, `subscription_ends`, `period_already_billed`, `change_scheduled` or `subscription_overlaps`.
 */
export async function changePlan(input: ChangePlanInput, deps: RewriteDeps): Promise<Subscription> {
  const { project, plan, planVersion, prorate } = input;
  const wanted =
    planVersion === undefined
      ? await deps.plans.newest(project, plan)
      : await deps.plans.find(project, plan, planVersion);
  if (!wanted) {
    const name = planVersion === undefined ? plan : `${plan}@${planVersion}`;
    throw notFound('plan_not_found', `No plan ${name} in this project.`);
  }
  return rewriteSubscription(
    input,
    async (known) => {
      const at = runningAt(input.at, known);
      await refuseOtherTerms(project, known.subscription, wanted, deps.plans);
      const change = { at, plan: wanted.plan, planVersion: wanted.version, prorate };
      return { ...known.subscription, phases: withPlan(known.subscription, change) };
    },
    deps,
  );
}

/**
 * Stops billing from an instant on: usage is counted and reported, fees stop. Throws what `changePlan` throws about times,
 * `subscription_in_trial` or `subscription_paused`.
 */
export function pauseSubscription(input: ChangeInput, deps: RewriteDeps): Promise<Subscription> {
  const pause = (known: Known) => {
    const at = runningAt(input.at, known);
    return { ...known.subscription, phases: withPause(known.subscription, at) };
  };
  return rewriteSubscription(input, pause, deps);
}

/**
 * Bills again from an instant on, by the plan the pause left in force. Throws what `changePlan` throws about times,
 * `subscription_not_paused`, or `subscription_overlaps` when something else has taken its place.
 */
export function resumeSubscription(input: ChangeInput, deps: RewriteDeps): Promise<Subscription> {
  const resume = (known: Known) => {
    const at = runningAt(input.at, known);
    return { ...known.subscription, phases: withResumption(known.subscription, at) };
  };
  return rewriteSubscription(input, resume, deps);
}

/**
 * Sets where the trial ends: later, earlier, or `now`. A trial that is over may be extended, and one given from the start,
 * while nothing of it is billed. Throws `trial_end_invalid` besides what `changePlan` throws about times.
 */
export function setTrialEnd(
  input: Omit<ChangeInput, 'at'> & { readonly end: string },
  deps: RewriteDeps,
): Promise<Subscription> {
  const extend = (known: Known) => {
    const { subscription } = known;
    const end = effectiveAt(input.end, 'trial_end_invalid', known);
    refuseOutside(subscription, end);
    return { ...subscription, phases: withTrialEnd(subscription, end) };
  };
  return rewriteSubscription(input, extend, deps);
}

/** An instant at which the subscription runs and nothing is billed yet. */
function runningAt(text: string, known: Known) {
  const at = effectiveAt(text, 'at_invalid', known);
  refuseOutside(known.subscription, at);
  refuseBilled(known.subscription, at);
  return at;
}

/** A subscription keeps its currency and its interval for life: its invoices and its periods follow from them. */
async function refuseOtherTerms(
  project: ProjectId,
  subscription: Subscription,
  wanted: PlanVersion,
  plans: Pick<PlanStore, 'find'>,
): Promise<void> {
  const first = firstPlanOf(subscription);
  const current = await plans.find(project, first.plan, first.planVersion);
  if (!current)
    throw invariantBroken('plan_version_missing', `There is no plan version ${first.plan}@${first.planVersion}.`);
  const name = `${wanted.plan}@${wanted.version}`;
  const instead = 'End this subscription and create one on that plan from there.';
  if (wanted.currency !== current.currency) {
    throw conflict(
      'plan_currency_differs',
      `The plan ${name} is in ${wanted.currency}, the subscription bills in ${current.currency}. ${instead}`,
      { currency: current.currency },
    );
  }
  if (!isSameInterval(wanted.interval, subscription.interval)) {
    throw conflict(
      'plan_interval_differs',
      `The plan ${name} bills every ${intervalText(wanted.interval)}, the subscription every ${intervalText(subscription.interval)}. ${instead}`,
      { interval: intervalText(subscription.interval) },
    );
  }
}
