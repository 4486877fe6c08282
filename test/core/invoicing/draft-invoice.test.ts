import { expect, test } from 'vitest';
import { draftInvoice, invoiceIdOf } from '../../../core/invoicing/draft-invoice.ts';
import { rateCharges } from '../../../core/rating/rate.ts';
import { parseBillingPeriod } from '../../../core/time/billing-period.ts';
import { parseInstant } from '../../../core/time/instant.ts';
import { SUBJECT } from '../../support/evidence-fixtures.ts';
import { ratingInput, slice, tokensCharge } from '../../support/pricing-fixtures.ts';

const evidence = { sha256: 'ab', key: 'prj_demo/evidence/ab.json' };
const draftedAt = parseInstant('2027-01-01T01:00:00Z');
const line = (key: string, quantity: string) =>
  rateCharges(
    ratingInput([{ ...tokensCharge({ model: 'per_unit', unitPrice: '0.1' }), key }], [slice('tokens', quantity)]),
  ).lines;

test('a draft has no number, a total that is the sum of its lines, and an id that follows from what it is for', () => {
  const lines = [...line('a', '12.34'), ...line('b', '5')]; // 1.234 is 1.23, and 0.50
  const draft = draftInvoice({ subject: SUBJECT, lines, evidence, draftedAt });
  expect(draft).toEqual({
    ...SUBJECT,
    id: invoiceIdOf(SUBJECT),
    status: 'draft',
    number: null,
    lines,
    totalMinor: 173n,
    draftedAt,
    issuedAt: null,
    dueAt: null,
    evidence,
  });
  expect(draft.id).toMatch(/^inv_[0-9a-z]{26}$/);
});

test.each([
  ['account', { account: 'acme/EUR' }],
  ['period', { period: parseBillingPeriod('2026-11', 'UTC') }],
  ['ordinal', { ordinal: 1 }],
])('another %s is another invoice', (_what, change) => {
  expect(invoiceIdOf({ ...SUBJECT, ...change })).not.toBe(invoiceIdOf(SUBJECT));
  expect(invoiceIdOf({ ...SUBJECT })).toBe(invoiceIdOf(SUBJECT));
});

test('a draft without lines is worth nothing and still a draft', () => {
  expect(draftInvoice({ subject: SUBJECT, lines: [], evidence, draftedAt }).totalMinor).toBe(0n);
});

test('a line that would bill twice under one key stops the draft', () => {
  const lines = [...line('a', '1'), ...line('a', '1')];
  expect(() => draftInvoice({ subject: SUBJECT, lines, evidence, draftedAt })).toThrow(
    expect.objectContaining({ code: 'line_key_repeated' }),
  );
});
