import type { PlanVersion } from '../catalog/plan.ts';
import { earlierOf, type Instant, laterOf } from '../time/instant.ts';
import type { Phase, Phased } from './phase.ts';

/** A plan version by its name; undefined when there is none. */
export type PlanLookup = (phase: Pick<Phase, 'plan' | 'planVersion'>) => PlanVersion | undefined;

/** What two subscriptions would both bill, and from when. */
export interface Overlap {
  /** `the plan pro` or `the meter tokens`. */
  readonly what: string;
  /** The first instant at which both do. */
  readonly from: Instant;
}

/**
 * What two subscriptions of one customer would both bill: the same plan, or the usage of the same meter, at a common time.
 * Null when nothing is billed twice; add-ons on other meters may run beside a plan. Trials count, because what they are a
 * trial of follows; pauses do not: another plan may run in them.
 */
export function overlapOf(a: Phased, b: Phased, planOf: PlanLookup): Overlap | null {
  for (const one of occupied(a)) {
    for (const other of occupied(b)) {
      const from = laterOf(one.from, other.from);
      const end = earliest(one.until, other.until);
      if (end !== null && from >= end) continue;
      const what = sharedBy(one.phase, other.phase, planOf);
      if (what !== null) return { what, from };
    }
  }
  return null;
}

function occupied({ phases, end }: Phased) {
  return phases
    .map((phase, index) => ({ phase, from: phase.from, until: earliest(phases[index + 1]?.from ?? null, end) }))
    .filter(({ phase, from, until }) => phase.state !== 'paused' && (until === null || from < until));
}

function sharedBy(a: Phase, b: Phase, planOf: PlanLookup): string | null {
  if (a.plan === b.plan) return `the plan ${a.plan}`;
  const metersOfA = new Set(metersOf(planOf(a)));
  const shared = metersOf(planOf(b)).find((meter) => metersOfA.has(meter));
  return shared === undefined ? null : `the meter ${shared}`;
}

function metersOf(plan: PlanVersion | undefined): readonly string[] {
  return (plan?.charges ?? []).flatMap((charge) => (charge.kind === 'usage' ? [charge.meter] : []));
}

/** The earlier of two ends; null is no end. */
function earliest(a: Instant | null, b: Instant | null): Instant | null {
  if (a === null || b === null) return a ?? b;
  return earlierOf(a, b);
}
