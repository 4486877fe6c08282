import type { Phase, PhaseState } from '../../core/accounts/phase.ts';
import { parseInstant } from '../../core/time/instant.ts';

/** The phases of a subscription that bills by one plan version from its start on. */
export function onePhase(from: string, plan = 'growth', planVersion = 1): readonly Phase[] {
  return phasesOf([from, plan, 'active', true, planVersion]);
}

type PhaseRow = readonly [
  from: string,
  plan: string,
  state?: PhaseState | undefined,
  prorate?: boolean | undefined,
  planVersion?: number | undefined,
];

/** Phases from rows, numbered in order; active, prorated and on version 1 where a row does not say. */
export function phasesOf(...rows: readonly PhaseRow[]): readonly Phase[] {
  return rows.map(([from, plan, state = 'active', prorate = true, planVersion = 1], index) => ({
    number: index + 1,
    from: parseInstant(from),
    state,
    plan,
    planVersion,
    prorate,
  }));
}
