import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { usageClaims } from '../../../adapters/dynamodb/usage-claims.ts';
import type { ProjectId } from '../../../core/ids.ts';
import { decodeUsageBatch } from '../../../core/usage/usage-batch.ts';
import { type ApiUnderTest, apiOver } from '../../support/api-client.ts';
import { type LocalTables, startLocalTables } from '../../support/local-tables.ts';
import { clockAt, memoryTables, NOW_MILLIS, TABLES } from '../../support/usage-fixtures.ts';

/** Born at NOW_MILLIS, 2026-11-21T03:00:00Z. */
const ID = '01a1fc0b-e380-7000-8000-000000000001';

let tables: LocalTables;
let api: ApiUnderTest;
let writer: string;
let project: ProjectId;
let sent: string[];
let jobs: string[];
let count = 0;

beforeAll(async () => {
  tables = await startLocalTables();
});
afterAll(() => tables.stop());
beforeEach(async () => {
  count += 1;
  project = `prj_void${count}` as ProjectId;
  sent = [];
  jobs = [];
  const claims = usageClaims(memoryTables().client(), TABLES.claims);
  const queue = { send: async (messages: readonly string[]) => void sent.push(...messages) };
  api = await apiOver(tables, new Date(NOW_MILLIS).toISOString(), {
    voids: { claims, queue, clock: clockAt(NOW_MILLIS), headers: new Map() },
    jobQueue: { send: async ({ id }) => void jobs.push(id) },
  });
  writer = await api.newKey(project, ['write', 'read']);
});

const post = (body: unknown, key = writer, headers = {}) => api.call('/v1/events/void', { key, body, headers });
const voids = () => sent.flatMap((message) => decodeUsageBatch(message).voids ?? []);

describe('POST /v1/events/void by id', () => {
  it('takes one void or many, answers 202 and names each refused one', async () => {
    const one = await post({ id: ID, customer: 'ada', reason: 'sent twice' });
    expect([one.status, one.body]).toEqual([
      202,
      { batch_id: expect.stringMatching(/^[0-9a-f-]{36}$/), accepted: 1, rejected: [] },
    ]);
    const many = await post([
      { id: 'order-1', customer: 'ada' },
      { id: ID, customer: 'ada', source: 'web' },
    ]);
    expect(many.body).toMatchObject({ accepted: 1, rejected: [{ index: 0, id: 'order-1', code: 'event_not_found' }] });
    expect(voids().map(({ id, source, reason, by }) => [id, source, reason, by !== ''])).toEqual([
      [ID, '', 'sent twice', true],
      [ID, 'web', '', true],
    ]);
  });

  it('answers a problem that says what to do when there is no such event', async () => {
    const { status, body } = await post({ id: 'order-1', customer: 'ada' });
    expect([status, body.code, body.faults[0].field]).toEqual([404, 'event_not_found', '[0].id']);
    expect(body.detail).toContain('GET /v1/events');
    expect(sent).toEqual([]);
  });

  it('gives the same answer for the same Idempotency-Key, and sends nothing more', async () => {
    const first = await post({ id: ID, customer: 'ada' }, writer, { 'idempotency-key': 'k1' });
    const second = await post({ id: ID, customer: 'ada' }, writer, { 'idempotency-key': 'k1' });
    expect(second.body).toEqual(first.body);
    expect(sent).toHaveLength(1);
  });

  it.each([
    [[], 'body'],
    [Array.from({ length: 101 }, () => ({ id: ID, customer: 'ada' })), 'body'],
    [{ id: ID }, 'customer'],
    [
      [
        { id: ID, customer: 'ada' },
        { id: '', customer: 'ada' },
      ],
      '[1].id',
    ],
    [{ id: ID, customer: 'ada', reason: 'r'.repeat(201) }, 'reason'],
    [{ id: ID, customer: 'ada', when: 'now' }, 'when'],
  ])('refuses %j', async (body, field) => {
    const answer = await post(body);
    expect(answer.body).toMatchObject({ status: 400, code: 'body_invalid', field });
    expect(sent).toEqual([]);
  });

  it('needs the scope write', async () => {
    const ingest = await api.newKey(project, ['ingest']);
    expect((await post({ id: ID, customer: 'ada' }, ingest)).body.code).toBe('scope_missing');
  });
});

describe('POST /v1/events/void by filter', () => {
  const filter = { customer: 'ada', from: '2026-11-20T00:00:00Z', to: '2026-11-21T00:00:00Z', properties: { aB: '1' } };

  it('starts a job, once per Idempotency-Key, and shows it', async () => {
    const first = await post({ filter, dry_run: true }, writer, { 'idempotency-key': 'k2' });
    expect([first.status, first.body]).toMatchObject([
      202,
      { kind: 'void_events', status: 'queued', progress: { done: 0, total: 3, unit: 'days' } },
    ]);
    expect(first.body.input).toMatchObject({ dry_run: true, filter: { customer: 'ada', properties: { aB: '1' } } });
    const second = await post({ filter, dry_run: true }, writer, { 'idempotency-key': 'k2' });
    expect([second.body.id, jobs]).toEqual([first.body.id, [first.body.id]]);
    expect((await api.call(`/v1/jobs/${first.body.id}`, { key: writer })).body).toMatchObject({ status: 'queued' });
  });

  it.each([
    [{ filter }, 'body_invalid', 'dry_run'],
    [{ filter: { customer: 'ada' }, dry_run: true }, 'body_invalid', 'filter.from'],
    [{ filter: { ...filter, to: filter.from }, dry_run: true }, 'span_invalid', undefined],
    [{ filter, dry_run: true, id: ID }, 'body_invalid', 'id'],
  ])('refuses %j', async (body, code, field) => {
    const answer = await post(body);
    expect([answer.status, answer.body.code, answer.body.field]).toEqual([400, code, field]);
    expect(jobs).toEqual([]);
  });
});
