import { gzipSync } from 'node:zlib';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { evidenceReads } from '../../../adapters/s3/evidence-store.ts';
import type { InvoiceId } from '../../../core/ids.ts';
import { type ApiUnderTest, apiOver } from '../../support/api-client.ts';
import { type BillingParts, BillingWorld, startBillingParts } from '../../support/billing-world.ts';

/** Invoices issued by the functions of the run, asked about over the API, on a real DynamoDB and the local S3. */
let parts: BillingParts;
let world: BillingWorld;
let api: ApiUnderTest;
let admin: string;
let count = 0;

beforeAll(async () => {
  parts = await startBillingParts();
});
afterAll(() => parts.stop());

beforeEach(async () => {
  count += 1;
  world = new BillingWorld(parts, `prj_v${count}`);
  const { reads, ledger, usage, clock } = world.deps;
  api = await apiOver(parts.tables, '2027-01-10T00:00:00.000Z', {
    evidence: evidenceReads(parts.s3, 'archive'),
    preview: { reads, ledger, usage, clock },
  });
  admin = await api.newKey(world.project, ['admin']);
  await world.catalog();
  await world.customer('acme', '2026-11-01T00:00:00Z');
  world.calls('acme', '2026-11', '1250');
  await world.run('2026-12-01T01:00:00Z');
});

const issued = async () => (await api.call('/v1/invoices?customer=acme', { key: admin })).body.data[0].id as InvoiceId;
const verify = (id: string, key = admin) => api.call(`/v1/invoices/${id}/verify`, { key, method: 'POST' });
const stored = async (id: InvoiceId) => {
  const found = await world.deps.drafts.find(world.project, id);
  if (found === null) throw new Error(`no invoice ${id}`);
  return found;
};
const overwrite = (key: string, body: Uint8Array) =>
  parts.s3.send(new PutObjectCommand({ Bucket: 'archive', Key: key, Body: body }));

describe('POST /v1/invoices/{id}/verify', () => {
  it('rates the frozen evidence again and finds the cents of the invoice, whatever usage says now', async () => {
    world.calls('acme', '2026-11', '999999');
    const id = await issued();
    const { invoice } = await stored(id);
    // 250 beyond the free 1,000 x 0.01 = 2.50
    expect(await verify(id)).toMatchObject({
      status: 200,
      body: {
        invoice: id,
        number: 'INV-000001',
        status: 'issued',
        currency: 'USD',
        evidence: invoice.evidence,
        code_version: '2',
        rated_by_code_version: '2',
        agrees: true,
        total: { invoiced: '2.50', rated: '2.50' },
        lines: [{ key: 'sub-acme/calls/usage', invoiced: '2.50', rated: '2.50', agrees: true }],
      },
    });
  });

  it('shows every line that does not agree, on either side', async () => {
    const id = await issued();
    const { invoice } = await stored(id);
    const [line] = invoice.lines;
    if (line === undefined) throw new Error('a line was billed above');
    const forged = [
      { ...line, amountMinor: 251n },
      { ...line, key: 'sub-acme/other/usage', amountMinor: 9n },
    ];
    api.deps.routes.invoices.find = async () => ({
      invoice: { ...invoice, lines: forged, totalMinor: 260n },
      payment: null,
    });
    expect((await verify(id)).body).toMatchObject({
      agrees: false,
      total: { invoiced: '2.60', rated: '2.50' },
      lines: [
        { key: 'sub-acme/calls/usage', invoiced: '2.51', rated: '2.50', agrees: false },
        { key: 'sub-acme/other/usage', invoiced: '0.09', rated: null, agrees: false },
      ],
    });
  });

  it('names evidence that was changed, is no archive, belongs to another invoice, or is gone', async () => {
    const id = await issued();
    const { invoice } = await stored(id);
    const refused = async (asked: string = id) => {
      const { status, body } = await verify(asked);
      return [status, body.code];
    };
    await overwrite(invoice.evidence.key, gzipSync('{"format":1}'));
    expect(await refused()).toEqual([500, 'evidence_damaged']);
    await overwrite(invoice.evidence.key, Buffer.from('not gzip'));
    expect(await refused()).toEqual([500, 'evidence_damaged']);
    api.deps.routes.invoices.find = async () => ({
      invoice: { ...invoice, evidence: { ...invoice.evidence, key: 'evidence/none.json.gz' } },
      payment: null,
    });
    expect(await refused()).toEqual([500, 'evidence_missing']);
  });

  it('refuses evidence of another invoice, though its hash is right', async () => {
    const id = await issued();
    const { invoice } = await stored(id);
    api.deps.routes.invoices.find = async () => ({
      invoice: { ...invoice, id: 'inv_other' as InvoiceId },
      payment: null,
    });
    const { body } = await verify('inv_other1');
    expect(body).toMatchObject({ code: 'evidence_damaged', detail: expect.stringContaining(id) });
  });

  it('knows no invoice of another project', async () => {
    const other = await api.newKey(`prj_w${count}`, ['read']);
    expect(await verify(await issued(), other)).toMatchObject({ status: 404, body: { code: 'invoice_not_found' } });
    expect(await verify('inv_none')).toMatchObject({ status: 404, body: { code: 'invoice_not_found' } });
    expect(await verify('none')).toMatchObject({ status: 404, body: { code: 'invoice_not_found' } });
  });
});

describe('POST /v1/invoices/preview', () => {
  it('holds the adjustments that are pending, as the run will bill them', async () => {
    world.calls('acme', '2026-11', '1300');
    world.calls('acme', '2026-12', '1100');
    const preview = await api.call('/v1/invoices/preview', { key: admin, body: { customer: 'acme' } });
    // December: 100 x 0.01 = 1.00; November: 300 x 0.01 = 3.00 are right and 2.50 were billed
    expect(preview.body.data).toMatchObject([
      {
        period: { key: '2026-12' },
        total: '1.50',
        lines: [
          { key: 'sub-acme/calls/usage', amount: '1.00' },
          {
            key: 'sub-acme/calls/usage/adjusts/2026-11',
            kind: 'adjustment',
            amount: '0.50',
            adjusts: { period: '2026-11', previous_amount: '2.50', current_amount: '3.00' },
          },
        ],
      },
    ]);
    await world.run('2027-01-01T01:00:00Z');
    const billed = (await api.call(`/v1/invoices/${await issued()}`, { key: admin })).body;
    expect(billed.lines).toEqual(preview.body.data[0].lines);
    expect(await verify(billed.id)).toMatchObject({ body: { agrees: true, total: { rated: '1.50' } } });
  });
});
