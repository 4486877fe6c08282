import { beforeEach, describe, expect, test } from 'vitest';
import type { MeterRevision } from '../../../core/catalog/meter.ts';
import type { MeterStore } from '../../../core/catalog/ports.ts';
import { writeMeter } from '../../../core/catalog/write-meter.ts';
import { BillingError } from '../../../core/errors.ts';
import type { ProjectId } from '../../../core/ids.ts';
import { parseInstant } from '../../../core/time/instant.ts';

const PROJECT = 'prj_meters' as ProjectId;
const TOKENS = { key: 'tokens', eventType: 'llm', aggregation: 'sum', value: 'tokens', dimensions: ['model'] };

let revisions: MeterRevision[];
let now: string;

beforeEach(() => {
  revisions = [];
  now = '2026-11-21T10:01:00Z';
});

const meters: MeterStore = {
  newest: async () => revisions.at(-1) ?? { revision: 0, meters: [] },
  revision: async (_project, revision) => revisions[revision - 1] ?? { revision: 0, meters: [] },
  write: async (_project, next) => {
    revisions.push(structuredClone(next));
    return 'stored';
  },
};
const write = (meter: object) =>
  writeMeter({ project: PROJECT, meter }, { meters, clock: { now: () => parseInstant(now) } });
async function refusal(meter: object): Promise<string[]> {
  try {
    await write(meter);
  } catch (error) {
    if (error instanceof BillingError)
      return [error.code, ...error.faults.map(({ field, code }) => `${field} ${code}`)];
    throw error;
  }
  return [];
}

describe('writing a meter', () => {
  test('creates it, renames it, and writes nothing for what is there', async () => {
    expect(await write(TOKENS)).toMatchObject({ revision: 1, outcome: 'created' });
    expect(await write({ ...TOKENS, reset: 'each_period' })).toMatchObject({ revision: 2, outcome: 'changed' });
    expect(await write({ ...TOKENS, reset: 'each_period' })).toMatchObject({ revision: 2, outcome: 'unchanged' });
    expect(await write({ ...TOKENS, reset: 'each_period', unit: 'tokens' })).toMatchObject({ revision: 3 });
    expect(revisions.map(({ revision }) => revision)).toEqual([1, 2, 3]);
  });

  test('refuses what never changes, and a change of counting that does not say from when', async () => {
    await write(TOKENS);
    expect(await refusal({ ...TOKENS, aggregation: 'max', effectiveAt: 'now' })).toEqual(['meter_fixed']);
    expect(await refusal({ ...TOKENS, rounding: { mode: 'up', places: 0 }, effectiveAt: 'now' })).toEqual([
      'meter_fixed',
    ]);
    expect(await refusal({ ...TOKENS, value: 'chars' })).toEqual(['meter_fixed']);
    expect(await refusal({ ...TOKENS, dimensions: [], effectiveAt: 'now' })).toEqual(['meter_fixed']);
    expect(await refusal({ ...TOKENS, dimensions: ['region', 'model'], effectiveAt: 'now' })).toEqual(['meter_fixed']);
    expect(await refusal({ ...TOKENS, key: 'new', effectiveAt: 'now' })).toEqual([
      'meter_invalid',
      'effective_at not_allowed',
    ]);
    expect(revisions).toHaveLength(1);
  });
});

describe('redefining a meter', () => {
  const changed = { ...TOKENS, value: { expression: 'input + 4 * output' } };

  test('now is the next quarter hour that no accepted event can have reached, 6 minutes ahead at least', async () => {
    await write(TOKENS);
    // 10:01 and 6 minutes are 10:07
    const { meter, outcome } = await write({ ...changed, effectiveAt: 'now' });
    expect(outcome).toBe('changed');
    expect(meter).toEqual({
      ...changed,
      effectiveAt: '2026-11-21T10:15:00.000Z',
      earlier: [{ eventType: 'llm', value: 'tokens', dimensions: ['model'] }],
    });
    expect(await write({ ...changed, effectiveAt: 'now' })).toMatchObject({ outcome: 'unchanged' });
    now = '2026-12-24T00:00:00Z';
    expect(await write({ ...changed, effectiveAt: 'now' })).toMatchObject({ outcome: 'unchanged' });
    expect(await write(changed)).toMatchObject({ outcome: 'unchanged' });
  });

  test.each([
    ['2026-11-21T10:09:00Z', '2026-11-21T10:15:00.000Z'],
    ['2026-11-21T10:09:00.001Z', '2026-11-21T10:30:00.000Z'],
  ])('at %s the first instant is %s, and none before it is taken', async (at, first) => {
    await write(TOKENS);
    now = at;
    const before = new Date(Date.parse(first) - 900_000).toISOString();
    expect(await refusal({ ...changed, effectiveAt: before })).toEqual(['meter_invalid', 'effective_at too_early']);
    expect((await write({ ...changed, effectiveAt: first })).meter.effectiveAt).toBe(first);
  });

  test('refuses an instant off the quarter hour', async () => {
    await write(TOKENS);
    expect(await refusal({ ...changed, effectiveAt: '2026-11-21T10:20:00Z' })).toEqual([
      'meter_invalid',
      'effective_at off_quarter_hour',
    ]);
  });

  test('adds dimensions between two UTC days only', async () => {
    await write(TOKENS);
    const wider = { ...TOKENS, dimensions: ['model', 'region'] };
    expect(await refusal({ ...wider, effectiveAt: 'now' })).toEqual(['meter_invalid', 'effective_at off_midnight']);
    const { meter } = await write({ ...wider, effectiveAt: '2026-11-22T00:00:00Z' });
    expect(meter.earlier).toEqual([{ eventType: 'llm', value: 'tokens', dimensions: ['model'] }]);
  });

  test('keeps what has counted and replaces what has not begun', async () => {
    await write(TOKENS);
    await write({ ...TOKENS, value: 'a', effectiveAt: '2026-11-21T11:00:00Z' });
    now = '2026-11-21T12:00:00Z';
    await write({ ...TOKENS, value: 'b', effectiveAt: '2026-11-23T00:00:00Z' });
    // moved: the same definition at another time
    await write({ ...TOKENS, value: 'b', effectiveAt: '2026-11-24T00:00:00Z' });
    // one that begins before it takes its place
    const { meter } = await write({ ...TOKENS, value: 'c', effectiveAt: '2026-11-22T00:00:00Z' });
    expect([meter.value, meter.effectiveAt]).toEqual(['c', '2026-11-22T00:00:00.000Z']);
    expect(meter.earlier?.map(({ value, effectiveAt }) => [value, effectiveAt])).toEqual([
      ['a', '2026-11-21T11:00:00.000Z'],
      ['tokens', undefined],
    ]);
  });
});

describe('a meter that looks back', () => {
  test('says from when it counts and until when events may have come without it, for good', async () => {
    const from = '2026-11-01T00:00:00.000Z';
    const { meter } = await write({ ...TOKENS, backfillFrom: '2026-11-01T00:00:00Z' });
    // 10:01 and six minutes is 10:07; the next quarter hour is 10:15.
    expect(meter.backfill).toEqual({ from, until: '2026-11-21T10:15:00.000Z' });
    expect(await write({ ...TOKENS, name: 'Tokens' })).toMatchObject({
      outcome: 'changed',
      meter: { backfill: { from } },
    });
    expect(await write({ ...TOKENS, name: 'Tokens', backfillFrom: from })).toMatchObject({ outcome: 'unchanged' });
    expect(await refusal({ ...TOKENS, backfillFrom: '2026-11-02T00:00:00Z' })).toEqual(['meter_fixed']);
  });

  test('looks back on a quarter hour, no further than the log lives, and not ahead', async () => {
    const fault = ['meter_invalid', 'backfill_from out_of_range'];
    expect(await refusal({ ...TOKENS, backfillFrom: '2026-11-01T00:01:00Z' })).toEqual(fault);
    // 79 days before 10:01 on 21 November.
    expect(await refusal({ ...TOKENS, backfillFrom: '2026-09-03T10:00:00Z' })).toEqual(fault);
    expect(await refusal({ ...TOKENS, backfillFrom: '2026-11-21T10:15:00Z' })).toEqual(fault);
    await write({ ...TOKENS, backfillFrom: '2026-09-03T10:15:00Z' });
    expect(await refusal({ ...TOKENS, backfillFrom: '2026-11-02T00:00:00Z' })).toEqual(['meter_fixed']);
  });

  test('cannot be made of one that is there', async () => {
    await write(TOKENS);
    expect(await refusal({ ...TOKENS, backfillFrom: '2026-11-01T00:00:00Z' })).toEqual(['meter_fixed']);
  });
});
