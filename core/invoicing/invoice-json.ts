import { canonicalJson, type JsonOf } from '../canonical-json.ts';
import { invariantBroken } from '../errors.ts';
import type { Invoice, InvoiceLine } from './invoice.ts';

/** The stored form of an invoice; `invoiceFromJson` is its exact inverse. Minor units are decimal strings in it. */
export function invoiceToJson(invoice: Invoice): string {
  return canonicalJson(invoice);
}

/** Reads a stored invoice. Throws `invariant-broken` (code `invoice_damaged`) when it is not one, or its lines do not sum to its total. */
export function invoiceFromJson(text: string): Invoice {
  try {
    const json = JSON.parse(text) as JsonOf<Invoice>;
    const invoice: Invoice = {
      ...json,
      lines: json.lines.map(invoiceLineFromJson),
      totalMinor: minorUnits(json.totalMinor),
    };
    const sum = invoice.lines.reduce((total, line) => total + line.amountMinor, 0n);
    if (sum !== invoice.totalMinor)
      throw new RangeError(`the lines sum to ${sum}, the total says ${invoice.totalMinor}`);
    return invoice;
  } catch (cause) {
    throw invariantBroken(
      'invoice_damaged',
      `A stored invoice cannot be read: ${cause instanceof Error ? cause.message : cause}.`,
    );
  }
}

/** One line of the stored form. Throws SyntaxError or TypeError on minor units that are not whole numbers. */
export function invoiceLineFromJson(json: JsonOf<InvoiceLine>): InvoiceLine {
  const { adjusts, ...line } = json;
  return {
    ...line,
    amountMinor: minorUnits(line.amountMinor),
    carriedMinor: minorUnits(line.carriedMinor),
    ...(adjusts && {
      adjusts: {
        ...adjusts,
        previousAmountMinor: minorUnits(adjusts.previousAmountMinor),
        currentAmountMinor: minorUnits(adjusts.currentAmountMinor),
      },
    }),
  };
}

/** BigInt alone would read "" as 0 and "0x10" as 16. */
function minorUnits(text: string): bigint {
  if (typeof text !== 'string' || !/^-?\d+$/.test(text)) {
    throw new SyntaxError(`minor units are ${JSON.stringify(text)}, not a string of digits`);
  }
  return BigInt(text);
}
