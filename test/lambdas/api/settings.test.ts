import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiUnderTest, apiOver } from '../../support/api-client.ts';
import { type LocalTables, startLocalTables } from '../../support/local-tables.ts';

let tables: LocalTables;
let api: ApiUnderTest;
let admin: string;
beforeAll(async () => {
  tables = await startLocalTables();
  api = await apiOver(tables, '2026-11-21T10:17:33.000Z');
  admin = await api.newKey('prj_settings', ['admin']);
});
afterAll(() => tables.stop());

const get = (key = admin) => api.call('/v1/settings', { key });
const put = (body: object, key = admin) => api.call('/v1/settings', { key, method: 'PUT', body });
const DEFAULTS = { number_prefix: 'INV', number_digits: 6, grace_hours: 1, payment_term_days: 14 };

describe('/v1/settings', () => {
  it('answers the defaults before anything is set, and then what was set, field by field', async () => {
    expect(await get()).toMatchObject({ status: 200, body: DEFAULTS });
    const set = { number_prefix: 'ACME-26', number_digits: 8, grace_hours: 24, payment_term_days: 30 };
    expect(await put(set)).toMatchObject({ status: 200, body: set });
    expect((await get()).body).toEqual(set);
    expect((await put({ grace_hours: 48 })).body).toEqual({ ...DEFAULTS, grace_hours: 48 });
    expect((await get()).body).toEqual({ ...DEFAULTS, grace_hours: 48 });
  });

  it('is of one project alone', async () => {
    const other = await api.newKey('prj_settings2', ['admin']);
    await put({ number_prefix: 'MINE' });
    expect((await get(other)).body).toEqual(DEFAULTS);
  });

  it('refuses what an invoice number or a clock cannot be, all faults at once', async () => {
    const { status, body } = await put({
      number_prefix: 'lower case',
      number_digits: 5,
      grace_hours: -1,
      payment_term_days: 1.5,
      prefix: 'X',
    });
    expect([status, body.code]).toEqual([400, 'body_invalid']);
    expect(body.faults.map(({ field }: { field: string }) => field).toSorted()).toEqual([
      'grace_hours',
      'number_digits',
      'number_prefix',
      'payment_term_days',
      'prefix',
    ]);
    expect((await put({ number_prefix: 'FOURTEEN-CHARS' })).status).toBe(400);
  });

  it('is read with the scope read and changed with the scope billing', async () => {
    const reader = await api.newKey('prj_settings', ['read', 'write']);
    expect((await get(reader)).status).toBe(200);
    expect(await put({}, reader)).toMatchObject({ status: 403, body: { code: 'scope_missing' } });
    const biller = await api.newKey('prj_settings', ['billing']);
    expect((await put({}, biller)).status).toBe(200);
    expect(await api.call('/v1/settings', { key: admin, method: 'POST', body: {} })).toMatchObject({ status: 405 });
  });
});
