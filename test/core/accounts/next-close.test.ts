import { describe, expect, test } from 'vitest';
import {
  afterOpening,
  afterService,
  type Billable,
  nextClose,
  nextService,
  opensAt,
} from '../../../core/accounts/next-close.ts';
import { parseInstant } from '../../../core/time/instant.ts';
import { onePhase, phasesOf } from '../../support/subscription-fixtures.ts';

const at = (text: string) => parseInstant(text);
const NOV_10 = at('2026-11-10T00:00:00Z');
const DEC_1 = at('2026-12-01T00:00:00Z');
const JAN_1 = at('2027-01-01T00:00:00Z');

function begunOn10November(change: Partial<Billable> = {}): Billable {
  return {
    start: NOV_10,
    end: null,
    interval: 'month',
    billing: 'calendar',
    billedThrough: NOV_10,
    phases: onePhase('2026-11-10T00:00:00Z'),
    ...change,
  };
}

describe('a subscription with fees in advance', () => {
  test('is due where it begins, then at the end of each month', () => {
    const fresh = begunOn10November({ advanceThrough: NOV_10 });
    expect([opensAt(fresh, 'UTC'), nextClose(fresh, 'UTC')]).toEqual([NOV_10, NOV_10]);
    const opened = afterOpening(fresh, 'UTC');
    expect(opened).toMatchObject({ billedThrough: NOV_10, advanceThrough: DEC_1 });
    expect([opensAt(opened, 'UTC'), nextClose(opened, 'UTC')]).toEqual([null, DEC_1]);
    const billed = afterService(opened, DEC_1, 'UTC');
    expect(billed).toMatchObject({ billedThrough: DEC_1, advanceThrough: JAN_1 });
    expect([opensAt(billed, 'UTC'), nextClose(billed, 'UTC')]).toEqual([null, JAN_1]);
  });

  test('opens where its trial ends, and what lies before is passed over', () => {
    const phases = phasesOf(['2026-11-10T00:00:00Z', 'growth', 'trial'], ['2026-12-24T00:00:00Z', 'growth']);
    const trial = begunOn10November({ phases, advanceThrough: NOV_10 });
    expect(opensAt(trial, 'UTC')).toBe('2026-12-24T00:00:00.000Z');
    expect(afterOpening(trial, 'UTC')).toMatchObject({ billedThrough: DEC_1, advanceThrough: JAN_1 });
  });

  test('that ended where it is billed to has the paid month left, with nothing in it', () => {
    const ended = begunOn10November({ billedThrough: DEC_1, advanceThrough: JAN_1, end: DEC_1 });
    expect(nextService(ended, 'UTC')).toMatchObject({ period: { key: '2026-12' }, segments: [], end: DEC_1 });
    expect([opensAt(ended, 'UTC'), nextClose(ended, 'UTC')]).toEqual([null, JAN_1]);
    expect(nextService(afterService(ended, DEC_1, 'UTC'), 'UTC')).toBeNull();
  });

  test('that is paused over a paid month has that month to settle, and opens again when it goes on', () => {
    const active = ['2026-11-10T00:00:00Z', 'growth'] as const;
    const paused = ['2026-12-01T00:00:00Z', 'growth', 'paused'] as const;
    const idle = begunOn10November({ phases: phasesOf(active, paused), billedThrough: DEC_1, advanceThrough: JAN_1 });
    expect(nextService(idle, 'UTC')).toMatchObject({ period: { key: '2026-12' }, segments: [], end: JAN_1 });
    const settled = afterService(idle, JAN_1, 'UTC');
    expect(nextClose(settled, 'UTC')).toBeNull();
    const phases = phasesOf(active, paused, ['2027-02-10T00:00:00Z', 'growth']);
    expect(opensAt({ ...settled, phases }, 'UTC')).toBe('2027-02-10T00:00:00.000Z');
  });
});

test('a subscription without fees in advance never opens, and is due when its month closes', () => {
  const plain = begunOn10November();
  expect([opensAt(plain, 'UTC'), nextClose(plain, 'UTC')]).toEqual([null, DEC_1]);
  expect(afterService(plain, DEC_1, 'UTC').advanceThrough).toBeUndefined();
});
