import { beforeEach, describe, expect, test } from 'vitest';
import { usageClaims } from '../../../adapters/dynamodb/usage-claims.ts';
import { usageLog } from '../../../adapters/dynamodb/usage-log.ts';
import { usageLogSearch } from '../../../adapters/dynamodb/usage-log-search.ts';
import { usageRegistry } from '../../../adapters/dynamodb/usage-registry.ts';
import { appendUsage } from '../../../core/usage/append-usage.ts';
import type { LoggedEvent } from '../../../core/usage/chunk.ts';
import { fingerprintHex, fingerprintOf } from '../../../core/usage/identity.ts';
import { DEFAULT_HEADER } from '../../../core/usage/log-partition.ts';
import { PartitionCache, PartitionState } from '../../../core/usage/partition-state.ts';
import { planChunk } from '../../../core/usage/plan-chunk.ts';
import { DAY_MILLIS, HOUR_MILLIS } from '../../../core/usage/retention.ts';
import { type EventSearch, searchEvents } from '../../../core/usage/search-events.ts';
import { encodeUsageBatches } from '../../../core/usage/usage-batch.ts';
import type { MemoryDynamoDb } from '../../support/memory-dynamodb.ts';
import {
  clockAt,
  logged,
  memoryTables,
  NOW_MILLIS,
  PARTITION,
  PROJECT,
  share,
  TABLES,
  voidShare,
} from '../../support/usage-fixtures.ts';

let database: MemoryDynamoDb;
let batches = 0;
let now = NOW_MILLIS;
beforeEach(() => {
  database = memoryTables();
  now = NOW_MILLIS;
});

const claims = () => usageClaims(database.client(), TABLES.claims);
function deps() {
  const client = database.client();
  return {
    search: usageLogSearch(client, TABLES.log),
    registry: usageRegistry(client, TABLES.views),
    headers: claims(),
    clock: clockAt(now),
  };
}

/** One chunk at `now`. */
async function append(events: readonly Partial<LoggedEvent>[], partition = PARTITION): Promise<void> {
  const client = database.client();
  const placed = events.map((change, index) => {
    const { meterRevision: _revision, ...event } = logged({ ...change, index });
    return { ...event, partition };
  });
  const batch = { project: PROJECT, batchId: `b-${++batches}`, rejected: 0, meterRevision: 1, receivedAtMillis: now };
  const body = encodeUsageBatches({ ...batch, events: placed })[0] ?? '';
  const { failed } = await appendUsage([{ messageId: 'm', body }], {
    log: usageLog(client, TABLES.log),
    registry: usageRegistry(client, TABLES.views),
    parking: { park: async () => {}, list: async () => [], remove: async () => {} },
    clock: clockAt(now),
    cache: new PartitionCache(),
    registered: new Set(),
    pause: async () => {},
  });
  expect(failed).toEqual([]);
}

const search = (filter: Partial<EventSearch> = {}) => searchEvents({ project: PROJECT, limit: 100, ...filter }, deps());
const idsOf = (page: { events: readonly { event: LoggedEvent }[] }) => page.events.map(({ event }) => event.id);

/** Every page of a search, to the end. */
async function all(filter: Partial<EventSearch>) {
  const ids: string[] = [];
  let cursor: string | undefined;
  let pages = 0;
  do {
    const page = await search({ ...filter, cursor });
    ids.push(...idsOf(page));
    cursor = page.cursor ?? undefined;
    pages += 1;
  } while (cursor !== undefined && pages < 1_000);
  return { ids, pages };
}

describe('searching the log', () => {
  test('goes from the newest append day to the oldest, through its partitions and chunks', async () => {
    await append([{ id: 'a' }, { id: 'b' }], '0.2026112102');
    await append([{ id: 'c' }]);
    await append([{ id: 'd' }]);
    now += DAY_MILLIS;
    // A late one of the old hour: of today's append day, though of yesterday's partition.
    await append([{ id: 'late' }]);
    await append([{ id: 'today' }], '0.2026112203');
    expect(await all({})).toEqual({ ids: ['today', 'late', 'd', 'c', 'b', 'a'], pages: 1 });
    const page = await search({ id: 'c' });
    expect(page.events[0]).toMatchObject({
      partition: PARTITION,
      sequence: 1,
      position: 0,
      appendedAtMillis: NOW_MILLIS,
    });
    expect(page.events[0]?.batchId).toMatch(/^b-\d+$/);
  });

  test.each([1, 2, 3, 7])('gives every event once, in the same order, in pages of %i', async (limit) => {
    for (let chunk = 0; chunk < 3; chunk++) {
      now = NOW_MILLIS + chunk * DAY_MILLIS;
      for (const partition of [PARTITION, '1.2026112103', '0.2026112102'])
        await append(
          [1, 2, 3].map((n) => ({ id: `${chunk}-${partition}-${n}` })),
          partition,
        );
    }
    const whole = await all({});
    expect(new Set(whole.ids).size).toBe(27);
    const paged = await all({ limit });
    expect(paged.ids).toEqual(whole.ids);
  });

  test('finds by customer, type, source and time, and tells events of one message from those of another', async () => {
    const at = (minutes: number) => ({ occurredAtMicros: (NOW_MILLIS + minutes * 60_000) * 1000 });
    await append([
      { id: 'a', ...at(0) },
      { id: 'b', customer: 'bob', ...at(1) },
      { id: 'c', type: 'other', ...at(2) },
      { id: 'd', source: 'eu', ...at(3) },
    ]);
    expect((await all({ customer: 'bob' })).ids).toEqual(['b']);
    expect((await all({ type: 'other' })).ids).toEqual(['c']);
    expect((await all({ source: 'eu' })).ids).toEqual(['d']);
    expect((await all({ source: '' })).ids).toEqual(['c', 'b', 'a']);
    const micros = (minutes: number) => at(minutes).occurredAtMicros;
    expect((await all({ occurredFromMicros: micros(1), occurredToMicros: micros(3) })).ids).toEqual(['c', 'b']);
    expect((await all({ customer: 'ada', occurredFromMicros: micros(1), occurredToMicros: micros(2) })).ids).toEqual(
      [],
    );
  });

  test('bounds the time of appending, and does not even list days outside it', async () => {
    await append([{ id: 'a' }]);
    now += HOUR_MILLIS;
    await append([{ id: 'b' }]);
    now += DAY_MILLIS;
    await append([{ id: 'c' }]);
    const second = NOW_MILLIS + HOUR_MILLIS;
    expect((await all({ appendedFromMillis: second })).ids).toEqual(['c', 'b']);
    expect((await all({ appendedFromMillis: second, appendedToMillis: second + 1 })).ids).toEqual(['b']);
    expect((await all({ appendedToMillis: second })).ids).toEqual(['a']);
    expect((await search({ appendedFromMillis: now + DAY_MILLIS })).chunksLooked).toBe(0);
  });

  test('decompresses only chunks whose customers and times can match', async () => {
    await append([{ id: 'a' }]);
    await append([{ id: 'b', customer: 'bob' }]);
    await append([{ id: 'c', occurredAtMicros: (NOW_MILLIS - DAY_MILLIS) * 1000 }]);
    expect(await search({ customer: 'bob' })).toMatchObject({ chunksLooked: 3, chunksDecoded: 1 });
    expect(await search({ occurredToMicros: NOW_MILLIS * 1000 })).toMatchObject({ chunksLooked: 3, chunksDecoded: 1 });
    expect(await search({ customer: 'nobody' })).toMatchObject({ chunksLooked: 3, chunksDecoded: 0, events: [] });
  });

  test('a page stops at its bound of work, though it has found nothing, and the next one goes on', async () => {
    // 250 partitions of one day, of which only the last has the customer: more than the 200 steps of a page.
    for (let shard = 100; shard < 350; shard++)
      await append([{ id: `s${shard}`, customer: shard === 349 ? 'bob' : 'ada' }], `${shard}.2026112103`);
    const first = await search({ customer: 'bob', appendedFromMillis: NOW_MILLIS - HOUR_MILLIS });
    expect([first.events.length, first.chunksLooked, typeof first.cursor]).toEqual([0, 199, 'string']);
    const { ids, pages } = await all({ customer: 'bob', appendedFromMillis: NOW_MILLIS - HOUR_MILLIS });
    expect([ids, pages]).toEqual([['s349'], 2]);
  });

  test('looks for an id with a time in the partitions of its hour alone', async () => {
    const id = `${NOW_MILLIS.toString(16)
      .padStart(12, '0')
      .replace(/^(.{8})/, '$1-')}-7000-8000-000000000001`;
    await claims().pinHeader(PROJECT, NOW_MILLIS, { shards: 2, widthMinutes: 60, spread: {} });
    await append([{ id }], '1.2026112103');
    await append([{ id: 'other' }], '0.2026112104');
    expect(await search({ id })).toMatchObject({ chunksLooked: 1, cursor: null });
    expect(idsOf(await search({ id }))).toEqual([id]);
    expect(idsOf(await search({ id: id.replace(/1$/, '2') }))).toEqual([]);
  });

  test('looks for any other id by its claim when the customer is told, else through everything', async () => {
    await claims().pinHeader(PROJECT, NOW_MILLIS, DEFAULT_HEADER);
    const identity = fingerprintHex(fingerprintOf(PROJECT, { customer: 'ada', source: '', id: 'mine' }));
    await claims().claim(PROJECT, identity, NOW_MILLIS);
    await append([{ id: 'mine' }]);
    await append([{ id: 'other' }], '0.2026112104');
    expect(await search({ id: 'mine', customer: 'ada' })).toMatchObject({ chunksLooked: 1 });
    expect(idsOf(await search({ id: 'mine', customer: 'ada' }))).toEqual(['mine']);
    expect(idsOf(await search({ id: 'mine' }))).toEqual(['mine']);
    expect(idsOf(await search({ id: 'mine', customer: 'bob' }))).toEqual([]);
  });

  test('tells what voided an event, before it came or after, on whatever page it is found', async () => {
    const log = usageLog(database.client(), TABLES.log);
    const place = { project: PROJECT, partition: PARTITION };
    const state = new PartitionState();
    await usageRegistry(database.client(), TABLES.views).register(place, '2026112103', 1);
    for (const shares of [
      [voidShare('v-1', ['b'], 'never happened')],
      [
        share('e-1', [logged({ id: 'a' }), logged({ id: 'b' })]),
        voidShare('v-2', ['a'], 'twice'),
        share('e-2', [logged({ id: 'c' })]),
      ],
    ]) {
      const chunk = planChunk(state, shares, NOW_MILLIS);
      if (chunk === null) throw new Error('nothing to append');
      await log.putChunk(place, chunk);
      state.apply(chunk);
    }
    const rows = (page: Awaited<ReturnType<typeof search>>) =>
      page.events.map(({ event, batchId, voidedBy }) => [
        event.id,
        batchId,
        voidedBy?.reason ?? null,
        voidedBy?.sequence,
      ]);
    const expected = [
      ['c', 'e-2', null, undefined],
      ['b', 'e-1', 'never happened', 1],
      ['a', 'e-1', 'twice', 2],
    ];
    expect(rows(await search())).toEqual(expected);
    const first = await search({ limit: 1 });
    const second = await search({ limit: 2, cursor: first.cursor ?? '' }).catch((error) => error);
    expect([...rows(first), ...rows(second)]).toEqual(expected);
  });

  test('refuses the cursor of another search, text that is none, and spans that are empty', async () => {
    await append([{ id: 'a' }, { id: 'b' }]);
    const { cursor } = await search({ limit: 1 });
    await expect(search({ limit: 1, cursor: cursor ?? '', customer: 'ada' })).rejects.toMatchObject({
      code: 'cursor_invalid',
    });
    await expect(search({ cursor: 'x' })).rejects.toMatchObject({ code: 'cursor_invalid' });
    for (const filter of [
      { occurredFromMicros: 5, occurredToMicros: 5 },
      { appendedFromMillis: 6, appendedToMillis: 5 },
    ])
      await expect(search(filter)).rejects.toMatchObject({ code: 'span_invalid' });
  });
});
