import { expect, test } from 'vitest';
import type { SubscriptionId } from '../../../core/ids.ts';
import { rateCharges } from '../../../core/rating/rate.ts';
import { rateEvidence } from '../../../core/rating/rate-evidence.ts';
import { parseBillingPeriod } from '../../../core/time/billing-period.ts';
import { evidenceOf, service } from '../../support/evidence-fixtures.ts';
import { planOf, ratingInput, slice, tokensCharge } from '../../support/pricing-fixtures.ts';

const DECEMBER = parseBillingPeriod('2026-12', 'UTC');
const charge = tokensCharge({ model: 'per_unit', unitPrice: '0.1' });
const november = (quantity: string) => ratingInput([charge], [slice('tokens', quantity)]);
const december = (quantity: string) => ({ ...november(quantity), period: DECEMBER, service: DECEMBER });

test('an invoice has the lines of its period, then the adjustments of earlier ones', () => {
  const evidence = evidenceOf({
    services: [service(december('50'))],
    earlier: [{ period: '2026-11', services: [service(november('120'))], billed: rateCharges(november('100')).lines }],
  });
  expect(rateEvidence(evidence).lines.map(({ key, amountMinor }) => [key, amountMinor])).toEqual([
    ['sub_1/tokens/usage', 500n],
    ['sub_1/tokens/usage/adjusts/2026-11', 200n],
  ]);
});

test('usage is unmatched only when every subscription of the span leaves it over', () => {
  const usage = [slice('tokens', '1'), slice('storage_gb', '2'), slice('api_calls', '3', { region: 'eu' })];
  const storage = { ...charge, key: 'storage', meter: 'storage_gb' };
  const first = ratingInput([charge], usage);
  const second = {
    ...ratingInput(
      [storage],
      usage.map((one) => ({ ...one })),
    ),
    subscription: 'sub_2' as SubscriptionId,
  };
  expect(rateEvidence(evidenceOf({ services: [service(first), service(second)] })).unmatched).toEqual([usage[2]]);
});

test('a plan in another currency never gets onto the invoice', () => {
  const euros = { ...december('1'), plan: planOf([charge], { currency: 'EUR' }) };
  expect(() => rateEvidence(evidenceOf({ services: [service(euros)] }))).toThrow(
    expect.objectContaining({ code: 'currency_mixed' }),
  );
});
