import type { Currency } from '../money/currency.ts';
import { majorOf } from '../money/money.ts';
import { lineStep } from '../rating/line-step.ts';
import type { InvoiceLine } from './invoice.ts';

/**
 * Keeps an invoice from going below zero: credits for earlier periods are given only as far as the other lines reach, the
 * last ones giving way first. Nothing is lost, because the ledger holds what was given and not what was due: the next invoice
 * measures the same difference again and gives the rest. There is therefore no balance to keep beside the ledger, and no
 * provider has to be trusted with one. Lines that only credit are always adjustments; a period's own charges are never negative.
 */
export function limitCredits(lines: readonly InvoiceLine[], currency: Currency): readonly InvoiceLine[] {
  let excess = -lines.reduce((sum, line) => sum + line.amountMinor, 0n);
  if (excess <= 0n) return lines;
  const limited = [...lines];
  for (let index = limited.length - 1; index >= 0 && excess > 0n; index -= 1) {
    const line = limited[index];
    if (line === undefined || line.adjusts === undefined || line.amountMinor >= 0n) continue;
    const given = line.amountMinor + excess < 0n ? line.amountMinor + excess : 0n;
    const held = given - line.amountMinor;
    limited[index] = holdBack(line, held, currency);
    excess -= held;
  }
  return limited;
}

/** The line with `held` minor units of its credit left for the next invoice. */
function holdBack(line: InvoiceLine, held: bigint, currency: Currency): InvoiceLine {
  const amountMinor = line.amountMinor + held;
  return {
    ...line,
    amountMinor,
    exactAmount: majorOf(amountMinor, currency).toString(),
    steps: [
      ...line.steps,
      lineStep({
        key: 'left-for-later',
        label: 'Credit left for the next invoice',
        amount: majorOf(held, currency).toString(),
      }),
    ],
  };
}
