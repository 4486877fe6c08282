import { expect, test } from 'vitest';
import type { LedgerHead } from '../../../core/invoicing/account-ledger.ts';
import { nextLook } from '../../../core/invoicing/account-look.ts';
import { parseBillingPeriod } from '../../../core/time/billing-period.ts';
import { parseInstant } from '../../../core/time/instant.ts';

const at = (text: string) => parseInstant(text);
const headOf = (isCreditLeft: boolean): LedgerHead => ({
  sequence: 3,
  periods: [{ ...parseBillingPeriod('2026-11', 'UTC'), invoices: 1, isCreditLeft }],
});

test('an account that will be billed again is looked at only if it is not', () => {
  const look = nextLook({ head: headOf(true), closesAt: at('2027-01-01T00:00:00Z'), now: at('2026-12-01T01:00:00Z') });
  expect(look).toBe('2027-02-15T00:00:00.000Z');
});

test.each([
  // 95 days after the end of November lies 6 March
  ['2026-12-01T01:00:00Z', false, '2026-12-31T01:00:00.000Z'],
  ['2027-03-05T23:59:59Z', false, '2027-04-04T23:59:59.000Z'],
  ['2027-03-06T00:00:00Z', false, undefined],
  ['2027-03-06T00:00:00Z', true, '2027-04-05T00:00:00.000Z'],
  ['2029-01-01T00:00:00Z', true, '2029-01-31T00:00:00.000Z'],
])('an account that has ended, at %s with a credit left: %s, is looked at again at %s', (now, isCreditLeft, look) => {
  expect(nextLook({ head: headOf(isCreditLeft), closesAt: null, now: at(now) })).toBe(look);
});
