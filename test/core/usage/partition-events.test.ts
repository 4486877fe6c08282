import { beforeEach, describe, expect, test } from 'vitest';
import { usageLog } from '../../../adapters/dynamodb/usage-log.ts';
import type { LoggedEvent } from '../../../core/usage/chunk.ts';
import { type PartitionQuery, partitionEvents } from '../../../core/usage/partition-events.ts';
import { PartitionState } from '../../../core/usage/partition-state.ts';
import { type PartitionShare, planChunk } from '../../../core/usage/plan-chunk.ts';
import type { UsageLog } from '../../../core/usage/ports.ts';
import { logged, memoryTables, NOW_MILLIS, PLACE, share, TABLES, voidShare } from '../../support/usage-fixtures.ts';

const MICROS = NOW_MILLIS * 1000;
let log: UsageLog;
let state: PartitionState;

beforeEach(() => {
  log = usageLog(memoryTables().client(), TABLES.log);
  state = new PartitionState();
});

/** Each list of shares becomes one chunk. */
async function append(...chunks: readonly (readonly PartitionShare[])[]): Promise<void> {
  for (const shares of chunks) {
    const chunk = planChunk(state, shares, NOW_MILLIS);
    if (chunk === null) throw new Error('nothing to append');
    await log.putChunk(PLACE, chunk);
    state.apply(chunk);
  }
}

/** As `sequence id`, and what voided it as `/sequence reason`. */
async function read(query: PartitionQuery = {}): Promise<string[]> {
  const found: string[] = [];
  for await (const { sequence, event, voidedBy } of partitionEvents(PLACE, query, { log })) {
    found.push(`${sequence} ${event.id}${voidedBy === null ? '' : `/${voidedBy.sequence} ${voidedBy.reason}`}`);
  }
  return found;
}

const at = (id: string, occurredAtMicros: number, customer = 'ada'): LoggedEvent =>
  logged({ id, occurredAtMicros, customer });

describe('the events of a partition', () => {
  test('come in the order of the log, each with the void that came before, with or after it', async () => {
    await append(
      [share('b-1', [at('a', MICROS), at('b', MICROS)]), voidShare('v-1', ['c'], 'first')],
      [share('b-2', [at('c', MICROS), at('d', MICROS)]), voidShare('v-2', ['d'], 'with')],
      [voidShare('v-3', ['a'], 'after')],
    );
    expect(await read()).toEqual(['1 a/3 after', '1 b', '2 c/1 first', '2 d/2 with']);
  });

  test('are those up to a chunk, with the voids up to that chunk', async () => {
    await append([share('b-1', [at('a', MICROS)])], [share('b-2', [at('b', MICROS)])], [voidShare('v-1', ['a'], 'x')]);
    expect(await read({ upTo: 2 })).toEqual(['1 a', '2 b']);
    expect(await read({ upTo: 3 })).toEqual(['1 a/3 x', '2 b']);
    expect(await read({ after: 1 })).toEqual(['2 b']);
    expect(await read({ upTo: 0 })).toEqual([]);
  });

  test('are passed over by whole chunks whose times or customers cannot matter', async () => {
    await append([share('b-1', [at('a', MICROS, 'ada')])], [share('b-2', [at('b', MICROS + 9, 'bob')])]);
    expect(await read({ occurred: { from: MICROS + 1, to: MICROS + 9 } })).toEqual(['2 b']);
    expect(await read({ occurred: { from: MICROS, to: MICROS } })).toEqual(['1 a']);
    expect(await read({ occurred: { from: MICROS + 10, to: MICROS + 20 } })).toEqual([]);
    expect(await read({ customers: new Set(['bob']) })).toEqual(['2 b']);
    expect(await read({ customers: new Set(['eve']) })).toEqual([]);
    expect(await read({ customers: new Set(['eve', 'ada']) })).toEqual(['1 a']);
  });
});
