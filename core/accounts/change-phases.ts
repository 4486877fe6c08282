import { conflict } from '../errors.ts';
import { earlierOf, type Instant } from '../time/instant.ts';
import { type Phase, type Phased, type PhaseState, phaseAt } from './phase.ts';

/**
 * The phases of a subscription after a change, pure. Which plan is in force and whether it bills are two courses of events:
 * a change of one leaves the other as it is, and is refused where a later change of the same kind is set already. A change at
 * the very instant of an earlier one takes its place, so that asking for what was before withdraws it.
 */
export interface PlanChange extends Pick<Phase, 'plan' | 'planVersion' | 'prorate'> {
  readonly at: Instant;
}

/** On another plan version from `at` on. Throws `conflict` (code `change_scheduled`) when a later change of plan is set. */
export function withPlan(subscription: Phased, change: PlanChange): readonly Phase[] {
  const { at, plan, planVersion, prorate } = change;
  refuseLater(subscription.phases, at, (phase, before) => !isSamePlan(phase, before));
  return renumbered(
    cutAt(subscription, at).map((phase) => {
      if (phase.from < at) return phase;
      return { ...phase, plan, planVersion, prorate: phase.from === at ? prorate : phase.prorate };
    }),
  );
}

/** Paused from `at` on. Throws `conflict` (`subscription_in_trial`, `subscription_paused`, `change_scheduled`). */
export function withPause(subscription: Phased, at: Instant): readonly Phase[] {
  const now = phaseAt(subscription, at);
  if (now.state === 'trial') {
    const end = trialEndOf(subscription);
    throw conflict(
      'subscription_in_trial',
      `The subscription is in its trial until ${end ?? 'its end'}, and a trial bills nothing. Pause when it is over, or move its end.`,
      { trial_end: end },
    );
  }
  if (now.state === 'paused' && now.from !== at) {
    throw conflict('subscription_paused', `The subscription is paused since ${sinceOf(subscription, now)} already.`, {
      since: sinceOf(subscription, now),
    });
  }
  return withState(subscription, at, 'paused');
}

/** Billing again from `at` on. Throws `conflict` (`subscription_not_paused`, `change_scheduled`). */
export function withResumption(subscription: Phased, at: Instant): readonly Phase[] {
  const now = phaseAt(subscription, at);
  const before = subscription.phases.findLast(({ from }) => from < at);
  const isRepeated = now.from === at && now.state === 'active' && before?.state === 'paused';
  if (now.state !== 'paused' && !isRepeated) {
    throw conflict('subscription_not_paused', `At ${at} the subscription is not paused: its state is ${now.state}.`, {
      state: now.state,
    });
  }
  return withState(subscription, at, 'active');
}

/**
 * In its trial until `end`, earlier or later than it was, and billing from there. Throws `conflict` (`change_scheduled`) when
 * a pause begins before `end`.
 */
export function withTrialEnd(subscription: Phased, end: Instant): readonly Phase[] {
  const paused = subscription.phases.find(({ from, state }) => state === 'paused' && from < end);
  if (paused !== undefined) throw scheduled(paused);
  return renumbered(
    cutAt(subscription, end).map((phase) => {
      if (phase.from < end) return { ...phase, state: 'trial' };
      return phase.state === 'trial' ? { ...phase, state: 'active' } : phase;
    }),
  );
}

/** Where the trial ends; the start when there is none, null when the subscription ends in it. */
export function trialEndOf({ phases }: Pick<Phased, 'phases'>): Instant | null {
  return phases.find(({ state }) => state !== 'trial')?.from ?? null;
}

/** Without what was set for the end or later; the first phase stays. */
export function phasesBefore(phases: readonly Phase[], end: Instant): readonly Phase[] {
  return phases.filter(({ number, from }) => number === 1 || from < end);
}

/** The first instant at which two courses of phases differ; null when they are the same. */
export function firstDifference(a: readonly Phase[], b: readonly Phase[]): Instant | null {
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const [one, other] = [a[index], b[index]];
    if (one === undefined || other === undefined) return (one ?? other)?.from ?? null;
    if (one.from !== other.from) return earlierOf(one.from, other.from);
    if (!isSamePlan(one, other) || one.state !== other.state || one.prorate !== other.prorate) return one.from;
  }
  return null;
}

function withState(subscription: Phased, at: Instant, state: PhaseState): readonly Phase[] {
  refuseLater(subscription.phases, at, (phase, before) => phase.state !== before.state);
  return renumbered(cutAt(subscription, at).map((phase) => (phase.from < at ? phase : { ...phase, state })));
}

/** The phases with one that begins at `at`. */
function cutAt(subscription: Phased, at: Instant): readonly Phase[] {
  const now = phaseAt(subscription, at);
  if (now.from === at) return subscription.phases;
  return [...subscription.phases, { ...now, from: at, prorate: true }].sort((a, b) => (a.from < b.from ? -1 : 1));
}

/** Numbered in order, without phases that change nothing. Only a change of plan can be without proration. */
function renumbered(phases: readonly Phase[]): readonly Phase[] {
  const kept: Phase[] = [];
  for (const phase of phases) {
    const before = kept.at(-1);
    const isSame = before !== undefined && isSamePlan(phase, before);
    if (isSame && phase.state === before.state) continue;
    const prorate = before === undefined || isSame ? true : phase.prorate;
    kept.push({ ...phase, number: kept.length + 1, prorate });
  }
  return kept;
}

function refuseLater(phases: readonly Phase[], at: Instant, isChange: (phase: Phase, before: Phase) => boolean): void {
  for (const [index, phase] of phases.entries()) {
    const before = phases[index - 1];
    if (before !== undefined && phase.from > at && isChange(phase, before)) throw scheduled(phase);
  }
}

function scheduled({ from, state, plan, planVersion }: Phase) {
  return conflict(
    'change_scheduled',
    `From ${from} on the subscription is set to be ${state} on ${plan}@${planVersion}. Withdraw that first: ask for what is in force before it, at that instant.`,
    { from, state, plan, plan_version: planVersion },
  );
}

/** Since when the subscription has been in the state of a phase without a break. */
function sinceOf({ phases }: Phased, phase: Phase): Instant {
  const other = phases.findLast(({ number, state }) => number < phase.number && state !== phase.state);
  return phases.find(({ number }) => number > (other?.number ?? 0))?.from ?? phase.from;
}

function isSamePlan(a: Phase, b: Phase): boolean {
  return a.plan === b.plan && a.planVersion === b.planVersion;
}
