import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parkingLot } from '../../../adapters/dynamodb/parking-lot.ts';
import { usageClaims } from '../../../adapters/dynamodb/usage-claims.ts';
import { usageLog } from '../../../adapters/dynamodb/usage-log.ts';
import { usageRegistry } from '../../../adapters/dynamodb/usage-registry.ts';
import type { ProjectId } from '../../../core/ids.ts';
import { appendUsage } from '../../../core/usage/append-usage.ts';
import { encodeChunkBody, type LoggedEvent, type StoredChunk } from '../../../core/usage/chunk.ts';
import type { PartitionHeader } from '../../../core/usage/log-partition.ts';
import { parkDeadLetter } from '../../../core/usage/park-dead-letter.ts';
import { PartitionCache } from '../../../core/usage/partition-state.ts';
import { encodeUsageBatches } from '../../../core/usage/usage-batch.ts';
import { type ApiUnderTest, apiOver } from '../../support/api-client.ts';
import { createLogTables, type LocalTables, startLocalTables } from '../../support/local-tables.ts';
import { clockAt, logged, NOW_MILLIS } from '../../support/usage-fixtures.ts';

let tables: LocalTables;
let api: ApiUnderTest;
let project: ProjectId;
let admin: string;
let count = 0;

beforeAll(async () => {
  tables = await startLocalTables();
  await createLogTables(tables.client);
});
afterAll(() => tables.stop());
beforeEach(async () => {
  count += 1;
  project = `prj_audit${count}` as ProjectId;
  api = await apiOver(tables, '2026-11-21T10:17:33.000Z');
  admin = await api.newKey(project, ['admin']);
});

const HERE = '0.2026112103';
const lot = () => parkingLot(tables.client, tables.usageViews);
const log = () => usageLog(tables.client, 'UsageLog');
const pin = (header: PartitionHeader = { shards: 1, widthMinutes: 60, spread: {} }) =>
  usageClaims(tables.client, 'UsageClaims').pinHeader(project, NOW_MILLIS, header);

function message(batchId: string, events: readonly Partial<LoggedEvent>[], partitions = [HERE], rejected = 0) {
  const placed = partitions.flatMap((partition) =>
    events.map((change, index) => {
      const { meterRevision: _revision, ...event } = logged({ ...change, index });
      return { ...event, partition };
    }),
  );
  const batch = { project, batchId, rejected, meterRevision: 1, receivedAtMillis: NOW_MILLIS, events: placed };
  return { messageId: `m-${batchId}`, body: encodeUsageBatches(batch)[0] ?? '' };
}
async function append(...messages: ReturnType<typeof message>[]) {
  const { failed } = await appendUsage(messages, {
    log: log(),
    registry: usageRegistry(tables.client, tables.usageViews),
    parking: lot(),
    clock: clockAt(NOW_MILLIS),
    cache: new PartitionCache(),
    registered: new Set(),
    pause: async () => {},
  });
  expect(failed).toEqual([]);
}
const deadLetter = (letter: ReturnType<typeof message>) =>
  parkDeadLetter(letter, { parking: lot(), clock: clockAt(NOW_MILLIS) });
const audit = (more = '', hour = '2026-11-21T03') => api.call(`/v1/audit/usage?hour=${hour}${more}`, { key: admin });
const ZERO = {
  ...{ accepted: 0, stored: 0, duplicates: 0, retimed: 0 },
  ...{ conflicts: 0, parked: 0, discarded: 0, rejected: 0 },
};

describe('GET /v1/audit/usage', () => {
  it('accounts for every accepted event of the hour, whatever became of it', async () => {
    await pin();
    await append(message('b-1', [{ id: 'a' }, { id: 'b' }, { id: 'c' }], [HERE], 4));
    await append(
      message('b-2', [{ id: 'a' }, { id: 'b', occurredAtMicros: 1 }, { id: 'c', type: 'other' }, { id: 'd' }]),
      message('elsewhere', [{ id: 'z' }], ['0.2026112104']),
    );
    await deadLetter(message('b-3', [{ id: 'e' }, { id: 'f' }]));
    await deadLetter(message('b-4', [{ id: 'g' }]));
    await api.call('/v1/parked/undeliverable:b-4/discard', { key: admin, method: 'POST' });
    const { status, body } = await audit();
    // 7 in receipts, 2 parked, 1 discarded: 10 = 4 stored + 1 + 1 + 1 + 2 + 1
    const counts = {
      ...{ accepted: 10, stored: 4, duplicates: 1, retimed: 1 },
      ...{ conflicts: 1, parked: 2, discarded: 1, rejected: 4 },
    };
    expect([status, body.hour, body.balances, body.parking_whole, body.next_cursor]).toEqual([
      ...[200, '2026-11-21T03', true, true, null],
    ]);
    expect(body.total).toEqual(counts);
    expect(body.partitions).toEqual([{ partition: HERE, chunks: 2, counts, balances: true, differences: [] }]);
    expect(body.conflicts).toEqual([
      {
        ...{ partition: HERE, batch_id: 'b-2', id: 'c', type: 'other', customer: 'ada', source: '' },
        time: '2026-11-21T03:00:00.000Z',
      },
    ]);
    expect(body.not_seen).toHaveLength(3);
  });

  it('counts a parked message only where the log has not settled it', async () => {
    await pin({ shards: 2, widthMinutes: 60, spread: {} });
    await append(message('b-1', [{ id: 'a' }]));
    // The same message also carried an event of shard 1, which was never appended.
    await deadLetter(message('b-1', [{ id: 'a' }], [HERE, '1.2026112103']));
    const { body } = await audit();
    expect(body.partitions.map(({ counts }: { counts: object }) => counts)).toEqual([
      { ...ZERO, accepted: 1, stored: 1 },
      { ...ZERO, accepted: 1, parked: 1 },
    ]);
  });

  it.each([
    [
      'a stored event that no receipt tells of',
      { events: [logged(), logged({ id: 'x' })] },
      'stored events and voids are 2, and 1',
    ],
    ['an event that is lost', { events: [] }, 'stored events and voids are 0, and 1'],
    ['a running total that jumps', { total: 5 }, 'events and voids up to here are 5, and 1'],
    ['an identity that is missing', { fingerprints: new Uint8Array() }, 'identities up to here are 0, and 1'],
    ['a chunk that is missing', { sequence: 2 }, 'Chunk 1 is missing'],
    ['a receipt that does not add up', { carried: 2 }, 'events of message b are 2, and 1'],
  ])('does not balance with %s, and says so', async (_what, change, sentence) => {
    const { events, carried, ...fields } = { events: [logged()], carried: 1, ...change };
    const receipt = { batchId: 'b', carried, stored: 1, duplicates: 0, retimed: 0, conflicts: 0, rejected: 0 };
    const content = {
      ...{ events, receipts: [receipt], conflicts: [], retimed: [] },
      voids: [],
      dead: new Set<number>(),
    };
    const chunk: StoredChunk = {
      ...{ sequence: 1, fingerprints: new Uint8Array(16), digests: new Uint8Array(8), settled: new Uint8Array(16) },
      ...{ body: encodeChunkBody(content), events: 1, total: 1, appendedAtMillis: NOW_MILLIS, range: null },
      ...{ customers: new Uint8Array(), voided: new Uint8Array() },
      ...fields,
    };
    await pin();
    await log().putChunk({ project, partition: HERE }, chunk);
    const { body } = await audit();
    expect([body.balances, body.partitions[0].balances]).toEqual([false, false]);
    expect(body.partitions[0].differences.join('\n')).toContain(sentence);
  });

  it('goes through the partitions of an hour page by page', async () => {
    await pin({ shards: 61, widthMinutes: 60, spread: {} });
    await append(message('b-1', [{ id: 'a' }], [HERE, '60.2026112103']));
    const first = await audit();
    expect([first.body.partitions.length, first.body.total.stored, first.body.next_cursor]).toEqual([
      ...[60, 1, '59.2026112103'],
    ]);
    const second = await audit(`&cursor=${first.body.next_cursor}`);
    expect([second.body.partitions.length, second.body.total.stored, second.body.next_cursor]).toEqual([1, 1, null]);
    const wrong = await audit('&cursor=0.2026112104');
    expect([wrong.status, wrong.body.code]).toEqual([400, 'cursor_invalid']);
  });

  it('knows the quarters of an hour with narrow partitions', async () => {
    await pin({ shards: 1, widthMinutes: 15, spread: {} });
    const names = (await audit()).body.partitions.map(({ partition }: { partition: string }) => partition);
    expect(names).toEqual(['00', '15', '30', '45'].map((minute) => `0.2026112103${minute}`));
  });

  it('has nothing to show where nothing was accepted, and refuses what the log no longer holds', async () => {
    expect((await audit()).body).toMatchObject({ balances: true, total: ZERO, partitions: [] });
    // The log of an hour lives for 80 days after its end: on 2026-11-21 that is the hour of 2026-09-02 at 10.
    expect((await audit('', '2026-09-02T10')).status).toBe(200);
    expect((await audit('', '2026-09-02T09')).body.code).toBe('hour_expired');
    for (const hour of ['2026-11-21', '2026-11-21T24', '2026-13-01T00', '2026-02-30T00', 'x'])
      expect((await audit('', hour)).body.code).toBe('query_invalid');
  });
});
