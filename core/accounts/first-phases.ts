import type { PlanVersion } from '../catalog/plan.ts';
import { invalid } from '../errors.ts';
import type { Instant } from '../time/instant.ts';
import { addLocalDays } from '../time/local-day.ts';
import { phasesBefore } from './change-phases.ts';
import type { Phase } from './phase.ts';

export interface FirstPhasesInput {
  readonly plan: PlanVersion;
  readonly start: Instant;
  readonly end: Instant | null;
  /** Absent: the plan's trial, if it has one. Null: none. */
  readonly trialEnd: Instant | null | undefined;
  readonly timeZone: string;
}

/**
 * The phases a subscription begins with: billing from its start, or from the end of its trial. A plan's trial of N days ends N
 * days later on the customer's calendar, at the time of day it began. Throws `invalid` (code `trial_end_invalid`).
 */
export function firstPhases({ plan, start, end, trialEnd, timeZone }: FirstPhasesInput): readonly Phase[] {
  const days = plan.trial?.days ?? 0;
  const trialUntil = trialEnd === undefined ? addLocalDays(start, days, timeZone) : (trialEnd ?? start);
  if (trialUntil < start || (trialEnd && end !== null && trialUntil > end)) {
    throw invalid(
      'trial_end_invalid',
      `Got trial_end ${trialUntil}; expected a time from the start ${start} to the end ${end ?? '(none)'}.`,
    );
  }
  const onPlan = { plan: plan.plan, planVersion: plan.version, prorate: true };
  const phases: readonly Phase[] = [
    { number: 1, from: start, state: trialUntil > start ? 'trial' : 'active', ...onPlan },
    { number: 2, from: trialUntil, state: 'active', ...onPlan },
  ];
  if (trialUntil === start) return phases.slice(0, 1);
  return end === null ? phases : phasesBefore(phases, end);
}
