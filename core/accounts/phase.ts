import * as z from 'zod';
import { catalogKeySchema } from '../catalog/key.ts';
import { invariantBroken } from '../errors.ts';
import { earlierOf, type Instant, laterOf } from '../time/instant.ts';
import { instantSchema } from '../time/instant-schema.ts';

export const PHASE_STATES = ['trial', 'active', 'paused'] as const;
/** Only `active` bills. In `trial` and `paused` usage is counted and reported, and nothing is due. */
export type PhaseState = (typeof PHASE_STATES)[number];

/**
 * What a subscription is from an instant on, until its next phase begins or it ends. Phases follow each other without gaps
 * from the subscription's start; those before `billedThrough` never change, so a number names the same phase on every invoice.
 */
export interface Phase {
  /** 1, 2, 3 ... in order of time; part of the keys of its lines from 2 on. */
  readonly number: number;
  /** On a quarter hour; the first phase begins with the subscription. */
  readonly from: Instant;
  readonly state: PhaseState;
  readonly plan: string;
  readonly planVersion: number;
  /**
   * How fees, allowances, minimums and commitments are split in the period in which this phase follows an active one: by its
   * days, or (false) not at all: the plan before it keeps them to the end of the period.
   */
  readonly prorate: boolean;
}

export const phaseSchema = z.strictObject({
  number: z.int().min(1),
  from: instantSchema,
  state: z.enum(PHASE_STATES),
  plan: catalogKeySchema,
  planVersion: z.int().min(1),
  prorate: z.boolean(),
}) satisfies z.ZodType<Phase>;

/** What of a subscription says when it is in which phase. */
export interface Phased {
  readonly start: Instant;
  readonly end: Instant | null;
  readonly phases: readonly Phase[];
}

/** A half-open span of time. */
export interface Span {
  readonly start: Instant;
  readonly end: Instant;
}

/** The phase in force at an instant; before the start the first one, after the end the last one. */
export function phaseAt({ phases }: Pick<Phased, 'phases'>, at: Instant): Phase {
  const [first, ...later] = phases;
  if (first === undefined) throw invariantBroken('phases_missing', 'A subscription has no phase; it always has one.');
  return later.findLast(({ from }) => from <= at) ?? first;
}

/** The plan version a subscription began with. All its plans have one currency and one interval, so it stands for them. */
export function firstPlanOf(subscription: Phased): Pick<Phase, 'plan' | 'planVersion'> {
  return phaseAt(subscription, subscription.start);
}

/** The phases as they lie in a span, in order, none of them empty. */
export function phasesIn(subscription: Phased, span: Span): readonly (Span & { readonly phase: Phase })[] {
  return subscription.phases.flatMap((phase, index) => {
    const next = subscription.phases[index + 1]?.from ?? span.end;
    const last = subscription.end === null ? next : earlierOf(next, subscription.end);
    const start = laterOf(phase.from, span.start);
    const end = earlierOf(last, span.end);
    return start < end ? [{ phase, start, end }] : [];
  });
}

/** The versions of a plan that a subscription is on, was on or will be. */
export function versionsOfPlan({ phases }: Pick<Phased, 'phases'>, plan: string): readonly number[] {
  return phases.filter((phase) => phase.plan === plan).map(({ planVersion }) => planVersion);
}

/** All phases with their bounds, in order, none of them empty; the last one is open while no end is known. */
export function phaseSpans(
  subscription: Phased,
): readonly { readonly phase: Phase; readonly start: Instant; readonly end: Instant | null }[] {
  return subscription.phases.flatMap((phase, index) => {
    const next = subscription.phases[index + 1]?.from ?? null;
    const { end: last } = subscription;
    const end = next === null || last === null ? (next ?? last) : earlierOf(next, last);
    return end !== null && end <= phase.from ? [] : [{ phase, start: phase.from, end }];
  });
}
