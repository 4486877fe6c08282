import { describe, expect, test } from 'vitest';
import type { InvoiceId, SubscriptionId } from '../../../core/ids.ts';
import { EMPTY_LEDGER, type LedgerHead, ledgerEntries, movedHead } from '../../../core/invoicing/account-ledger.ts';
import type { InvoiceLine } from '../../../core/invoicing/invoice.ts';
import { limitCredits } from '../../../core/invoicing/limit-credits.ts';
import { lateUsage, periodsToAdjust } from '../../../core/invoicing/periods-to-adjust.ts';
import { parseBillingPeriod } from '../../../core/time/billing-period.ts';

const NOVEMBER = parseBillingPeriod('2026-11', 'UTC');
const DECEMBER = parseBillingPeriod('2026-12', 'UTC');

function line(key: string, amountMinor: bigint, more: Partial<InvoiceLine> = {}): InvoiceLine {
  return {
    key,
    kind: 'usage',
    description: key,
    subscription: 'sub_1' as SubscriptionId,
    charge: key,
    meter: null,
    servicePeriod: { period: '2026-12', start: DECEMBER.start, end: DECEMBER.end },
    quantity: '1',
    allowanceUsed: '0',
    unit: null,
    steps: [],
    exactAmount: '0',
    rounding: 'half_away_from_zero',
    amountMinor,
    carriedMinor: 0n,
    priceVersion: 'growth@1',
    ...more,
  };
}

function adjustment(key: string, before: bigint, now: bigint, period = '2026-11'): InvoiceLine {
  return line(`${key}/adjusts/${period}`, now - before, {
    kind: 'adjustment',
    adjusts: { period, line: key, previousAmountMinor: before, currentAmountMinor: now },
  });
}

describe('an invoice does not go below zero', () => {
  test('credits that fit are given in full', () => {
    const lines = [line('a', 500n), adjustment('a', 300n, 0n)];
    expect(limitCredits(lines, 'USD')).toEqual(lines);
  });

  test.each([
    // charges, credits, given
    [500n, [500n], [-500n]],
    [500n, [501n], [-500n]],
    [0n, [1n], [0n]],
    [500n, [300n, 400n], [-300n, -200n]],
    [100n, [300n, 400n], [-100n, 0n]],
  ])('charges of %s against credits of %s give %s', (charge, credits, given) => {
    const lines = [line('a', charge), ...credits.map((credit, n) => adjustment(`c${n}`, credit, 0n))];
    const limited = limitCredits(lines, 'USD');
    expect(limited.slice(1).map(({ amountMinor }) => amountMinor)).toEqual(given);
    expect(limited.reduce((sum, { amountMinor }) => sum + amountMinor, 0n) >= 0n).toBe(true);
  });

  test('a credit that is held back says so among its rows', () => {
    const [, credit] = limitCredits([line('a', 500n), adjustment('a', 800n, 0n)], 'USD');
    expect(credit?.exactAmount).toBe('-5');
    expect(credit?.steps.at(-1)).toMatchObject({ key: 'left-for-later', amount: '3' });
  });
});

describe('the ledger head', () => {
  test('counts invoices, and keeps a period marked until all of its credit is given', () => {
    const november = movedHead(EMPTY_LEDGER, { purpose: 'period', period: NOVEMBER, lines: [line('a', 800n)] }, []);
    expect(november).toMatchObject({ sequence: 1, periods: [{ key: '2026-11', invoices: 1, isCreditLeft: false }] });
    const lines = limitCredits([line('a', 500n), adjustment('a', 800n, 0n)], 'USD');
    const december = movedHead(november, { purpose: 'period', period: DECEMBER, lines }, ['2026-11']);
    expect(december.periods.map(({ key, isCreditLeft }) => [key, isCreditLeft])).toEqual([
      ['2026-11', true],
      ['2026-12', false],
    ]);
    const january = parseBillingPeriod('2027-01', 'UTC');
    const paid = { purpose: 'period' as const, period: january, lines: [line('a', 500n), adjustment('a', 300n, 0n)] };
    expect(movedHead(december, paid, ['2026-11', '2026-12']).periods[0]?.isCreditLeft).toBe(false);
  });

  test('stays marked where the invoice did not look at the period', () => {
    const head: LedgerHead = {
      sequence: 5,
      periods: [{ ...NOVEMBER, invoices: 1, isCreditLeft: true }],
    };
    expect(movedHead(head, { purpose: 'period', period: DECEMBER, lines: [] }, []).periods[0]?.isCreditLeft).toBe(true);
  });

  test('marks a period whose own quantity fell below zero', () => {
    const lines = [line('a', 0n, { carriedMinor: -200n })];
    expect(movedHead(EMPTY_LEDGER, { purpose: 'period', period: DECEMBER, lines }, []).periods[0]?.isCreditLeft).toBe(
      true,
    );
  });
});

test('the ledger keeps three years of months, and 400 days of days beside them', () => {
  const one = { invoices: 1, isCreditLeft: false };
  const months = Array.from(
    { length: 40 },
    (_, i) => `${2023 + Math.floor(i / 12)}-${String((i % 12) + 1).padStart(2, '0')}`,
  );
  const monthly: LedgerHead = {
    sequence: 40,
    periods: months.map((key) => ({ ...parseBillingPeriod(key, 'UTC'), ...one })),
  };
  const kept = movedHead(
    monthly,
    { purpose: 'period', period: parseBillingPeriod('2026-05', 'UTC'), lines: [] },
    [],
  ).periods;
  expect([kept.length, kept[0]?.key, kept.at(-1)?.key]).toEqual([36, '2023-06', '2026-05']);
  const start = Date.UTC(2025, 0, 1);
  const days = Array.from({ length: 500 }, (_, i) => new Date(start + i * 86_400_000).toISOString().slice(0, 10));
  const daily: LedgerHead = {
    sequence: 500,
    periods: days.map((key) => ({ ...parseBillingPeriod(key, 'UTC'), ...one })),
  };
  // 2026-05-16 ends with the 16th; 400 days before its end lies the start of 2025-04-12, so that day is the first kept
  const recent = movedHead(
    daily,
    { purpose: 'period', period: parseBillingPeriod('2026-05-16', 'UTC'), lines: [] },
    [],
  ).periods;
  expect([recent.length, recent[0]?.key, recent.at(-1)?.key]).toEqual([400, '2025-04-12', '2026-05-16']);
  // the opening of a year to come lets no day go
  const opened = movedHead(
    { sequence: 501, periods: recent },
    { purpose: 'opening', period: parseBillingPeriod('2027', 'UTC'), lines: [] },
    [],
  ).periods;
  expect([opened.length, opened[0]?.key, opened.at(-1)?.key]).toEqual([401, '2025-04-12', '2027']);
});

describe('the periods an invoice looks at again', () => {
  const months = ['2026-07', '2026-08', '2026-09', '2026-10', '2026-11'];
  const head: LedgerHead = {
    sequence: 5,
    periods: months.map((key) => ({ ...parseBillingPeriod(key, 'UTC'), invoices: 1, isCreditLeft: key === '2026-08' })),
  };
  const keys = (lateDays: readonly string[], own = '2026-12') =>
    periodsToAdjust(head, own, lateDays).map(({ key }) => key);

  test('are the last one and those with a credit left', () => {
    expect(keys([])).toEqual(['2026-08', '2026-11']);
  });

  test('and those of late days, to the day', () => {
    expect(keys(['20260930'])).toEqual(['2026-08', '2026-09', '2026-11']);
    expect(keys(['20261001'])).toEqual(['2026-08', '2026-10', '2026-11']);
    expect(keys(['20260630'])).toEqual(['2026-08', '2026-11']);
  });

  test('and, where a meter carries over, every period since the first late day', () => {
    const later = (lateDays: readonly string[]) => {
      const late = lateUsage(lateDays, [{}, { reset: 'carry_over' }]);
      return periodsToAdjust(head, '2026-12', late).map(({ key }) => key);
    };
    expect(later([])).toEqual(['2026-08', '2026-11']);
    expect(later(['20261002', '20260930'])).toEqual(['2026-08', '2026-09', '2026-10', '2026-11']);
    expect(later(['20261001'])).toEqual(['2026-08', '2026-10', '2026-11']);
    // before anything was billed, it still is what every later balance began with
    expect(later(['20260101'])).toEqual(months);
    expect(lateUsage(['20261001'], [{}, { reset: 'each_period' }])).toEqual(['20261001']);
  });

  test('and take turns when they are more than an invoice can hold, the last one always among them', () => {
    // 30 billed days of November, usage late for all of them: 20 at a time, 19 beside the last
    const days = Array.from({ length: 30 }, (_, index) => `2026-11-${String(index + 1).padStart(2, '0')}`);
    const lateDays = days.map((day) => day.replaceAll('-', ''));
    let daily: LedgerHead = {
      sequence: 30,
      periods: days.map((key) => ({ ...parseBillingPeriod(key, 'UTC'), invoices: 1, isCreditLeft: false })),
    };
    const first = periodsToAdjust(daily, '2026-12-01', lateDays).map(({ key }) => key);
    expect(first).toEqual([...days.slice(0, 19), '2026-11-30']);
    daily = movedHead(daily, { purpose: 'period', period: parseBillingPeriod('2026-12-01', 'UTC'), lines: [] }, first);
    const second = periodsToAdjust(daily, '2026-12-02', lateDays).map(({ key }) => key);
    expect(second).toEqual([...days.slice(0, 9), ...days.slice(19, 29), '2026-12-01']);
  });

  test('and those that end with the last one, whose usage had as little time to arrive', () => {
    const mixed = [...months, '2026-11-29', '2026-11-30'].map((key) => ({
      ...parseBillingPeriod(key, 'UTC'),
      invoices: 1,
      isCreditLeft: false,
    }));
    const again = periodsToAdjust({ sequence: 7, periods: mixed }, '2026-12-01', []);
    expect(again.map(({ key }) => key)).toEqual(['2026-11', '2026-11-30']);
  });

  test('but never the period of the invoice itself', () => {
    expect(keys([], '2026-11')).toEqual(['2026-08', '2026-10']);
  });
});

test('the ledger holds own lines and adjustments apart, each under its period, without their explanations', () => {
  const invoice = {
    id: 'inv_2' as InvoiceId,
    period: DECEMBER,
    lines: [line('a', 500n), adjustment('a', 300n, 350n), adjustment('a', 100n, 90n, '2026-10')],
  };
  const entries = ledgerEntries(invoice, []);
  expect(entries.map(({ period, lines }) => [period, lines.map(({ key, amountMinor }) => [key, amountMinor])])).toEqual(
    [
      ['2026-12', [['a', 500n]]],
      ['2026-11', [['a/adjusts/2026-11', 50n]]],
      ['2026-10', [['a/adjusts/2026-10', -10n]]],
    ],
  );
});
