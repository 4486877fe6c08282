import { earlierOf, type Instant, laterOf } from '../time/instant.ts';
import { type Phased, phasesIn, type Span } from './phase.ts';

/** A part of a period in which a subscription bills by one plan version: what is rated as one, under line keys of its own. */
export interface Segment extends Span {
  readonly phase: number;
  readonly plan: string;
  readonly planVersion: number;
  /** The span whose days fees, allowances, minimums and commitments are counted for; the segment itself where all is prorated. */
  readonly share: Span;
}

/**
 * The active parts of a span that lies within one billing period, in order. Each is rated by itself. With proration each
 * shares in the period's fees by its own days; without, the segment before the change keeps them for as long as one active
 * phase follows another without proration, and the segments after it have none. A pause, a trial's end and a new period begin
 * afresh, so that no segment pays for days on which nothing ran.
 */
export function segmentsIn(subscription: Phased, span: Span): readonly Segment[] {
  const segments: Segment[] = [];
  let payer = -1;
  for (const { phase, start, end } of phasesIn(subscription, span)) {
    if (phase.state !== 'active') continue;
    const before = segments.at(-1);
    const paying = segments[payer];
    const isPaidBefore = !phase.prorate && before?.end === start && paying !== undefined;
    if (isPaidBefore) segments[payer] = { ...paying, share: { ...paying.share, end } };
    else payer = segments.length;
    const { number, plan, planVersion } = phase;
    const share = isPaidBefore ? { start, end: start } : { start, end };
    segments.push({ phase: number, plan, planVersion, start, end, share });
  }
  return segments;
}

/** The parts of a span in which the subscription runs but bills nothing: trials and pauses. */
export function idleSpansIn(subscription: Phased, span: Span): readonly Span[] {
  return phasesIn(subscription, span)
    .filter(({ phase }) => phase.state !== 'active')
    .map(({ start, end }) => ({ start, end }));
}

/** The first instant at or after `from` at which the subscription bills; null when there is none for as far as is known. */
export function nextActiveAt(subscription: Phased, from: Instant): Instant | null {
  const { phases, end } = subscription;
  for (const [index, phase] of phases.entries()) {
    if (phase.state !== 'active') continue;
    const at = laterOf(phase.from, from);
    const next = phases[index + 1]?.from ?? null;
    const until = next === null ? end : end === null ? next : earlierOf(next, end);
    if (until === null || at < until) return at;
  }
  return null;
}
