import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parkingLot } from '../../../adapters/dynamodb/parking-lot.ts';
import type { ProjectId } from '../../../core/ids.ts';
import { parkDeadLetter } from '../../../core/usage/park-dead-letter.ts';
import type { ParkedMessage } from '../../../core/usage/ports.ts';
import { encodeUsageBatches } from '../../../core/usage/usage-batch.ts';
import { type ApiUnderTest, apiOver } from '../../support/api-client.ts';
import { type LocalTables, startLocalTables } from '../../support/local-tables.ts';
import { clockAt, logged } from '../../support/usage-fixtures.ts';

let tables: LocalTables;
let api: ApiUnderTest;
let project: ProjectId;
let admin: string;
let reader: string;
let sent: string[];
/** Run by the queue as it takes messages. */
let onSend: () => Promise<void>;
let count = 0;

beforeAll(async () => {
  tables = await startLocalTables();
});
afterAll(() => tables.stop());
beforeEach(async () => {
  count += 1;
  project = `prj_parked${count}` as ProjectId;
  sent = [];
  onSend = async () => {};
  const queue = {
    send: async (messages: readonly string[]) => {
      await onSend();
      sent.push(...messages);
    },
  };
  api = await apiOver(tables, '2026-11-21T10:17:33.000Z', { queue });
  admin = await api.newKey(project, ['admin']);
  reader = await api.newKey(project, ['read']);
});

const PARKED_AT = '2026-11-21T03:00:00.000Z';
const lot = () => parkingLot(tables.client, tables.usageViews);
const body = (batchId: string, events = 2) =>
  encodeUsageBatches({
    ...{ project, batchId, rejected: 0, meterRevision: 1, receivedAtMillis: Date.parse(PARKED_AT) },
    events: Array.from({ length: events }, (_, index) => {
      const { meterRevision: _revision, ...event } = logged({ id: `e-${index}`, index });
      return { ...event, partition: '0.2026112103' };
    }),
  })[0] ?? '';
const deadLetter = (batchId: string, events = 2) =>
  parkDeadLetter(
    { messageId: `m-${batchId}`, body: body(batchId, events) },
    { parking: lot(), clock: clockAt(Date.parse(PARKED_AT)) },
  );
const park = (message: Pick<ParkedMessage, 'name' | 'reason' | 'body'>) =>
  lot().park(project, { ...message, detail: 'why', events: 1, parkedAtMillis: Date.parse(PARKED_AT) });
const get = (path: string, key = reader) => api.call(path, { key });
const post = (path: string, key = admin, headers = {}) => api.call(path, { key, method: 'POST', headers });
const names = (answer: { body: { data: { name: string }[] } }) => answer.body.data.map(({ name }) => name);

describe('GET /v1/parked', () => {
  it('lists what is parked page by page, of one project alone', async () => {
    for (const batch of ['a', 'b', 'c']) await deadLetter(batch);
    const first = await get('/v1/parked?limit=2');
    expect(names(first)).toEqual(['undeliverable:a', 'undeliverable:b']);
    expect(first.body.data[0]).toEqual({
      name: 'undeliverable:a',
      status: 'parked',
      reason: 'undeliverable',
      detail: 'Append failed on every try; the log of append-usage says why. Replay it once the cause is gone.',
      events: 2,
      replayable: true,
      parked_at: PARKED_AT,
      decided_at: null,
      decided_by: null,
    });
    const second = await get(`/v1/parked?limit=2&cursor=${first.body.next_cursor}`);
    expect([names(second), second.body.next_cursor]).toEqual([['undeliverable:c'], null]);
    const stranger = await api.newKey(`prj_stranger${count}`, ['read']);
    expect((await get('/v1/parked', stranger)).body).toEqual({ data: [], next_cursor: null });
    expect((await get('/v1/parked/undeliverable:a', stranger)).status).toBe(404);
    const misplaced = await get(`/v1/parked?status=decided&cursor=${first.body.next_cursor}`);
    expect([misplaced.status, misplaced.body.code]).toEqual([400, 'cursor_invalid']);
  });
});

describe('GET /v1/parked/{name}', () => {
  it('shows the events of a message, the first hundred', async () => {
    await deadLetter('big', 101);
    const { body } = await get('/v1/parked/undeliverable%3Abig');
    expect([body.events, body.content.length]).toEqual([101, 100]);
    expect(body.content[0]).toEqual({
      id: 'e-0',
      type: 'call',
      customer: 'ada',
      source: '',
      time: '2026-11-21T03:00:00.000Z',
      properties: { region: 'eu', model: 'small', tokens: '1.5' },
    });
  });

  it('shows an event that folding set aside, and no content where there is none to read', async () => {
    await park({ name: 'fold:0.2026112103:1:0', reason: 'unfoldable', body: JSON.stringify(logged()) });
    expect((await get('/v1/parked/fold:0.2026112103:1:0')).body).toMatchObject({
      replayable: false,
      content: [{ id: 'order-1' }],
    });
    await park({ name: 'undeliverable:damaged', reason: 'undeliverable', body: 'damaged' });
    expect((await get('/v1/parked/undeliverable:damaged')).body.content).toBeNull();
  });

  it('answers 404 for a name that never was, however long', async () => {
    for (const name of ['nothing', 'x'.repeat(3_000)]) {
      const { status, body } = await get(`/v1/parked/${name}`);
      expect([status, body.code]).toEqual([404, 'parked_not_found']);
    }
  });
});

describe('POST /v1/parked/{name}/replay', () => {
  it('sends the message as it was, takes it out of the lot and records who asked and when', async () => {
    await deadLetter('r');
    const answer = await post('/v1/parked/undeliverable:r/replay');
    expect(answer).toMatchObject({
      status: 200,
      body: { status: 'replayed', replayable: false, decided_at: '2026-11-21T10:17:33.000Z', events: 2 },
    });
    expect(admin).toContain(answer.body.decided_by);
    expect(sent).toEqual([body('r')]);
    expect(names(await get('/v1/parked'))).toEqual([]);
    expect(names(await get('/v1/parked?status=decided'))).toEqual(['undeliverable:r']);
    expect((await get('/v1/parked/undeliverable:r')).body).toMatchObject({ status: 'replayed', content: null });
  });

  it('sends nothing the second time, with the same Idempotency-Key or without', async () => {
    await deadLetter('r');
    const key = { 'idempotency-key': 'once' };
    const first = await post('/v1/parked/undeliverable:r/replay', admin, key);
    api.setDelaySeconds(60);
    expect((await post('/v1/parked/undeliverable:r/replay', admin, key)).body).toEqual(first.body);
    expect((await post('/v1/parked/undeliverable:r/replay')).body).toEqual(first.body);
    expect(sent).toHaveLength(1);
    const discarding = await post('/v1/parked/undeliverable:r/discard');
    expect([discarding.status, discarding.body.code]).toEqual([409, 'parked_replayed']);
  });

  it('sends again what failed again and was parked again', async () => {
    await deadLetter('r');
    await post('/v1/parked/undeliverable:r/replay');
    await deadLetter('r');
    expect((await get('/v1/parked/undeliverable:r')).body).toMatchObject({ status: 'parked', decided_at: null });
    expect((await post('/v1/parked/undeliverable:r/replay')).status).toBe(200);
    expect(sent).toHaveLength(2);
    expect(names(await get('/v1/parked'))).toEqual([]);
  });

  it('leaves the message parked when the queue does not take it', async () => {
    await deadLetter('r');
    onSend = () => Promise.reject(new Error('the queue is away'));
    expect((await post('/v1/parked/undeliverable:r/replay')).status).toBe(500);
    expect((await get('/v1/parked/undeliverable:r')).body.status).toBe('parked');
    onSend = async () => {};
    expect((await post('/v1/parked/undeliverable:r/replay')).body.status).toBe('replayed');
    expect(sent).toEqual([body('r')]);
  });

  it.each([
    ['append_deadline', 'Send them again through a backfill'],
    ['unfoldable', 'only missing from a view'],
    ['view_full', 'only missing from a view'],
  ] as const)('refuses %s, says what to do, and keeps it', async (reason, advice) => {
    await park({ name: 'one', reason, body: body('late') });
    const answer = await post('/v1/parked/one/replay');
    expect([answer.status, answer.body.code]).toEqual([409, 'parked_not_replayable']);
    expect(answer.body.detail).toContain(advice);
    expect([sent, names(await get('/v1/parked'))]).toEqual([[], ['one']]);
  });

  it('needs the scope admin, like discarding', async () => {
    await deadLetter('r');
    const writer = await api.newKey(project, ['read', 'write', 'ingest', 'billing']);
    for (const verb of ['replay', 'discard'])
      expect((await post(`/v1/parked/undeliverable:r/${verb}`, writer)).status).toBe(403);
    expect((await get('/v1/parked/undeliverable:r')).body.status).toBe('parked');
  });
});

describe('POST /v1/parked/{name}/discard', () => {
  it('takes the message out of the lot and keeps its content, who asked and when', async () => {
    await deadLetter('d');
    await deadLetter('kept');
    const discarded = { status: 'discarded', decided_at: '2026-11-21T10:17:33.000Z', replayable: false };
    const answer = await post('/v1/parked/undeliverable:d/discard');
    expect(answer).toMatchObject({ status: 200, body: discarded });
    expect(admin).toContain(answer.body.decided_by);
    expect(names(await get('/v1/parked'))).toEqual(['undeliverable:kept']);
    expect((await get('/v1/parked?status=decided')).body.data).toMatchObject([discarded]);
    expect((await get('/v1/parked/undeliverable:d')).body).toMatchObject({
      ...discarded,
      content: [{ id: 'e-0' }, { id: 'e-1' }],
    });
    expect(sent).toEqual([]);
  });

  it('keeps the first record when asked twice, and refuses a replay', async () => {
    await deadLetter('d');
    const first = await post('/v1/parked/undeliverable:d/discard');
    api.setDelaySeconds(60);
    expect((await post('/v1/parked/undeliverable:d/discard')).body).toEqual(first.body);
    const replaying = await post('/v1/parked/undeliverable:d/replay');
    expect([replaying.status, replaying.body.code, sent]).toEqual([409, 'parked_discarded', []]);
  });

  it('takes what can never be replayed', async () => {
    await park({ name: 'append:0.2026112103:b', reason: 'append_deadline', body: body('b') });
    expect((await post('/v1/parked/append:0.2026112103:b/discard')).body.status).toBe('discarded');
  });
});
