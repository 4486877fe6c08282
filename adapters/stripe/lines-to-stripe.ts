import type Stripe from 'stripe';
import type { Invoice, InvoiceLine } from '../../core/invoicing/invoice.ts';
import { earlierOf, laterOf, millisOf } from '../../core/time/instant.ts';
import { notPayable, stripeAmountOf } from './currency-rules.ts';

/** Stripe's limit of lines on an invoice. */
const MAX_LINES = 250;
const MAX_TEXT = 500;

type StripeLine = Stripe.InvoiceAddLinesParams.Line;

/**
 * The lines Stripe shows: final whole amounts, with quantity and price only as text, so that Stripe's total is ours to the cent.
 * One line each if they fit and Stripe can express every amount; else one per charge; else one for the whole invoice. The same
 * invoice always gives the same lines. Throws `provider` (`amount_not_payable`) when not even the total can be expressed.
 */
export function linesToStripe(invoice: Invoice): StripeLine[] {
  const each = invoice.lines.map((line) => [line]);
  const byCharge = [...Map.groupBy(invoice.lines, (line) => line.charge).values()];
  for (const groups of [each, byCharge, [invoice.lines]]) {
    const lines = groups.length > MAX_LINES ? null : groups.map((group) => lineOf(invoice, group));
    if (lines?.every((line) => line !== null)) return lines;
  }
  throw notPayable(invoice.totalMinor, invoice.currency);
}

function lineOf(invoice: Invoice, group: readonly InvoiceLine[]): StripeLine | null {
  const sum = group.reduce((total, line) => total + line.amountMinor, 0n);
  const amount = stripeAmountOf(sum, invoice.currency);
  const [first] = group;
  if (amount === null || first === undefined) return null;
  const start = group.map((line) => line.servicePeriod.start).reduce(earlierOf);
  const end = group.map((line) => line.servicePeriod.end).reduce(laterOf);
  return {
    amount,
    description: cut(group.length === 1 ? describe(first) : describeGroup(invoice, group)),
    // Stripe's period includes its end, ours does not.
    period: {
      start: Math.floor(millisOf(start) / 1000),
      end: Math.max(secondsBefore(end), Math.floor(millisOf(start) / 1000)),
    },
    metadata: group.length === 1 ? detailsOf(first) : { lines: String(group.length) },
  };
}

function secondsBefore(end: InvoiceLine['servicePeriod']['end']): number {
  return Math.ceil(millisOf(end) / 1000) - 1;
}

function describe(line: InvoiceLine): string {
  if (line.kind === 'fixed') return line.description;
  const unit = line.unit === null ? '' : ` ${line.unit}`;
  return `${line.description}: ${line.quantity}${unit}`;
}

function describeGroup(invoice: Invoice, group: readonly InvoiceLine[]): string {
  const [first] = group;
  const isWhole = group.length === invoice.lines.length;
  const title = isWhole ? `Invoice ${invoice.number ?? invoice.id}` : (first?.description ?? '');
  return `${title} (${group.length} lines)`;
}

function detailsOf(line: InvoiceLine): Record<string, string> {
  const prices = [...new Set(line.steps.flatMap((step) => step.unitPrice ?? []))];
  return {
    line: cut(line.key),
    quantity: cut(line.quantity),
    price_version: cut(line.priceVersion),
    period: cut(line.servicePeriod.period),
    ...(prices.length === 0 ? {} : { unit_price: cut(prices.join(', ')) }),
  };
}

function cut(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT - 3)}...`;
}
