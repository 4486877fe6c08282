import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { withPause, withPlan, withResumption } from '../../../core/accounts/change-phases.ts';
import { nextService } from '../../../core/accounts/next-close.ts';
import type { Phase } from '../../../core/accounts/phase.ts';
import { idleSpansIn, segmentsIn } from '../../../core/accounts/segments.ts';
import { Rational } from '../../../core/money/rational.ts';
import { type BillingPeriod, parseBillingPeriod } from '../../../core/time/billing-period.ts';
import { instantFromMillis, millisOf, parseInstant } from '../../../core/time/instant.ts';
import { fractionOf, type ProrationUnit, prorationOf } from '../../../core/time/proration.ts';
import { onePhase, phasesOf } from '../../support/subscription-fixtures.ts';

const START = '2026-11-01T00:00:00Z';
const NOVEMBER = parseBillingPeriod('2026-11', 'UTC');
const subscription = (phases: readonly Phase[], end: string | null = null) => ({
  start: phases[0]?.from ?? parseInstant(START),
  end: end === null ? null : parseInstant(end),
  phases,
  interval: 'month' as const,
  billing: 'calendar' as const,
  billedThrough: phases[0]?.from ?? parseInstant(START),
});
/** `phase plan from-to, share from-to`, days of November. */
const shown = (phases: readonly Phase[], end: string | null = null, span: BillingPeriod = NOVEMBER) =>
  segmentsIn(subscription(phases, end), span).map(({ phase, plan, start, end: until, share }) =>
    [phase, plan, `${dayOf(start)}-${dayOf(until)}`, `share ${dayOf(share.start)}-${dayOf(share.end)}`].join(' '),
  );
const dayOf = (instant: string) => instant.slice(5, 10);

describe('the segments of a period', () => {
  test('are cut where the plan changes, each with its own share', () => {
    const phases = phasesOf([START, 'growth'], ['2026-11-15T00:00:00Z', 'max']);
    expect(shown(phases)).toEqual(['1 growth 11-01-11-15 share 11-01-11-15', '2 max 11-15-12-01 share 11-15-12-01']);
  });

  test('without proration leave the share with the plan before, to the end of the period or of the subscription', () => {
    const phases = phasesOf([START, 'growth'], ['2026-11-15T00:00:00Z', 'max', 'active', false]);
    expect(shown(phases)).toEqual(['1 growth 11-01-11-15 share 11-01-12-01', '2 max 11-15-12-01 share 11-15-11-15']);
    expect(shown(phases, '2026-11-20T00:00:00Z')).toEqual([
      '1 growth 11-01-11-15 share 11-01-11-20',
      '2 max 11-15-11-20 share 11-15-11-15',
    ]);
    const december = parseBillingPeriod('2026-12', 'UTC');
    expect(shown(phases, null, december)).toEqual(['2 max 12-01-01-01 share 12-01-01-01']);
  });

  test('without proration several times, and then with it', () => {
    const phases = phasesOf(
      [START, 'a'],
      ['2026-11-05T00:00:00Z', 'b', 'active', false],
      ['2026-11-10T00:00:00Z', 'c', 'active', false],
      ['2026-11-20T00:00:00Z', 'd'],
      ['2026-11-25T00:00:00Z', 'e', 'active', false],
    );
    expect(shown(phases)).toEqual([
      '1 a 11-01-11-05 share 11-01-11-20',
      '2 b 11-05-11-10 share 11-05-11-05',
      '3 c 11-10-11-20 share 11-10-11-10',
      '4 d 11-20-11-25 share 11-20-12-01',
      '5 e 11-25-12-01 share 11-25-11-25',
    ]);
  });

  test('leave out pauses and trials, and begin afresh after them', () => {
    const phases = phasesOf(
      [START, 'a', 'trial'],
      ['2026-11-05T00:00:00Z', 'b', 'active', false],
      ['2026-11-10T00:00:00Z', 'b', 'paused'],
      ['2026-11-20T00:00:00Z', 'c', 'paused', false],
      ['2026-11-25T00:00:00Z', 'c', 'active'],
    );
    expect(shown(phases)).toEqual(['2 b 11-05-11-10 share 11-05-11-10', '5 c 11-25-12-01 share 11-25-12-01']);
    const spans = idleSpansIn(subscription(phases), NOVEMBER).map(({ start, end }) => `${dayOf(start)}-${dayOf(end)}`);
    expect(spans).toEqual(['11-01-11-05', '11-10-11-20', '11-20-11-25']);
  });

  test('are never empty: a change at a boundary of the period makes one segment on either side', () => {
    for (const prorate of [true, false]) {
      const phases = phasesOf([START, 'growth'], ['2026-12-01T00:00:00Z', 'max', 'active', prorate]);
      expect(shown(phases)).toEqual(['1 growth 11-01-12-01 share 11-01-12-01']);
      const december = parseBillingPeriod('2026-12', 'UTC');
      expect(shown(phases, null, december)).toEqual(['2 max 12-01-01-01 share 12-01-01-01']);
    }
  });
});

describe('the next service', () => {
  const next = (phases: readonly Phase[], more: { end?: string; billedThrough?: string; timeZone?: string } = {}) => {
    const { end = null, billedThrough, timeZone = 'UTC' } = more;
    const known = subscription(phases, end);
    const service = nextService(
      { ...known, billedThrough: billedThrough ? parseInstant(billedThrough) : known.billedThrough },
      timeZone,
    );
    return service && [service.period.key, ...service.segments.map(({ phase }) => phase), `through ${service.end}`];
  };

  test('passes over periods that lie wholly in a trial or a pause', () => {
    const trial = phasesOf(['2026-11-20T00:00:00Z', 'a', 'trial'], ['2027-01-10T00:00:00Z', 'a']);
    expect(next(trial)).toEqual(['2027-01', 2, 'through 2027-02-01T00:00:00.000Z']);
    const paused = phasesOf([START, 'a'], ['2026-11-10T00:00:00Z', 'a', 'paused'], ['2027-03-01T00:00:00Z', 'a']);
    expect(next(paused)).toEqual(['2026-11', 1, 'through 2026-12-01T00:00:00.000Z']);
    expect(next(paused, { billedThrough: '2026-12-01T00:00:00Z' })).toEqual([
      '2027-03',
      3,
      'through 2027-04-01T00:00:00.000Z',
    ]);
  });

  test('is none while a pause has no end, in a trial that the subscription ends with, and once all is billed', () => {
    const paused = phasesOf([START, 'a'], ['2026-11-10T00:00:00Z', 'a', 'paused']);
    expect(next(paused, { billedThrough: '2026-12-01T00:00:00Z' })).toBeNull();
    const trial = phasesOf([START, 'a', 'trial'], ['2026-11-20T00:00:00Z', 'a']);
    expect(next(trial, { end: '2026-11-20T00:00:00Z' })).toBeNull();
    expect(next(trial, { end: '2026-11-20T00:15:00Z' })).toEqual(['2026-11', 2, 'through 2026-11-20T00:15:00.000Z']);
    const ended = { end: '2026-11-20T00:00:00Z', billedThrough: '2026-11-20T00:00:00Z' };
    expect(next(onePhase(START), ended)).toBeNull();
    // withdrawn before it began
    expect(next(onePhase(START), { end: START })).toBeNull();
  });

  test('holds every part of the period, up to the end of the subscription', () => {
    const phases = phasesOf([START, 'a'], ['2026-11-10T00:00:00Z', 'b'], ['2026-11-20T00:00:00Z', 'c']);
    expect(next(phases)).toEqual(['2026-11', 1, 2, 3, 'through 2026-12-01T00:00:00.000Z']);
    expect(next(phases, { end: '2026-11-15T00:00:00Z' })).toEqual([
      '2026-11',
      1,
      2,
      'through 2026-11-15T00:00:00.000Z',
    ]);
  });

  test('is cut at the midnights of the customer, off the hour too', () => {
    // 2026-11 in Kathmandu (+05:45) is [2026-10-31T18:15Z, 2026-11-30T18:15Z); a change at its boundary makes no empty part
    const phases = phasesOf(['2026-10-31T18:15:00Z', 'a'], ['2026-11-30T18:15:00Z', 'b', 'active', false]);
    expect(next(phases, { timeZone: 'Asia/Kathmandu' })).toEqual(['2026-11', 1, 'through 2026-11-30T18:15:00.000Z']);
    expect(next(phases, { timeZone: 'Asia/Kathmandu', billedThrough: '2026-11-30T18:15:00Z' })).toEqual([
      '2026-12',
      2,
      'through 2026-12-31T18:15:00.000Z',
    ]);
  });
});

describe('shares of a period', () => {
  const QUARTER = 900_000;
  /** 2026-10 and 2026-11 hold the end of summer time in each of these. */
  const periods = ['UTC', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'Europe/Berlin'].flatMap(
    (zone) => ['2026-10', '2026-11', '2027-02', '2027-03'].map((key) => parseBillingPeriod(key, zone)),
  );
  const quarterIn = ({ start, end }: BillingPeriod, part: number) => {
    const quarters = (millisOf(end) - millisOf(start)) / QUARTER;
    return instantFromMillis(millisOf(start) + Math.floor(part * quarters) * QUARTER);
  };
  const changes = fc.array(
    fc.record({
      part: fc.double({ min: 0, max: 0.999999, noNaN: true }),
      plan: fc.constantFrom('a', 'b', 'c'),
      prorate: fc.boolean(),
    }),
    { maxLength: 6 },
  );
  const period = fc.constantFrom(...periods);
  const unit = fc.constantFrom<ProrationUnit>('day', 'second');
  const sumOf = (known: ReturnType<typeof subscription>, within: BillingPeriod, by: ProrationUnit) =>
    segmentsIn(known, within)
      .map(({ share }) => fractionOf(prorationOf(share, within, by)))
      .reduce((sum, fraction) => sum.plus(fraction), Rational.ZERO);

  test('add up to the whole, however often the plan changes and whether it is prorated or not', () => {
    fc.assert(
      fc.property(period, unit, changes, (within, by, asked) => {
        let known = subscription(onePhase(within.start));
        for (const { part, plan, prorate } of asked.toSorted((x, y) => x.part - y.part)) {
          const at = quarterIn(within, part);
          known = { ...known, phases: withPlan(known, { at, plan, planVersion: 1, prorate }) };
        }
        expect(sumOf(known, within, by).toString()).toBe('1');
        const segments = segmentsIn(known, within);
        expect([segments[0]?.start, segments.at(-1)?.end]).toEqual([within.start, within.end]);
        for (const [index, { start, end }] of segments.entries()) {
          expect(start < end).toBe(true);
          if (index > 0) expect(segments[index - 1]?.end).toBe(start);
        }
      }),
    );
  });

  test('with a pause in between add up to the whole without the pause', () => {
    fc.assert(
      fc.property(
        period,
        unit,
        fc.tuple(fc.double({ min: 0, max: 0.5, noNaN: true }), fc.double({ min: 0.5, max: 0.99, noNaN: true })),
        (within, by, [a, b]) => {
          const [from, to] = [quarterIn(within, a), quarterIn(within, b)];
          const running = subscription(onePhase(within.start));
          const paused = { ...running, phases: withPause(running, from) };
          const resumed = { ...paused, phases: withResumption(paused, to) };
          const pause = fractionOf(prorationOf({ start: from, end: to }, within, by));
          expect(sumOf(resumed, within, by).plus(pause).toString()).toBe('1');
        },
      ),
    );
  });

  test('go back to one whole segment when a change is taken back at its instant', () => {
    fc.assert(
      fc.property(period, fc.double({ min: 0, max: 0.999, noNaN: true }), fc.boolean(), (within, part, prorate) => {
        const known = subscription(onePhase(within.start));
        const at = quarterIn(within, part);
        const changed = { ...known, phases: withPlan(known, { at, plan: 'max', planVersion: 1, prorate }) };
        expect(withPlan(changed, { at, plan: 'growth', planVersion: 1, prorate: !prorate })).toEqual(known.phases);
      }),
    );
  });
});
