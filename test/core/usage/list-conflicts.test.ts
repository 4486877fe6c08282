import { beforeEach, describe, expect, test } from 'vitest';
import { usageLog } from '../../../adapters/dynamodb/usage-log.ts';
import { usageRegistry } from '../../../adapters/dynamodb/usage-registry.ts';
import { instantFromMillis } from '../../../core/time/instant.ts';
import type { LoggedEvent } from '../../../core/usage/chunk.ts';
import { type ListResendsDeps, type ListResendsInput, listResends } from '../../../core/usage/list-conflicts.ts';
import { hourKey } from '../../../core/usage/log-partition.ts';
import { PartitionState } from '../../../core/usage/partition-state.ts';
import { planChunk } from '../../../core/usage/plan-chunk.ts';
import { clockAt, logged, memoryTables, NOW_MILLIS, PROJECT, share, TABLES } from '../../support/usage-fixtures.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const MICROS = NOW_MILLIS * 1000;

let deps: ListResendsDeps;
let log: ReturnType<typeof usageLog>;
let registry: ReturnType<typeof usageRegistry>;
let states: Map<string, PartitionState>;

beforeEach(() => {
  const client = memoryTables().client();
  log = usageLog(client, TABLES.log);
  registry = usageRegistry(client, TABLES.views);
  deps = { log, registry, clock: clockAt(NOW_MILLIS + 2 * DAY) };
  states = new Map();
});

async function append(partition: string, events: readonly LoggedEvent[], atMillis = NOW_MILLIS): Promise<void> {
  const state = states.get(partition) ?? new PartitionState();
  states.set(partition, state);
  const chunk = planChunk(state, [share(`b-${state.head}`, events)], atMillis);
  if (chunk === null) throw new Error('nothing to append');
  await registry.register({ project: PROJECT, partition }, hourKey(atMillis), 2_000_000_000);
  await log.putChunk({ project: PROJECT, partition }, chunk);
  state.apply(chunk);
}

const list = (change: Partial<ListResendsInput> = {}) =>
  listResends(
    {
      ...{ project: PROJECT, from: instantFromMillis(NOW_MILLIS), to: instantFromMillis(NOW_MILLIS + DAY), limit: 50 },
      ...change,
    },
    deps,
  );
const first = logged({ id: 'order-1', properties: { tokens: '1' } });

describe('conflicts and retimed resends', () => {
  test('are shown with both bodies, from the same chunk or a later one', async () => {
    const changed = logged({ id: 'order-1', properties: { tokens: '7' } });
    const retimed = logged({ id: 'order-1', properties: { tokens: '1' }, occurredAtMicros: MICROS + 5 });
    await append('0.2026112103', [first, changed]);
    await append('0.2026112103', [first, retimed], NOW_MILLIS + HOUR);
    const { items, cursor } = await list();
    expect(cursor).toBeNull();
    expect(items).toEqual([
      {
        ...{ kind: 'conflict', stored: first, refused: changed, batchId: 'b-0' },
        ...{ partition: '0.2026112103', sequence: 1, appendedAtMillis: NOW_MILLIS },
      },
      {
        ...{ kind: 'retimed', stored: first, refused: { ...retimed, index: 0 }, batchId: 'b-1' },
        ...{ partition: '0.2026112103', sequence: 2, appendedAtMillis: NOW_MILLIS + HOUR },
      },
    ]);
  });

  test('are those appended within the span, half-open, whatever the day', async () => {
    const other = (n: number) => logged({ id: 'order-1', properties: { tokens: String(n) } });
    await append('0.2026112103', [first, other(2)], NOW_MILLIS - 1);
    await append('0.2026112103', [other(3)], NOW_MILLIS);
    await append('0.2026112103', [other(4)], NOW_MILLIS + DAY - 1);
    await append('0.2026112103', [other(5)], NOW_MILLIS + DAY);
    const { items } = await list();
    expect(items.map(({ refused }) => refused.properties.tokens)).toEqual(['3', '4']);
  });

  test('come page by page, each once, with bounded work a page', async () => {
    for (let p = 0; p < 70; p++) {
      const partition = `${p}.2026112103`;
      await append(partition, [logged({ id: `o-${p}` }), logged({ id: `o-${p}`, properties: {} })]);
    }
    const found: string[] = [];
    let pages = 0;
    for (let cursor: string | undefined | null; cursor !== null; pages++) {
      const page = await list({ limit: 25, cursor });
      found.push(...page.items.map(({ stored }) => stored.id));
      cursor = page.cursor;
    }
    expect([pages, found.length, new Set(found).size]).toEqual([3, 70, 70]);
    const wide = await list({ limit: 100 });
    expect([wide.items.length, wide.cursor === null]).toEqual([60, false]);
  });

  test('refuse an empty span and a cursor of another span', async () => {
    const at = instantFromMillis(NOW_MILLIS);
    await expect(list({ to: at })).rejects.toMatchObject({ code: 'span_invalid' });
    for (let p = 0; p < 2; p++)
      await append(`${p}.2026112103`, [logged({ id: `o-${p}` }), logged({ id: `o-${p}`, properties: {} })]);
    const { cursor } = await list({ limit: 1 });
    const other = { cursor: cursor ?? '', to: instantFromMillis(NOW_MILLIS + 2 * DAY) };
    await expect(list(other)).rejects.toMatchObject({ code: 'cursor_invalid' });
    await expect(list({ cursor: 'nonsense' })).rejects.toMatchObject({ code: 'cursor_invalid' });
  });
});
