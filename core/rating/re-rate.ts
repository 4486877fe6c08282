import { invariantBroken } from '../errors.ts';
import type { InvoiceLine, LineStep } from '../invoicing/invoice.ts';
import type { Currency } from '../money/currency.ts';
import { Decimal } from '../money/decimal.ts';
import { majorOf } from '../money/money.ts';
import { Rational } from '../money/rational.ts';
import { lineStep } from './line-step.ts';

export interface ReRating {
  readonly currency: Currency;
  /** Key of the earlier billing period. */
  readonly period: string;
  /** The period's lines as they are rated now, by the prices they were billed with. */
  readonly current: readonly InvoiceLine[];
  /** Every line any invoice has billed for that period: its own lines, and adjustments of them. */
  readonly billed: readonly InvoiceLine[];
}

/**
 * Adjustment lines for an earlier period, by line key: current totals rated minus what was billed so far. A line that is
 * new, changed or gone gets one, negative ones too; where nothing changed there is none, so that running it again after the
 * adjustments are billed gives nothing. What a line carried below zero is part of its current total.
 */
export function reRate(input: ReRating): InvoiceLine[] {
  const billed = billedTotals(input);
  const currentKeys = new Set(input.current.map((line) => line.key));
  const kept = input.current.map((line) => adjustmentOf(line, line, billed.get(line.key), input));
  const gone = [...billed.values()]
    .filter((total) => !currentKeys.has(total.key))
    .map((total) => adjustmentOf(total.line, null, total, input));
  return [...kept, ...gone].filter((line) => line !== null);
}

interface BilledTotal {
  readonly key: string;
  /** The first line billed, for what it is called. */
  readonly line: InvoiceLine;
  readonly amountMinor: bigint;
  readonly quantity: Decimal;
  readonly allowanceUsed: Decimal;
}

function billedTotals({ billed, period }: ReRating): Map<string, BilledTotal> {
  const totals = new Map<string, BilledTotal>();
  for (const line of billed) {
    if ((line.adjusts?.period ?? line.servicePeriod.period) !== period) {
      throw invariantBroken(
        'period_mixed',
        `Got the line ${line.key} among those billed for ${period}; it bills another period.`,
      );
    }
    const key = line.adjusts?.line ?? line.key;
    const total = totals.get(key);
    totals.set(key, {
      key,
      line: total?.line ?? line,
      amountMinor: (total?.amountMinor ?? 0n) + line.amountMinor,
      quantity: (total?.quantity ?? Decimal.ZERO).plus(Decimal.ofTotal(line.quantity)),
      allowanceUsed: (total?.allowanceUsed ?? Decimal.ZERO).plus(Decimal.ofTotal(line.allowanceUsed)),
    });
  }
  return totals;
}

function adjustmentOf(
  basis: InvoiceLine,
  current: InvoiceLine | null,
  billed: BilledTotal | undefined,
  { currency, period }: ReRating,
): InvoiceLine | null {
  const before = billed?.amountMinor ?? 0n;
  const now = current ? current.amountMinor + current.carriedMinor : 0n;
  if (now === before) return null;
  const key = billed?.key ?? basis.key;
  const quantityBefore = billed?.quantity ?? Decimal.ZERO;
  return {
    ...basis,
    key: `${key}/adjusts/${period}`,
    kind: 'adjustment',
    description: basis.adjusts ? basis.description : `${basis.description} (adjustment of ${period})`,
    quantity: Decimal.ofTotal(current?.quantity ?? '0')
      .minus(quantityBefore)
      .toString(),
    allowanceUsed: Decimal.ofTotal(current?.allowanceUsed ?? '0')
      .minus(billed?.allowanceUsed ?? Decimal.ZERO)
      .toString(),
    steps: [
      ...(current ? stepsNow(current, now, currency) : []),
      lineStep({
        key: 'billed-before',
        label: 'Billed before',
        quantity: quantityBefore.negated().toString(),
        amount: majorOf(-before, currency).toString(),
      }),
    ],
    exactAmount: majorOf(now - before, currency).toString(),
    amountMinor: now - before,
    carriedMinor: 0n,
    adjusts: { period, line: key, previousAmountMinor: before, currentAmountMinor: now },
  };
}

/** The rows of the line as it is rated now, without the one that sets aside what is carried, and what its rounding made of them. */
function stepsNow(current: InvoiceLine, now: bigint, currency: Currency): LineStep[] {
  const rows = current.steps.filter((step) => step.key !== 'carried');
  const exact = rows.reduce((sum, row) => sum.plus(Rational.parse(row.amount)), Rational.ZERO);
  const rounding = Rational.from(majorOf(now, currency)).minus(exact);
  const prefixed = rows.map((row) => ({ ...row, key: `now/${row.key}` }));
  if (rounding.isZero()) return prefixed;
  return [...prefixed, lineStep({ key: 'now/rounding', label: 'Rounding', amount: rounding.toString() })];
}
