import type { InvoiceLine } from '../invoicing/invoice.ts';
import { shownLine } from '../invoicing/shown-invoice.ts';
import type { Currency } from '../money/currency.ts';
import { formatMinor } from '../money/money.ts';
import type { Estimate } from './estimate.ts';

/** An estimate with amounts in major units, as text. */
export function shownEstimate({ currency, period, service, lines, unmatched, adjustments }: Estimate) {
  return {
    currency,
    period,
    service,
    ...shownLines(lines, currency),
    unmatched: unmatched.map(({ meter, dimensions, quantity }) => ({ meter, dimensions, quantity })),
    adjustments: adjustments && shownLines(adjustments, currency),
  };
}

function shownLines(lines: readonly InvoiceLine[], currency: Currency) {
  const totalMinor = lines.reduce((sum, line) => sum + line.amountMinor, 0n);
  return { lines: lines.map((line) => shownLine(line, currency)), total: formatMinor(totalMinor, currency) };
}
