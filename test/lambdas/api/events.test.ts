import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { usageClaims } from '../../../adapters/dynamodb/usage-claims.ts';
import type { ProjectId } from '../../../core/ids.ts';
import { acceptEvents } from '../../../core/usage/accept-events.ts';
import { appendUsage } from '../../../core/usage/append-usage.ts';
import { batchIdAt } from '../../../core/usage/batch-id.ts';
import { foldPartition } from '../../../core/usage/fold-partitions.ts';
import { quarantineLeft } from '../../../core/usage/fold-quarantine.ts';
import { fingerprintHex, fingerprintOf } from '../../../core/usage/identity.ts';
import { parkDeadLetter } from '../../../core/usage/park-dead-letter.ts';
import { PartitionCache } from '../../../core/usage/partition-state.ts';
import { encodeUsageBatches } from '../../../core/usage/usage-batch.ts';
import { type ApiUnderTest, apiOver } from '../../support/api-client.ts';
import { createLogTables, type LocalTables, startLocalTables } from '../../support/local-tables.ts';

const NOW = '2026-11-21T10:17:33.000Z';
const HOUR = '0.2026112110';
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
  project = `prj_events${++count}` as ProjectId;
  api = await apiOver(tables, NOW);
  admin = await api.newKey(project, ['admin']);
  const meters = [
    { key: 'calls', event_type: 'call', aggregation: 'count', dimensions: ['region'] },
    { key: 'tokens', event_type: 'call', aggregation: 'sum', value: 'tokens', dimensions: [] },
  ];
  for (const body of meters) await api.call('/v1/meters', { key: admin, body });
});

const get = (path: string) => api.call(path, { key: admin });
const claims = () => usageClaims(tables.client, 'UsageClaims');
/** An id of the hour of 10:00 with its time in it. */
const uuid = (n: number) => batchIdAt(Date.parse(NOW), Buffer.from([...new Array(8).fill(0), 0, n]));
const call = (id: string, more: object = {}) => ({
  ...{ id, type: 'call', customer: 'ada', time: '2026-11-21T10:16:00.123456Z' },
  properties: { region: 'eu', tokens: '2.50' },
  ...more,
});

/** Through the door and into the log, as one request. */
async function send(events: readonly object[], batch = count++): Promise<string> {
  const batchId = batchIdAt(Date.parse(NOW), Buffer.from([...new Array(8).fill(1), 0, batch % 256]));
  const sent: string[] = [];
  const { clock, meters } = api.deps.routes;
  const input = {
    project,
    events,
    batchId,
    meters: await meters.newest(project, 'fresh'),
    openBackfills: new Set<string>(),
  };
  const queue = { send: async (messages: readonly string[]) => void sent.push(...messages) };
  const { rejected } = await acceptEvents(input, { claims: claims(), queue, clock, headers: new Map() });
  expect(rejected).toEqual([]);
  await append(sent);
  return batchId;
}
async function append(bodies: readonly string[]): Promise<void> {
  const { log, registry, parking, clock } = api.deps.routes as never as Parameters<typeof appendUsage>[1];
  const messages = bodies.map((body, i) => ({ messageId: `m${i}`, body }));
  const workers = { cache: new PartitionCache(), registered: new Set<string>(), pause: async () => {} };
  expect(await appendUsage(messages, { log, registry, parking, clock, ...workers })).toEqual({ failed: [] });
}
const fold = () =>
  foldPartition(
    { project, partition: HOUR },
    { ...(api.deps.routes as never as Parameters<typeof foldPartition>[1]), seen: new Set() },
  );

describe('GET /v1/events', () => {
  it('shows events as they were accepted, with where they lie', async () => {
    const batchId = await send([call(uuid(1)), call(uuid(2), { customer: 'bob', type: 'call' })]);
    const { status, body } = await get('/v1/events?customer=ada');
    expect([status, body.next_cursor, body.looked]).toEqual([200, null, { chunks: 1, decoded: 1 }]);
    expect(body.data).toEqual([
      {
        ...{ id: uuid(1), type: 'call', customer: 'ada', source: '' },
        ...{ time: '2026-11-21T10:16:00.123456Z', properties: { region: 'eu', tokens: '2.50' } },
        ...{ received_at: NOW, appended_at: NOW, partition: HOUR, sequence: 1, batch_id: batchId },
        ...{ meter_revision: 2, voided: null },
      },
    ]);
  });

  it('goes on by its cursor and refuses one of another search', async () => {
    await send([call(uuid(1)), call(uuid(2)), call(uuid(3))]);
    const first = await get('/v1/events?limit=2');
    const second = await get(`/v1/events?limit=2&cursor=${first.body.next_cursor}`);
    expect([...first.body.data, ...second.body.data].map(({ id }: { id: string }) => id)).toEqual([
      uuid(3),
      uuid(2),
      uuid(1),
    ]);
    const other = await get(`/v1/events?limit=2&type=call&cursor=${first.body.next_cursor}`);
    expect([other.status, other.body.code]).toEqual([400, 'cursor_invalid']);
    const empty = await get('/v1/events?from=2026-11-21T10:00:00Z&to=2026-11-21T10:00:00Z');
    expect([empty.status, empty.body.code]).toEqual([400, 'span_invalid']);
  });
});

describe('GET /v1/events/{id}', () => {
  it('says what counts the event, in which bucket, and whether it is folded yet', async () => {
    await send([call(uuid(1))]);
    const before = await get(`/v1/events/${uuid(1)}`);
    expect(before.body.event).toMatchObject({ id: uuid(1), time: '2026-11-21T10:16:00.123456Z' });
    expect(before.body.accepted).toMatchObject({ received_at: NOW, appended_at: NOW, partition: HOUR, sequence: 1 });
    const bucket = { start: '2026-11-21T10:15:00.000Z', end: '2026-11-21T10:30:00.000Z' };
    const at = { bucket, billed: [], not_billed: 'customer_unassigned' };
    const expected = (state: string) => [
      { meter: 'calls', aggregation: 'count', value: '1', dimensions: { region: 'eu' }, state, ...at },
      { meter: 'tokens', aggregation: 'sum', value: '2.50', dimensions: {}, state, ...at },
    ];
    expect(before.body.counted).toEqual(expected('not_folded_yet'));
    await fold();
    expect((await get(`/v1/events/${uuid(1)}`)).body.counted).toEqual(expected('counted'));
  });

  it('finds an id without a time by its customer and source, and says when it needs them', async () => {
    await send([call('order-1'), call('order-1', { source: 'shop' })]);
    const without = await get('/v1/events/order-1');
    expect([without.status, without.body.code]).toEqual([400, 'customer_needed']);
    expect((await get('/v1/events/order-1?customer=ada')).body.event).toMatchObject({ source: '' });
    expect((await get('/v1/events/order-1?customer=ada&source=shop')).body.event).toMatchObject({ source: 'shop' });
    expect((await get('/v1/events/order-1?customer=bob')).body.code).toBe('event_not_found');
  });

  it('names the customers of an id that several used, and tells an event it never saw from one that is parked', async () => {
    await send([call(uuid(1)), call(uuid(1), { customer: 'bob' })]);
    const both = await get(`/v1/events/${uuid(1)}`);
    expect([both.status, both.body.code]).toEqual([409, 'event_ambiguous']);
    expect((await get(`/v1/events/${uuid(1)}?customer=bob`)).body.event.customer).toBe('bob');
    const missing = await get(`/v1/events/${uuid(9)}`);
    expect([missing.status, missing.body.code]).toEqual([404, 'event_not_found']);
    const { time: _time, ...fields } = call(uuid(9));
    const event = { ...fields, index: 0, source: '', occurredAtMicros: Date.parse(NOW) * 1000, partition: HOUR };
    const batch = {
      project,
      batchId: 'b-9',
      rejected: 0,
      meterRevision: 2,
      receivedAtMillis: Date.parse(NOW),
      events: [event],
    };
    const { parking, clock } = api.deps.routes;
    await parkDeadLetter({ messageId: 'm', body: encodeUsageBatches(batch)[0] ?? '' }, { parking, clock });
    const parked = await get(`/v1/events/${uuid(9)}`);
    expect(parked.body).toMatchObject({
      event: null,
      accepted: null,
      counted: [],
      parked: [{ name: 'undeliverable:b-9' }],
    });
  });

  it('lists what was sent again with other words, and what a full view left out', async () => {
    await send([call(uuid(1))]);
    await send([call(uuid(1), { type: 'call', properties: { region: 'us', tokens: '9' } })]);
    await send([call(uuid(1), { time: '2026-11-21T10:01:00Z' })]);
    const { body } = await get(`/v1/events/${uuid(1)}`);
    expect(
      body.resends.map(({ kind, sequence, event }: { kind: string; sequence: number; event: unknown }) => [
        kind,
        sequence,
        event === null,
      ]),
    ).toEqual([
      ['retimed', 3, true],
      ['conflict', 2, false],
    ]);
    await fold();
    const fingerprint = fingerprintHex(fingerprintOf(project, { customer: 'ada', source: '', id: uuid(1) }));
    const chunks = await api.deps.routes.search.chunksBelow({ project, partition: HOUR }, 2);
    const { parking, clock } = api.deps.routes;
    await quarantineLeft(
      [{ fingerprint, meter: 'tokens' } as never],
      [{ place: { project, partition: HOUR }, chunks }],
      new Map(),
      { parking, clock },
    );
    const full = (await get(`/v1/events/${uuid(1)}`)).body;
    expect(full.counted.map(({ meter, state }: { meter: string; state: string }) => [meter, state])).toEqual([
      ['calls', 'counted'],
      ['tokens', 'parked'],
    ]);
    expect(full.parked).toMatchObject([{ reason: 'view_full', name: `full:${HOUR}:1:${fingerprint}` }]);
  });
});
