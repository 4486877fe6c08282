import { beforeEach, describe, expect, test } from 'vitest';
import { instantFromMillis, parseInstant } from '../../../core/time/instant.ts';
import {
  type Backfill,
  type BackfillStore,
  closeBackfill,
  isBackfillOpen,
  openBackfill,
} from '../../../core/usage/backfill.ts';
import { clockAt, NOW_MILLIS, PROJECT } from '../../support/usage-fixtures.ts';

const DAY = 86_400_000;
const from = parseInstant('2023-11-16T00:00:00Z');

let stored: Map<string, Backfill>;
let millis: number;
let store: BackfillStore;

beforeEach(() => {
  stored = new Map();
  millis = NOW_MILLIS;
  store = {
    find: async (_project, name) => stored.get(name),
    create: async (_project, backfill) => {
      if (stored.has(backfill.name)) return 'refused';
      stored.set(backfill.name, backfill);
      return 'stored';
    },
    setStatus: async (_project, name, status) => {
      const known = stored.get(name);
      if (known === undefined) return undefined;
      stored.set(name, { ...known, status });
      return stored.get(name);
    },
    list: async () => ({ items: [...stored.values()], cursor: null }),
  };
});

const open = (name = 'march', start = from) =>
  openBackfill(
    { project: PROJECT, name, from: start },
    { backfills: store, clock: { now: () => clockAt(millis).now() } },
  );

describe('a backfill', () => {
  test('is opened under its name, and again with the same start', async () => {
    const first = await open();
    expect(first).toEqual({
      name: 'march',
      source: 'backfill:march',
      from: '2023-11-16T00:00:00.000Z',
      status: 'open',
      openedAt: '2026-11-21T03:00:00.000Z',
    });
    await closeBackfill({ project: PROJECT, name: 'march' }, { backfills: store });
    millis += DAY;
    expect(await open()).toEqual(first);
  });

  test.each([[''], ['March'], ['-a'], ['a b'], ['a/b'], ['x'.repeat(65)]])('has no such name as %j', async (name) => {
    await expect(open(name)).rejects.toMatchObject({ kind: 'invalid', code: 'backfill_name_invalid' });
  });

  test('with another start is another backfill and needs another name', async () => {
    await open();
    await expect(open('march', parseInstant('2024-01-01T00:00:00Z'))).rejects.toMatchObject({
      kind: 'conflict',
      code: 'backfill_exists',
    });
  });

  test('that is not there cannot be closed', async () => {
    await expect(closeBackfill({ project: PROJECT, name: 'march' }, { backfills: store })).rejects.toMatchObject({
      kind: 'not-found',
      code: 'backfill_not_found',
    });
  });

  test('takes events for 35 days from its first opening, because its claims are kept for 80 and no row may outlive them', async () => {
    const backfill = await open();
    const at = (after: number) => isBackfillOpen(backfill, instantFromMillis(NOW_MILLIS + after));
    expect([at(0), at(35 * DAY), at(35 * DAY + 1)]).toEqual([true, true, false]);
    expect(isBackfillOpen({ ...backfill, status: 'closed' }, instantFromMillis(NOW_MILLIS))).toBe(false);
    expect(isBackfillOpen(undefined, instantFromMillis(NOW_MILLIS))).toBe(false);
  });

  test('is not opened again when its 35 days are over: the same rows could be counted twice', async () => {
    await open();
    millis += 35 * DAY;
    await open();
    millis += 1;
    await expect(open()).rejects.toMatchObject({
      kind: 'conflict',
      code: 'backfill_expired',
      message:
        'The backfill march was opened at 2026-11-21T03:00:00.000Z and took events for 35 days. Under another name the same events would be counted again.',
    });
  });
});
