import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { canonicalJson } from '../../../core/canonical-json.ts';
import { draftInvoice } from '../../../core/invoicing/draft-invoice.ts';
import { freezeEvidence, readEvidence } from '../../../core/invoicing/evidence.ts';
import { invoiceFromJson, invoiceToJson } from '../../../core/invoicing/invoice-json.ts';
import { verifyInvoice } from '../../../core/invoicing/verify-invoice.ts';
import { rateCharges } from '../../../core/rating/rate.ts';
import { rateEvidence } from '../../../core/rating/rate-evidence.ts';
import { parseBillingPeriod } from '../../../core/time/billing-period.ts';
import { parseInstant } from '../../../core/time/instant.ts';
import { evidenceOf, SUBJECT, service } from '../../support/evidence-fixtures.ts';
import { ratingInput, slice, tokensCharge } from '../../support/pricing-fixtures.ts';

const DECEMBER = parseBillingPeriod('2026-12', 'UTC');
const input = (quantity: string) =>
  ratingInput([tokensCharge({ model: 'per_unit', unitPrice: '0.0000025' })], [slice('tokens', quantity)]);
const EVIDENCE = evidenceOf({
  services: [service({ ...input('18059974'), period: DECEMBER, service: DECEMBER })],
  earlier: [{ period: '2026-11', services: [service(input('5000000'))], billed: rateCharges(input('4000000')).lines }],
});

function drafted() {
  const frozen = freezeEvidence(EVIDENCE);
  const { lines } = rateEvidence(EVIDENCE);
  const draftedAt = parseInstant('2027-01-01T01:00:00Z');
  return { frozen, invoice: draftInvoice({ subject: SUBJECT, lines, evidence: frozen.reference, draftedAt }) };
}

test('an invoice proves itself: its stored evidence, read back and rated again, gives the same cents', () => {
  const { frozen, invoice } = drafted();
  // 45.149935 is 45.15; the adjustment is 12.50 less 10.00
  expect(invoice.lines.map(({ amountMinor }) => amountMinor)).toEqual([4515n, 250n]);
  const stored = readEvidence(frozen.text, invoice.evidence);
  expect(stored).toEqual(EVIDENCE);
  expect(rateEvidence(stored).lines).toEqual(invoice.lines);
  expect(verifyInvoice(stored, invoice)).toEqual([]);
});

test('verification names every line whose cents differ, that is missing, or that should not be there', () => {
  const { invoice } = drafted();
  const [first, second] = invoice.lines;
  if (!first || !second) throw new Error('two lines are drafted above');
  const forged = [
    { ...first, amountMinor: 4516n },
    { ...second, key: 'sub_1/other/usage' },
  ];
  expect(verifyInvoice(EVIDENCE, { lines: forged })).toEqual([
    { key: 'sub_1/tokens/usage', invoicedMinor: 4516n, ratedMinor: 4515n },
    { key: 'sub_1/other/usage', invoicedMinor: 250n, ratedMinor: null },
    { key: 'sub_1/tokens/usage/adjusts/2026-11', invoicedMinor: null, ratedMinor: 250n },
  ]);
});

test('evidence is named by its content: the same has one address, and another quantity another', () => {
  const { frozen } = drafted();
  expect(freezeEvidence({ ...EVIDENCE })).toEqual(frozen);
  expect(frozen.reference).toEqual({
    sha256: createHash('sha256').update(frozen.text).digest('hex'),
    key: `evidence/prj_demo/${frozen.reference.sha256}.json.gz`,
  });
  const other = evidenceOf({ ...EVIDENCE, services: [service(input('18059975'))] });
  expect(freezeEvidence(other).reference.sha256).not.toBe(frozen.reference.sha256);
});

test('evidence that is not what the invoice names is refused', () => {
  const { frozen } = drafted();
  const forged = frozen.text.replace('18059974', '18059973');
  expect(() => readEvidence(forged, frozen.reference)).toThrow(expect.objectContaining({ code: 'evidence_damaged' }));
  const future = freezeEvidence({ ...EVIDENCE, format: 2 as 1 });
  expect(() => readEvidence(future.text, future.reference)).toThrow(
    expect.objectContaining({ code: 'evidence_damaged' }),
  );
});

test('a stored invoice is read back exactly, adjustments and digits included', () => {
  const { invoice } = drafted();
  expect(invoiceFromJson(invoiceToJson(invoice))).toEqual(invoice);
  const huge = {
    ...invoice,
    lines: invoice.lines.map((line) => ({ ...line, amountMinor: 90071992547409931n })),
    totalMinor: 180143985094819862n,
  };
  expect(invoiceFromJson(invoiceToJson(huge))).toEqual(huge);
});

test.each([
  [
    'a total that is not the sum of its lines',
    (text: string) => text.replace('"totalMinor":"4765"', '"totalMinor":"4766"'),
  ],
  ['minor units that are a number', (text: string) => text.replace('"totalMinor":"4765"', '"totalMinor":4765')],
  ['minor units that are empty', (text: string) => text.replace('"carriedMinor":"0"', '"carriedMinor":""')],
  ['no lines', () => '{"totalMinor":"0"}'],
  ['half a document', (text: string) => text.slice(0, 40)],
])('a stored invoice with %s is refused', (_what, damage) => {
  const text = invoiceToJson(drafted().invoice);
  expect(damage(text)).not.toBe(text);
  expect(() => invoiceFromJson(damage(text))).toThrow(
    expect.objectContaining({ kind: 'invariant-broken', code: 'invoice_damaged' }),
  );
});

test('equal values have one canonical text', () => {
  expect(canonicalJson({ b: 1n, a: [{ d: null, c: 'x' }], e: undefined })).toBe('{"a":[{"c":"x","d":null}],"b":"1"}');
  expect(canonicalJson(JSON.parse('{"__proto__":"p","a":"1"}'))).toBe('{"__proto__":"p","a":"1"}');
});
