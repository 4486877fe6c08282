import { describe, expect, test } from 'vitest';
import {
  firstDifference,
  trialEndOf,
  withPause,
  withPlan,
  withResumption,
  withTrialEnd,
} from '../../../core/accounts/change-phases.ts';
import type { Phase } from '../../../core/accounts/phase.ts';
import { parseInstant } from '../../../core/time/instant.ts';
import { phasesOf } from '../../support/subscription-fixtures.ts';

const day = (number: number) => parseInstant(`2026-11-${String(number).padStart(2, '0')}T00:00:00Z`);
const ON_GROWTH = phasesOf(['2026-11-01T00:00:00Z', 'growth']);
const TRIED = phasesOf(['2026-11-01T00:00:00Z', 'growth', 'trial'], ['2026-11-10T00:00:00Z', 'growth']);
const subscription = (phases: readonly Phase[], end: number | null = null) => ({
  start: day(1),
  end: end === null ? null : day(end),
  phases,
});
const change = (at: number, plan: string, prorate = true) => ({ at: day(at), plan, planVersion: 1, prorate });
const shown = (phases: readonly Phase[]) =>
  phases.map(({ number, from, state, plan, prorate }) =>
    [number, from.slice(8, 10), state, plan, ...(prorate ? [] : ['whole'])].join(' '),
  );
const refused = (code: string, context: object = {}) => expect.objectContaining({ code, context });

describe('a change of plan', () => {
  test('begins a phase, and the state stays', () => {
    expect(shown(withPlan(subscription(ON_GROWTH), change(15, 'max', false)))).toEqual([
      '1 01 active growth',
      '2 15 active max whole',
    ]);
    // in the trial, which ends on the new plan
    expect(shown(withPlan(subscription(TRIED), change(5, 'max', false)))).toEqual([
      '1 01 trial growth',
      '2 05 trial max whole',
      '3 10 active max',
    ]);
  });

  test('back at the same instant withdraws it, and to what is in force it changes nothing', () => {
    const changed = withPlan(subscription(ON_GROWTH), change(15, 'max', false));
    expect(withPlan(subscription(changed), change(15, 'growth'))).toEqual(ON_GROWTH);
    expect(withPlan(subscription(changed), change(15, 'growth', false))).toEqual(ON_GROWTH);
    expect(withPlan(subscription(changed), change(15, 'max', false))).toEqual(changed);
    expect(withPlan(subscription(changed), change(20, 'max'))).toEqual(changed);
    expect(shown(withPlan(subscription(changed), change(15, 'other')))).toEqual([
      '1 01 active growth',
      '2 15 active other',
    ]);
  });

  test('at the end of a trial or at the start takes the place of the phase that begins there', () => {
    expect(shown(withPlan(subscription(TRIED), change(10, 'max', false)))).toEqual([
      '1 01 trial growth',
      '2 10 active max whole',
    ]);
    expect(shown(withPlan(subscription(ON_GROWTH), change(1, 'max')))).toEqual(['1 01 active max']);
  });

  test('before another change of plan is refused with what is set', () => {
    const changed = withPlan(subscription(ON_GROWTH), change(15, 'max'));
    expect(() => withPlan(subscription(changed), change(10, 'other'))).toThrow(
      refused('change_scheduled', { from: day(15), state: 'active', plan: 'max', plan_version: 1 }),
    );
    // after it: fine
    expect(shown(withPlan(subscription(changed), change(20, 'growth')))).toHaveLength(3);
  });

  test('goes on through a pause and its end', () => {
    const paused = withResumption(subscription(withPause(subscription(ON_GROWTH), day(10))), day(20));
    expect(shown(withPlan(subscription(paused), change(15, 'max', false)))).toEqual([
      '1 01 active growth',
      '2 10 paused growth',
      '3 15 paused max whole',
      '4 20 active max',
    ]);
  });
});

describe('a pause', () => {
  const paused = withPause(subscription(ON_GROWTH), day(10));

  test('lasts until it is resumed', () => {
    expect(shown(paused)).toEqual(['1 01 active growth', '2 10 paused growth']);
    expect(shown(withResumption(subscription(paused), day(20)))).toEqual([
      '1 01 active growth',
      '2 10 paused growth',
      '3 20 active growth',
    ]);
  });

  test('asked for twice at one instant is one, and resumed at the instant it began is none', () => {
    expect(withPause(subscription(paused), day(10))).toEqual(paused);
    expect(withResumption(subscription(paused), day(10))).toEqual(ON_GROWTH);
    const resumed = withResumption(subscription(paused), day(20));
    expect(withResumption(subscription(resumed), day(20))).toEqual(resumed);
    expect(withPause(subscription(resumed), day(20))).toEqual(paused);
  });

  test('that is there already, or set for later, is named', () => {
    expect(() => withPause(subscription(paused), day(12))).toThrow(refused('subscription_paused', { since: day(10) }));
    expect(() => withPause(subscription(paused), day(5))).toThrow(
      refused('change_scheduled', { from: day(10), state: 'paused', plan: 'growth', plan_version: 1 }),
    );
    const moved = withPlan(subscription(paused), change(12, 'max'));
    expect(() => withPause(subscription(moved), day(14))).toThrow(refused('subscription_paused', { since: day(10) }));
  });

  test('is not for a trial, and what is not paused is not resumed', () => {
    expect(() => withPause(subscription(TRIED), day(5))).toThrow(
      refused('subscription_in_trial', { trial_end: day(10) }),
    );
    expect(() => withResumption(subscription(ON_GROWTH), day(5))).toThrow(
      refused('subscription_not_paused', { state: 'active' }),
    );
    expect(() => withResumption(subscription(TRIED), day(10))).toThrow(
      refused('subscription_not_paused', { state: 'active' }),
    );
    expect(() => withResumption(subscription(withResumption(subscription(paused), day(20))), day(15))).toThrow(
      refused('change_scheduled', { from: day(20), state: 'active', plan: 'growth', plan_version: 1 }),
    );
  });
});

describe('a trial', () => {
  test('is extended, shortened, taken away and given', () => {
    const until = (phases: readonly Phase[], end: number) => shown(withTrialEnd(subscription(phases), day(end)));
    expect(until(TRIED, 20)).toEqual(['1 01 trial growth', '2 20 active growth']);
    expect(until(TRIED, 5)).toEqual(['1 01 trial growth', '2 05 active growth']);
    expect(until(TRIED, 10)).toEqual(shown(TRIED));
    expect(until(TRIED, 1)).toEqual(['1 01 active growth']);
    expect(until(ON_GROWTH, 5)).toEqual(['1 01 trial growth', '2 05 active growth']);
    expect([trialEndOf({ phases: TRIED }), trialEndOf({ phases: ON_GROWTH })]).toEqual([day(10), day(1)]);
  });

  test('keeps the changes of plan within and after it', () => {
    const moved = withPlan(subscription(withPlan(subscription(TRIED), change(5, 'max'))), change(15, 'other', false));
    expect(shown(withTrialEnd(subscription(moved), day(20)))).toEqual([
      '1 01 trial growth',
      '2 05 trial max',
      '3 15 trial other whole',
      '4 20 active other',
    ]);
    expect(shown(withTrialEnd(subscription(moved), day(3)))).toEqual([
      '1 01 trial growth',
      '2 03 active growth',
      '3 05 active max',
      '4 15 active other whole',
    ]);
  });

  test('that would reach into a pause is refused with the pause', () => {
    const paused = withPause(subscription(TRIED), day(15));
    expect(() => withTrialEnd(subscription(paused), day(16))).toThrow(
      refused('change_scheduled', { from: day(15), state: 'paused', plan: 'growth', plan_version: 1 }),
    );
    expect(shown(withTrialEnd(subscription(paused), day(15)))).toEqual(['1 01 trial growth', '2 15 paused growth']);
  });
});

test('the first difference of two courses is where the earlier of them changes', () => {
  const changed = withPlan(subscription(ON_GROWTH), change(15, 'max'));
  expect(firstDifference(ON_GROWTH, ON_GROWTH)).toBeNull();
  expect(firstDifference(ON_GROWTH, changed)).toBe(day(15));
  expect(firstDifference(changed, ON_GROWTH)).toBe(day(15));
  expect(firstDifference(changed, withPlan(subscription(changed), change(15, 'max', false)))).toBe(day(15));
  expect(firstDifference(changed, withPlan(subscription(ON_GROWTH), change(12, 'max')))).toBe(day(12));
});
