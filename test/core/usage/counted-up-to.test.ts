import { beforeEach, describe, expect, test } from 'vitest';
import { usageLog } from '../../../adapters/dynamodb/usage-log.ts';
import { usageRegistry } from '../../../adapters/dynamodb/usage-registry.ts';
import { usageViews } from '../../../adapters/dynamodb/usage-views.ts';
import { countedUpTo } from '../../../core/usage/counted-up-to.ts';
import { hourKey } from '../../../core/usage/log-partition.ts';
import { PartitionState } from '../../../core/usage/partition-state.ts';
import { planChunk } from '../../../core/usage/plan-chunk.ts';
import { clockAt, logged, memoryTables, NOW_MILLIS, PROJECT, share, TABLES } from '../../support/usage-fixtures.ts';

/** Now is 2026-11-21T03:00:00Z; three hours before it the day had just begun. */
const MINUTE = 60_000;

let log: ReturnType<typeof usageLog>;
let views: ReturnType<typeof usageViews>;
let registry: ReturnType<typeof usageRegistry>;

beforeEach(() => {
  const client = memoryTables().client();
  log = usageLog(client, TABLES.log);
  views = usageViews(client, TABLES.views);
  registry = usageRegistry(client, TABLES.views);
});

const upTo = (atMillis = NOW_MILLIS) => countedUpTo(PROJECT, { log, views, registry, clock: clockAt(atMillis) });

/** Appends chunks of one event to a partition at those times. */
async function append(partition: string, ...times: readonly number[]): Promise<void> {
  const state = new PartitionState();
  for (const [i, millis] of times.entries()) {
    const chunk = planChunk(state, [share(`${partition}-${i}`, [logged({ id: `${partition}-${i}` })])], millis);
    if (chunk === null) throw new Error('nothing to append');
    await registry.register({ project: PROJECT, partition }, hourKey(millis), 2_000_000_000);
    await log.putChunk({ project: PROJECT, partition }, chunk);
    state.apply(chunk);
  }
}
const fold = (partition: string, sequence: number) =>
  views.advanceCursor(
    { project: PROJECT, partition },
    { sequence, total: sequence, foldedAtMillis: NOW_MILLIS, days: 1 },
  );

describe('how fresh usage is', () => {
  test('is now when everything in the log is folded, or nothing was appended', async () => {
    expect(await upTo()).toBe('2026-11-21T03:00:00.000Z');
    await append('0.2026112102', NOW_MILLIS - 30 * MINUTE);
    await fold('0.2026112102', 1);
    expect(await upTo()).toBe('2026-11-21T03:00:00.000Z');
  });

  test('is the time of the oldest chunk that is not folded, of any partition', async () => {
    await append('0.2026112102', NOW_MILLIS - 30 * MINUTE, NOW_MILLIS - 20 * MINUTE, NOW_MILLIS - 10 * MINUTE);
    await append('1.2026112102', NOW_MILLIS - 15 * MINUTE);
    await fold('0.2026112102', 1);
    expect(await upTo()).toBe('2026-11-21T02:40:00.000Z');
    await fold('0.2026112102', 3);
    expect(await upTo()).toBe('2026-11-21T02:45:00.000Z');
  });

  test('looks across midnight', async () => {
    await append('0.2026112023', NOW_MILLIS - 185 * MINUTE);
    // 2026-11-20T23:55 is seen from 01:30
    expect(await upTo(NOW_MILLIS - 90 * MINUTE)).toBe('2026-11-20T23:55:00.000Z');
  });

  test('is the beginning of the hours looked at when there are too many partitions to look at each', async () => {
    for (let i = 0; i < 201; i++) {
      await registry.register({ project: PROJECT, partition: `${i}.2026112102` }, '2026112102', 2_000_000_000);
    }
    expect(await upTo(NOW_MILLIS + 30 * MINUTE)).toBe('2026-11-21T01:00:00.000Z');
  });
});
