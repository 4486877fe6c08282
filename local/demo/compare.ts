import { textTable } from '../../cli/text-table.ts';
import type { InvoiceDocument } from './api-documents.ts';
import type { Recount } from './demo-recount.ts';
import type { SentMonth } from './send-month.ts';

export interface Comparison {
  readonly text: string;
  readonly differences: number;
}

function inCents(amount: string): bigint {
  const [whole = '0', fraction = ''] = amount.split('.');
  return BigInt(whole) * 100n + BigInt(fraction.padEnd(2, '0'));
}

function inDollars(cents: bigint): string {
  return `${cents / 100n}.${String(cents % 100n).padStart(2, '0')}`;
}

/** The product's invoices beside the recount, line by line, and the books of what was sent. */
export function compareBooks(month: SentMonth, recount: Recount, invoices: readonly InvoiceDocument[]): Comparison {
  let differences = 0;
  const rejected = [...month.rejected.values()].reduce((sum, count) => sum + count, 0);
  const head = ['sent', '=', 'accepted', '+', 'rejected', 'of the accepted, distinct', 'duplicates'];
  const books = textTable({
    head,
    rows: [[month.sent, '', month.accepted.length, '', rejected, recount.counted, recount.duplicates]],
  });
  if (month.sent !== month.accepted.length + rejected) differences += 1;
  const rows: (string | number)[][] = [];
  const unequal: string[] = [];
  for (const [customer, counted] of recount.invoices) {
    const invoiced = invoices.filter((invoice) => invoice.customer === customer);
    const lines = new Map(
      invoiced.flatMap((invoice) => invoice.lines.map(({ key, amount }) => [key, inCents(amount)])),
    );
    const keys = new Set([...lines.keys(), ...counted.keys()]);
    const wrong = [...keys].filter((key) => lines.get(key) !== counted.get(key));
    unequal.push(...wrong.map((key) => `${key}: ${shown(lines.get(key))}, recounted ${shown(counted.get(key))}`));
    const billed = invoiced.reduce((sum, invoice) => sum + inCents(invoice.total), 0n);
    const total = [...counted.values()].reduce((sum, cents) => sum + cents, 0n);
    const isSame = invoiced.length === 1 && billed === total && wrong.length === 0;
    if (!isSame) differences += 1;
    rows.push([customer, lines.size, inDollars(billed), inDollars(total), isSame ? 'yes' : 'NO']);
  }
  const totals = textTable({
    head: ['customer', 'lines', 'invoiced', 'recounted', 'each line the same'],
    rows,
    aligns: ['left', 'right', 'right', 'right', 'left'],
  });
  const codes = [...month.rejected].map(([code, count]) => `${code} ${count}`).join(', ');
  return { text: [books, `Rejected: ${codes}`, '', totals, ...unequal].join('\n'), differences };
}

const shown = (cents: bigint | undefined) => (cents === undefined ? 'no line' : inDollars(cents));
