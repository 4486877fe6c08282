import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { dynamoDrafts } from '../../../adapters/dynamodb/invoices.ts';
import type { CustomerId, ProjectId } from '../../../core/ids.ts';
import { previewInvoices } from '../../../core/invoicing/preview-invoices.ts';
import { type ApiUnderTest, apiOver } from '../../support/api-client.ts';
import { type LocalTables, startLocalTables } from '../../support/local-tables.ts';

let tables: LocalTables;
let api: ApiUnderTest;
let admin: string;
let other: string;
let project: string;
let count = 0;

const TOKENS = {
  key: 'tokens',
  event_type: 'llm',
  aggregation: 'sum',
  value: 'tokens',
  dimensions: ['model'],
  unit: 'tokens',
};
const PLAN = {
  plan: 'pro',
  name: 'Pro',
  currency: 'USD',
  charges: [
    {
      kind: 'usage',
      key: 'tokens',
      name: 'Tokens',
      meter: 'tokens',
      allowance: '100',
      price: { model: 'per_unit', unit_price: '0.002' },
    },
    { kind: 'fixed', key: 'base', name: 'Base fee', amount: '30.00' },
  ],
};
const usage = (at: string, value: string, model = 'a') => ({ meter: 'tokens', at, value, dimensions: { model } });

beforeAll(async () => {
  tables = await startLocalTables();
});
afterAll(async () => {
  await tables.stop();
});
beforeEach(async () => {
  count += 1;
  project = `prj_a${count}`;
  api = await apiOver(tables, '2026-11-21T10:17:33.000Z');
  admin = await api.newKey(project, ['admin']);
  other = await api.newKey(`prj_b${count}`, ['admin']);
  await api.call('/v1/meters', { key: admin, body: TOKENS });
  await api.call('/v1/plans', { key: admin, body: PLAN });
  await api.call('/v1/customers', { key: admin, body: { id: 'acme', name: 'Acme', time_zone: 'Asia/Kolkata' } });
});

const get = (path: string) => api.call(path, { key: admin });
const november = (more = '') => `/v1/usage?customer=acme&from=2026-11-01T00:00:00Z&to=2026-11-21T10:00:00Z${more}`;

describe('GET /v1/usage', () => {
  beforeEach(() =>
    api.count(project, 'acme', [
      usage('2026-11-01T00:00:00Z', '0.1'),
      usage('2026-11-01T00:20:00Z', '0.2', 'b'),
      usage('2026-11-01T18:30:00Z', '5'),
      usage('2026-11-20T23:59:59Z', '123456789012345678901234.5', 'b'),
    ]),
  );

  it('adds exactly, over the whole span and by meter', async () => {
    expect(await get(november())).toMatchObject({
      status: 200,
      body: {
        as_of: '2026-11-21T10:17:33.000Z',
        customer: 'acme',
        time_zone: 'Asia/Kolkata',
        window: null,
        data: [{ meter: 'tokens', quantity: '123456789012345678901239.8', unit: 'tokens', dimensions: {} }],
      },
    });
  });

  it('compares customers over the same windows, however they are named', async () => {
    await api.count(project, 'a,b', [usage('2026-11-02T00:00:00Z', '7')]);
    const span = 'from=2026-11-01T00:00:00Z&to=2026-11-21T10:00:00Z';
    const rows = (body: { data: { customer: string; quantity: string }[] }) =>
      body.data.map(({ customer, quantity }) => [customer, quantity]);
    const repeated = await get(`/v1/usage?customer=a%2Cb&customer=acme&customer=nobody&${span}`);
    expect([repeated.body.customers, repeated.body.time_zone]).toEqual([['a,b', 'acme', 'nobody'], 'UTC']);
    expect(rows(repeated.body)).toEqual([
      ['a,b', '7'],
      ['acme', '123456789012345678901239.8'],
      ['nobody', '0'],
    ]);
    expect(rows((await get(`/v1/usage?customers=acme,nobody,acme&${span}`)).body)).toHaveLength(2);
    expect((await get(`/v1/usage?customer=a%2Cb&${span}`)).body).toMatchObject({
      customer: 'a,b',
      data: [{ quantity: '7' }],
    });
    const many = Array.from({ length: 21 }, (_, n) => `c${n}`).join(',');
    for (const wrong of ['', 'customer=acme&customers=nobody', `customers=${many}`])
      expect((await get(`/v1/usage?${wrong}&${span}`)).body.code).toBe('query_invalid');
  });

  it('keeps dimensions apart and days of the zone of the customer', async () => {
    const grouped = await get(november('&group_by=model'));
    expect(
      grouped.body.data.map((row: { dimensions: object; quantity: string }) => [row.dimensions, row.quantity]),
    ).toEqual([
      [{ model: 'a' }, '5.1'],
      [{ model: 'b' }, '123456789012345678901234.7'],
    ]);
    const days = await get(november('&window=day&to=2026-11-03T00:00:00Z').replace('&to=2026-11-21T10:00:00Z', ''));
    // 18:30 UTC is midnight in Kolkata: the third event belongs to the second day there
    expect(
      days.body.data.map((row: { start: string; end: string; quantity: string }) => [row.start, row.end, row.quantity]),
    ).toEqual([
      ['2026-11-01T00:00:00.000Z', '2026-11-01T18:30:00.000Z', '0.3'],
      ['2026-11-01T18:30:00.000Z', '2026-11-02T18:30:00.000Z', '5'],
    ]);
  });

  it('takes only the dimension values that are asked for', async () => {
    const quantity = async (filter: object) => {
      const answer = await get(november(`&filter=${encodeURIComponent(JSON.stringify(filter))}`));
      return answer.body.data[0]?.quantity;
    };
    expect(await quantity({ model: 'a' })).toBe('5.1');
    expect(await quantity({ model: ['a', 'b'] })).toBe('123456789012345678901239.8');
    expect(await quantity({ model: 'c' })).toBe('0');
  });

  it('cuts at quarter hours, half-open', async () => {
    const rows = await get(
      '/v1/usage?customer=acme&from=2026-11-01T00:00:00Z&to=2026-11-01T18:30:00Z&window=quarter_hour',
    );
    expect(rows.body.data.map((row: { start: string; quantity: string }) => [row.start, row.quantity])).toEqual([
      ['2026-11-01T00:00:00.000Z', '0.1'],
      ['2026-11-01T00:15:00.000Z', '0.2'],
    ]);
  });

  it('is "0" without usage, for customers not yet known and for other projects alike', async () => {
    for (const [key, customer] of [
      [admin, 'nobody'],
      [admin, 'acme2'],
    ] as const) {
      const path = `/v1/usage?customer=${customer}&from=2026-11-01T00:00:00Z&to=2026-11-02T00:00:00Z`;
      expect((await api.call(path, { key })).body.data).toMatchObject([{ meter: 'tokens', quantity: '0' }]);
    }
    expect((await api.call(november(), { key: other })).body.data).toEqual([]);
  });

  it('refuses spans, windows, meters and dimensions that cannot be, each by its field', async () => {
    const refused = async (path: string) => {
      const { status, body } = await get(path);
      return [status, body.code, body.field];
    };
    const at = (from: string, to: string, more = '') => `/v1/usage?customer=acme&from=${from}&to=${to}${more}`;
    expect(await refused('/v1/usage')).toEqual([400, 'query_invalid', 'from']);
    expect(await refused(at('2026-11-01T00:07:00Z', '2026-11-02T00:00:00Z'))).toEqual([400, 'query_invalid', 'from']);
    expect(await refused(at('2026-11-02T00:00:00Z', '2026-11-01T00:00:00Z'))).toEqual([400, 'span_invalid', 'to']);
    expect(await refused(at('2024-11-02T00:00:00Z', '2026-11-01T00:00:00Z'))).toEqual([400, 'span_invalid', 'to']);
    expect(await refused(at('2026-01-01T00:00:00Z', '2026-11-01T00:00:00Z', '&window=quarter_hour'))).toEqual([
      400,
      'too_many_windows',
      undefined,
    ]);
    expect(await refused(november('&window=week'))).toEqual([400, 'query_invalid', 'window']);
    expect(await refused(november('&meter=none'))).toEqual([404, 'meter_not_found', undefined]);
    expect(await refused(november('&group_by=region'))).toEqual([400, 'group_by_invalid', 'group_by']);
    const filtered = (filter: unknown) => refused(november(`&filter=${encodeURIComponent(JSON.stringify(filter))}`));
    expect(await filtered({ region: 'eu' })).toEqual([400, 'filter_invalid', 'filter.region']);
    expect(await filtered({ model: [] })).toEqual([400, 'filter_invalid', 'filter']);
    expect(await filtered(['model'])).toEqual([400, 'filter_invalid', 'filter']);
    expect(await refused(november('&filter=model:a'))).toEqual([400, 'filter_invalid', 'filter']);
  });
});

describe('POST /v1/invoices/preview', () => {
  const preview = (body: object = {}) =>
    api.call('/v1/invoices/preview', { key: admin, body: { customer: 'acme', ...body } });

  it('rates the usage so far as a billing run would, in major units, and writes nothing', async () => {
    await api.call('/v1/subscriptions', {
      key: admin,
      body: { id: 's1', customer: 'acme', plan: 'pro', start: '2026-10-31T18:30:00Z' },
    });
    await api.count(project, 'acme', [
      usage('2026-11-05T00:00:00Z', '1500.5'),
      usage('2026-11-06T00:00:00Z', '99', 'b'),
    ]);
    const { status, body } = await preview();
    expect(status).toBe(200);
    // 1500.5 + 99 - 100 free = 1499.5 x 0.002 = 2.999, rounded 3.00; and the base fee of 30.00
    expect(body.data).toMatchObject([
      {
        status: 'draft',
        number: null,
        currency: 'USD',
        total: '33.00',
        period: { key: '2026-11', start: '2026-10-31T18:30:00.000Z', end: '2026-11-30T18:30:00.000Z' },
        evidence: null,
        payment: null,
        lines: [
          { key: 's1/tokens/usage', quantity: '1599.5', allowance_used: '100', exact_amount: '2.999', amount: '3.00' },
          { key: 's1/base/fixed', amount: '30.00', price_version: 'pro@1' },
        ],
      },
    ]);
    expect((await get('/v1/invoices')).body.data).toEqual([]);
    expect((await get('/v1/subscriptions/s1')).body.billed_through).toBe('2026-10-31T18:30:00.000Z');
    expect((await preview({ period: '2026-12' })).body.data).toMatchObject([
      { total: '30.00', period: { key: '2026-12' } },
    ]);
  });

  it('says why there is nothing to preview', async () => {
    expect(await preview()).toMatchObject({ status: 409, body: { code: 'nothing_to_bill' } });
    expect(await preview({ customer: 'nobody' })).toMatchObject({ status: 404, body: { code: 'customer_not_found' } });
    await api.call('/v1/subscriptions', { key: admin, body: { customer: 'acme', plan: 'pro' } });
    expect(await preview({ period: 'soon' })).toMatchObject({ status: 400, body: { code: 'period_invalid' } });
    expect(await preview({ period: '2026-10' })).toMatchObject({ status: 409, body: { code: 'nothing_to_bill' } });
  });
});

describe('GET /v1/invoices', () => {
  it('lists without lines, by customer, shows one with them, and nothing to other projects', async () => {
    await api.call('/v1/subscriptions', {
      key: admin,
      body: { id: 's1', customer: 'acme', plan: 'pro', start: '2026-10-31T18:30:00Z' },
    });
    const [draft] = await previewInvoices(
      { project: project as ProjectId, customer: 'acme' as CustomerId },
      api.deps.routes.preview,
    );
    if (!draft) throw new Error('no preview');
    const basis = { ledgerSequence: 0, head: { sequence: 0, periods: [] }, entries: [], subscriptions: [] };
    const drafts = dynamoDrafts(tables.client, tables.billing);
    await drafts.put(draft, { ...basis, timeZone: 'Asia/Kolkata', unbilledSlices: 0 } as never, 0);

    const { body } = await get('/v1/invoices');
    expect(body.data).toMatchObject([{ id: draft.id, total: '30.00', customer: 'acme', status: 'draft' }]);
    expect(body.data[0].lines).toBeUndefined();
    expect((await get('/v1/invoices?customer=acme')).body.data).toHaveLength(1);
    expect((await get('/v1/invoices?customer=other')).body.data).toEqual([]);
    const one = await get(`/v1/invoices/${draft.id}`);
    expect(one.body).toMatchObject({ id: draft.id, total: '30.00', evidence: { sha256: draft.evidence.sha256 } });
    expect(one.body.lines).toHaveLength(2);
    const foreign = await api.call(`/v1/invoices/${draft.id}`, { key: other });
    expect(foreign).toMatchObject({ status: 404, body: { code: 'invoice_not_found' } });
    expect(await get('/v1/invoices/inv_none')).toMatchObject({ status: 404, body: { code: 'invoice_not_found' } });
  });
});

describe('billing runs', () => {
  it('are recorded, started once per Idempotency-Key, and read back', async () => {
    const start = () =>
      api.call('/v1/billing-runs', {
        key: admin,
        body: { through: '2026-10' },
        headers: { 'idempotency-key': 'run-1' },
      });
    const first = await start();
    expect(first).toMatchObject({
      status: 202,
      body: {
        status: 'running',
        reason: 'request',
        through: '2026-10',
        as_of: '2026-11-21T10:17:33.000Z',
        report: null,
      },
    });
    expect((await start()).body.id).toBe(first.body.id);
    expect(api.started.map(({ id }) => id)).toEqual([first.body.id]);
    expect((await get(`/v1/billing-runs/${first.body.id}`)).body).toMatchObject({ id: first.body.id });
    expect((await get('/v1/billing-runs')).body.data).toHaveLength(1);
    expect(await api.call(`/v1/billing-runs/${first.body.id}`, { key: other })).toMatchObject({
      status: 404,
      body: { code: 'billing_run_not_found' },
    });
  });

  it('need no body, and refuse the future and periods that have not ended', async () => {
    expect(await api.call('/v1/billing-runs', { key: admin, method: 'POST' })).toMatchObject({ status: 202 });
    const refused = async (body: object) => (await api.call('/v1/billing-runs', { key: admin, body })).body.code;
    expect(await refused({ as_of: '2027-01-01T00:00:00Z' })).toBe('as_of_in_future');
    expect(await refused({ through: '2026-11' })).toBe('period_not_closed');
    expect(await refused({ through: 'last month' })).toBe('period_invalid');
  });

  it('need the scope billing', async () => {
    const writer = await api.newKey(project, ['read', 'write', 'ingest']);
    expect(await api.call('/v1/billing-runs', { key: writer, method: 'POST' })).toMatchObject({
      status: 403,
      body: { code: 'scope_missing', context: { scope: 'billing' } },
    });
  });
});
